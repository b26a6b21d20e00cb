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
// policy.shape, policy.bad-value, policy.missing-fact, policy.denied.
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

// What is known at that moment. What is not known stays empty, and a term that needs it denies.
struct Facts {
    std::optional<std::string> federation;      // its IRI, "urn:fl:federation:<id>"
    std::optional<std::uint64_t> cohort;        // negotiation: the plan's minimum; release: who is in the aggregate
    std::optional<std::uint64_t> round;         // 1-based: the round that would use the agreement
    std::optional<Digest> schema;               // digest of the model's layout
    std::optional<std::int64_t> now_ms;         // since 1970-01-01T00:00Z
    std::optional<std::int64_t> agreed_at_ms;   // start of the agreement; at negotiation: now
};

struct Verdict {
    bool permitted = false;
    std::string code;      // empty when permitted
    std::string sentence;  // for a person: term, bound, what was found
    std::string operand;   // the IRI of the term that decided, if one did

    [[nodiscard]] Status status() const;  // permission_denied with code and sentence, or done
};

// Is every part of it known and well-formed? Independent of point and facts; evaluate() asks this first.
Verdict check_shape(const Policy& policy);

Verdict evaluate(const Policy& policy, Point point, const Facts& facts);

// "2027-01-31T00:00:00Z" and back; exact for years 1970 to 9999, UTC only, whole seconds.
std::optional<std::int64_t> parse_instant_ms(std::string_view text) noexcept;
std::string format_instant(std::int64_t ms);

}  // namespace entente::policy
