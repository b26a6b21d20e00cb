// The profile's table: a row a term.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "entente/policy/evaluate.hpp"

namespace entente::policy {

// What a term came to.
struct Judged {
    enum class Outcome : std::uint8_t { holds, fails, unknown };
    Outcome outcome = Outcome::holds;
    std::string found;     // what was looked at; of an unknown one: which fact is missing
    std::string expected;  // where it fails
};

constexpr std::uint32_t at(Point point) noexcept { return 1u << static_cast<unsigned>(point); }

struct TermRow {
    std::string_view operand;
    std::string_view synonym;                        // another IRI that is read as this one, or nothing
    bool in_obligation = false;                      // of the duty to delete; otherwise of the permission
    std::string_view operators;                      // separated by blanks
    bool (*value_ok)(std::string_view) = nullptr;    // of each right operand
    std::string_view expected;                       // the same for people
    std::uint32_t points = 0;                        // where it is judged
    Judged (*judge)(const Constraint&, const Facts&) = nullptr;  // null: cannot be enforced yet
    std::string (*sentence)(const Constraint&) = nullptr;
};

std::span<const TermRow> term_rows() noexcept;
const TermRow* find_term(std::string_view operand) noexcept;  // by its IRI or synonym; null when unknown

// Is this prohibition one of ours, and what does it forbid? 0: neither distribute nor derive.
std::uint32_t forbidden_by(std::string_view action) noexcept;

bool lists(std::string_view list, std::string_view word) noexcept;  // separated by blanks
std::string_view short_name(std::string_view iri) noexcept;

// One constraint of a permission or an obligation on its own: known, well-formed, enforceable?
Verdict check_constraint(const Constraint& constraint, bool in_obligation);
Verdict check_prohibition(const Rule& rule);

}  // namespace entente::policy
