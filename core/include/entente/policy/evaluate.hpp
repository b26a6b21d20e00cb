// May this be done, under this policy, now? One evaluator for server, native partner, browser page and tests.
//
//   Facts facts{.federation = "urn:fl:federation:demo", .cohort = 3, .round = 7, .now_ms = now, .agreed_at_ms = then};
//   Verdict verdict = evaluate(policy, Point::release, facts);
//   if (!verdict.permitted) refuse(verdict.code, verdict.sentence);
//
// Fail closed: an unknown profile, action, operand, operator or member, a value that cannot be parsed and a fact
// that is missing all deny. Removing a constraint never turns a permit into a denial; adding an unknown one always
// denies. Time is an argument. Pure functions, thread-safe.
//
// Codes: policy.unknown-profile, policy.unknown-action, policy.unknown-operand, policy.unknown-operator,
// policy.shape, policy.bad-value, policy.not-enforceable (known, and what it promises is not built yet),
// policy.missing-fact, policy.denied. docs/policy.md has the profile, term by term.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "entente/base/bytes.hpp"
#include "entente/policy/policy.hpp"

namespace entente::policy {

// Where the question is asked. The first four are the data space's own, the last two are ours.
enum class Point : std::uint8_t {
    catalog,      // may this participant see the offer
    negotiation,  // may an agreement come about on these terms
    transfer,     // may this transfer start
    monitor,      // may a running agreement go on
    ingest,       // may this update enter this round
    release,      // may this aggregate leave
};
std::string_view to_string(Point point) noexcept;

// What somebody is about to do, as a set. The first four are the words of allowedOperation.
namespace operation {
inline constexpr std::uint32_t aggregate = 1;
inline constexpr std::uint32_t evaluate = 2;
inline constexpr std::uint32_t train = 4;
inline constexpr std::uint32_t export_model = 8;
inline constexpr std::uint32_t distribute = 16;
inline constexpr std::uint32_t derive = 32;
}  // namespace operation

// What is known at that moment. What is not known stays empty, and a term that needs it denies.
struct Facts {
    std::optional<std::string> federation;      // its IRI, "urn:fl:federation:<id>"
    std::optional<std::uint64_t> cohort;        // negotiation: the plan's minimum; release: who is in the aggregate
    std::optional<std::uint64_t> round;         // 1-based: the round that would use the agreement
    std::optional<Digest> schema;               // digest of the model's layout
    std::optional<std::int64_t> now_ms;         // since 1970-01-01T00:00Z
    std::optional<std::int64_t> agreed_at_ms;   // start of the agreement; at negotiation: now
    std::optional<std::uint32_t> operations;    // at negotiation: all that the plan needs
    std::optional<std::int64_t> kept_ms;        // how long an update is kept after its round at the most
    std::optional<bool> to_assignee;            // transfer: whoever receives is the agreement's assignee
};

struct Verdict {
    bool permitted = false;
    std::string code;      // empty when permitted
    std::string sentence;  // for a person: term, bound, what was found
    std::string operand;   // the IRI of the term that denied, if one did
    std::string input;     // what was looked at, for the ledger: "maxRounds=7 inForceDate=2026-11-30T08:00:00Z"

    [[nodiscard]] Status status() const;  // permission_denied with code and sentence, or done
};

// Is every part of it known and well-formed? Independent of point and facts; evaluate() asks this first.
Verdict check_shape(const Policy& policy);

Verdict evaluate(const Policy& policy, Point point, const Facts& facts);

// Of the terms those that say what may be done, allowedOperation and the prohibitions: for whoever holds a copy and knows
// neither round nor cohort. The shape of the whole policy is asked as well.
Verdict permits(const Policy& policy, std::uint32_t operations);

// Outside of these, monitor would deny: what a host watches while an agreement runs, without evaluating it each time.
// REQUIRES: check_shape permits.
struct Window {
    std::int64_t from_ms;
    std::int64_t until_ms;
    std::uint64_t last_round;

    [[nodiscard]] bool contains(std::int64_t now_ms, std::uint64_t round) const noexcept {
        return from_ms <= now_ms && now_ms <= until_ms && round <= last_round;
    }
};
Window window_of(const Policy& policy, std::int64_t agreed_at_ms);

// For how long after its round an update may be kept under the policy: the shortest of its duties to delete; without one
// the longest time that there is.
std::int64_t retention_ms(const Policy& policy);

// "2027-01-31T00:00:00Z" and back; exact for years 1970 to 9999, UTC only, whole seconds.
std::optional<std::int64_t> parse_instant_ms(std::string_view text) noexcept;
std::string format_instant(std::int64_t ms);

}  // namespace entente::policy
