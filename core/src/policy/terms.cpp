#include "terms.hpp"

#include <algorithm>
#include <array>

#include "sentences.hpp"
#include "values.hpp"
#include "vocabulary.hpp"

namespace entente::policy {
namespace {

using Outcome = Judged::Outcome;

Judged unknown(const char* fact) { return {Outcome::unknown, fact, {}}; }
Judged judged(bool holds, std::string found, std::string expected) {
    return {holds ? Outcome::holds : Outcome::fails, std::move(found), holds ? std::string() : std::move(expected)};
}

struct Word {
    std::string_view name;
    std::uint32_t operation;
};
constexpr std::array<Word, 6> words{{{"aggregate", operation::aggregate},
                                     {"evaluate", operation::evaluate},
                                     {"train", operation::train},
                                     {"export", operation::export_model},
                                     {"distribute", operation::distribute},
                                     {"derive", operation::derive}}};
constexpr std::size_t allowed_words = 4;

std::uint32_t operation_of(std::string_view name) {
    for (std::size_t i = 0; i < allowed_words; ++i) {
        if (words[i].name == name) return words[i].operation;
    }
    return 0;
}

std::string names_of(std::uint32_t operations) {
    std::string names;
    for (const Word& word : words) {
        if ((operations & word.operation) != 0) names += (names.empty() ? "" : "+") + std::string(word.name);
    }
    return names.empty() ? "nothing" : names;
}

bool is_schema(std::string_view text) {
    constexpr std::string_view prefix = "sha256:";
    return text.starts_with(prefix) && digest_from_hex(text.substr(prefix.size())).ok();
}

Judged judge_purpose(const Constraint& c, const Facts& facts) {
    if (!facts.federation) return unknown("federation");
    const auto& allowed = c.right_operand;
    const bool holds = std::find(allowed.begin(), allowed.end(), *facts.federation) != allowed.end();
    return judged(holds, *facts.federation, "use for " + allowed.front());
}

Judged judge_operations(const Constraint& c, const Facts& facts) {
    if (!facts.operations) return unknown("operation");
    std::uint32_t allowed = 0;
    for (const std::string& name : c.right_operand) allowed |= operation_of(name);
    // What is forbidden by prohibitions is their matter.
    const std::uint32_t asked = *facts.operations & ~(operation::distribute | operation::derive);
    const std::uint32_t more = asked & ~allowed;
    return judged(more == 0, names_of(more == 0 ? asked : more), "only " + names_of(allowed));
}

Judged judge_cohort(const Constraint& c, const Facts& facts) {
    if (!facts.cohort) return unknown("number of contributing partners");
    const std::uint64_t bound = *parse_count(c.right_operand.front());
    return judged(*facts.cohort >= bound, std::to_string(*facts.cohort), "at least " + std::to_string(bound) + " contributing partners");
}

Judged judge_rounds(const Constraint& c, const Facts& facts) {
    if (!facts.round) return unknown("round");
    const std::uint64_t bound = *parse_count(c.right_operand.front());
    const bool holds = *facts.round <= bound;
    return judged(holds, (holds ? "" : "round ") + std::to_string(*facts.round), "at most " + std::to_string(bound) + " rounds");
}

Judged judge_schema(const Constraint& c, const Facts& facts) {
    if (!facts.schema) return unknown("model layout");
    const std::string& bound = c.right_operand.front();
    // Hexadecimal digits mean the same in either case.
    const auto expected = digest_from_hex(std::string_view(bound).substr(bound.find(':') + 1));
    const bool holds = expected.ok() && *expected == *facts.schema;
    // Where it holds the whole digest stands in the agreement.
    return judged(holds, "sha256:" + to_hex(*facts.schema).substr(0, holds ? 16 : 64), "the model layout " + bound);
}

Judged judge_date(const Constraint& c, const Facts& facts) {
    const DateBound bound = *parse_date_bound(c.right_operand.front());
    if (!facts.now_ms) return unknown("time");
    if (bound.relative && !facts.agreed_at_ms) return unknown("time of the agreement");
    const std::int64_t limit = bound.at(facts.agreed_at_ms.value_or(0));
    const bool from = c.op == "gteq";
    const bool holds = from ? *facts.now_ms >= limit : *facts.now_ms <= limit;
    return judged(holds, format_instant(*facts.now_ms), (from ? "not before " : "not after ") + format_instant(limit));
}

Judged judge_retention(const Constraint& c, const Facts& facts) {
    if (!facts.kept_ms) return unknown("time for which updates are kept");
    const std::int64_t bound = *parse_duration_ms(c.right_operand.front());
    return judged(*facts.kept_ms <= bound, std::to_string(*facts.kept_ms / 1000) + "s",
                  "updates deleted within " + c.right_operand.front() + " of their round");
}

bool is_federation(std::string_view v) { return !v.empty(); }
bool is_operation(std::string_view v) { return operation_of(v) != 0; }
bool is_count(std::string_view v) { return parse_count(v).has_value(); }
bool is_date(std::string_view v) { return parse_date_bound(v).has_value(); }
bool is_duration(std::string_view v) { return parse_duration_ms(v).has_value(); }
bool is_positive(std::string_view v) { return is_decimal(v) && !is_zero_decimal(v); }
bool is_protocol(std::string_view v) { return v == "required" || v == "sealed/v1"; }

constexpr std::uint32_t catalog = at(Point::catalog);
constexpr std::uint32_t negotiation = at(Point::negotiation);
constexpr std::uint32_t transfer = at(Point::transfer);
constexpr std::uint32_t monitor = at(Point::monitor);
constexpr std::uint32_t ingest = at(Point::ingest);
constexpr std::uint32_t release = at(Point::release);

// A term that a point does not list is judged elsewhere, never ignored everywhere: each row has a point or is refused.
constexpr std::array<TermRow, 11> rows{{
    {operand::purpose, "http://www.w3.org/ns/odrl/2/purpose", false, "eq isAnyOf", is_federation, "a federation's IRI",
     catalog | negotiation | transfer | ingest | release, judge_purpose, purpose_sentence},
    {operand::allowed_operation, "", false, "isAnyOf", is_operation, "aggregate, evaluate, train or export",
     negotiation | ingest | release, judge_operations, operations_sentence},
    {operand::min_cohort_size, "", false, "gteq", is_count, "a whole number", negotiation | release, judge_cohort, cohort_sentence},
    {operand::max_rounds, "", false, "lteq", is_count, "a whole number", transfer | monitor | ingest | release, judge_rounds,
     rounds_sentence},
    {operand::model_schema_hash, "", false, "eq", is_schema, "sha256: and 64 hexadecimal digits", negotiation | ingest | release,
     judge_schema, schema_sentence},
    {operand::in_force_date, "", false, "gteq lteq", is_date,
     "contractAgreement+<n>(s|m|h|d) or an instant like 2027-01-31T00:00:00Z",
     catalog | negotiation | transfer | monitor | ingest | release, judge_date, date_sentence},
    {operand::retention, "http://www.w3.org/ns/odrl/2/delayPeriod", true, "lteq eq", is_duration,
     "a duration in days, hours, minutes and seconds like P7D", negotiation | ingest, judge_retention, retention_sentence},
    {operand::dp_epsilon_budget, "", false, "lteq", is_positive, "a number above 0", 0, nullptr, epsilon_sentence},
    {operand::dp_delta, "", false, "lteq", is_positive, "a number above 0", 0, nullptr, delta_sentence},
    {operand::clipping_norm, "", false, "lteq", is_positive, "a number above 0", 0, nullptr, clipping_sentence},
    {operand::secure_aggregation, "", false, "eq", is_protocol, "required or sealed/v1", 0, nullptr, sealed_sentence},
}};

Verdict deny(const char* code, std::string sentence, const std::string& operand) {
    return Verdict{false, code, std::move(sentence), operand, {}};
}

}  // namespace

std::span<const TermRow> term_rows() noexcept { return rows; }

const TermRow* find_term(std::string_view operand) noexcept {
    if (operand.empty()) return nullptr;
    const auto it = std::find_if(rows.begin(), rows.end(),
                                 [operand](const TermRow& row) { return row.operand == operand || row.synonym == operand; });
    return it == rows.end() ? nullptr : &*it;
}

std::uint32_t forbidden_by(std::string_view action) noexcept {
    const std::string_view word = odrl_word(action);
    return word == "distribute" ? operation::distribute : word == "derive" ? operation::derive : 0;
}

bool lists(std::string_view list, std::string_view word) noexcept {
    if (word.empty() || word.find(' ') != std::string_view::npos) return false;
    for (std::size_t from = list.find(word); from != std::string_view::npos; from = list.find(word, from + 1)) {
        const bool starts = from == 0 || list[from - 1] == ' ';
        const bool ends = from + word.size() == list.size() || list[from + word.size()] == ' ';
        if (starts && ends) return true;
    }
    return false;
}

std::string_view short_name(std::string_view iri) noexcept {
    const auto slash = iri.rfind('/');
    return slash == std::string_view::npos ? iri : iri.substr(slash + 1);
}

Verdict check_constraint(const Constraint& c, bool in_obligation) {
    const TermRow* row = find_term(c.left_operand);
    if (row == nullptr) {
        return deny("policy.unknown-operand", "expected a term of the profile, found \"" + c.left_operand + "\"", c.left_operand);
    }
    if (row->in_obligation != in_obligation) {
        return deny("policy.shape", row->in_obligation ? "expected it in an obligation to delete, found it in the permission"
                                                       : "expected it in the permission, found it in an obligation",
                    c.left_operand);
    }
    if (!lists(row->operators, c.op)) {
        return deny("policy.unknown-operator", "expected operator " + std::string(row->operators) + ", found \"" + c.op + "\"",
                    c.left_operand);
    }
    if (c.right_operand.empty() || (c.op != "isAnyOf" && c.right_operand.size() != 1)) {
        return deny("policy.bad-value", "expected one right operand, found " + std::to_string(c.right_operand.size()), c.left_operand);
    }
    for (const std::string& value : c.right_operand) {
        if (!row->value_ok(value)) {
            return deny("policy.bad-value", "expected " + std::string(row->expected) + ", found \"" + value + "\"", c.left_operand);
        }
    }
    if (row->judge == nullptr) {
        return deny("policy.not-enforceable",
                    "this software cannot enforce " + std::string(short_name(row->operand)) + " yet, so it does not agree to it",
                    c.left_operand);
    }
    return Verdict{true, {}, {}, {}, {}};
}

Verdict check_prohibition(const Rule& rule) {
    if (forbidden_by(rule.action) == 0) {
        return deny("policy.unknown-action", "expected a prohibition to distribute or derive, found \"" + rule.action + "\"", rule.action);
    }
    if (!rule.constraints.empty()) {
        return deny("policy.shape", "expected a prohibition without constraints, found " + std::to_string(rule.constraints.size()),
                    rule.action);
    }
    return Verdict{true, {}, {}, {}, {}};
}

}  // namespace entente::policy
