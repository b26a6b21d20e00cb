#include "entente/policy/evaluate.hpp"

#include <array>
#include <limits>
#include <utility>

#include "terms.hpp"
#include "values.hpp"
#include "vocabulary.hpp"

namespace entente::policy {
namespace {

constexpr std::size_t max_constraints = 64;

Verdict deny(const char* code, std::string sentence, std::string operand = {}) {
    return Verdict{false, code, std::move(sentence), std::move(operand), {}};
}
Verdict permit() { return Verdict{true, {}, {}, {}, {}}; }

std::string unread_sentence(const std::string& path) {
    for (const std::string_view choice : {"or", "xone", "andSequence"}) {
        if (!path.ends_with("." + std::string(choice)) && !path.ends_with(":" + std::string(choice))) continue;
        return path + ": \"" + std::string(choice) + "\" leaves open what was agreed; expected constraints that all hold";
    }
    return "expected only parts that this software understands, found " + path;
}

// Each term once, but for the two ends of a period.
class Once {
public:
    bool first(const Constraint& c) {
        const TermRow* row = find_term(c.left_operand);
        const bool until = row->operand == operand::in_force_date && c.op == "lteq";
        bool& seen = seen_[static_cast<std::size_t>(row - term_rows().data())][until ? 1 : 0];
        return !std::exchange(seen, true);
    }
    [[nodiscard]] bool has(std::string_view operand) const {
        return seen_[static_cast<std::size_t>(find_term(operand) - term_rows().data())][0];
    }

private:
    std::array<std::array<bool, 2>, 16> seen_{};
};

Verdict check_permission(const Rule& rule, Once& once) {
    if (canonical_action(rule.action) != action::use) {
        return deny("policy.unknown-action", "expected the action use, found \"" + rule.action + "\"");
    }
    Verdict first_refusal = permit();
    for (const Constraint& c : rule.constraints) {
        Verdict verdict = check_constraint(c, false);
        const bool counts = verdict.permitted || verdict.code == "policy.not-enforceable";
        if (counts && !once.first(c)) return deny("policy.shape", "the term appears more than once", c.left_operand);
        if (!verdict.permitted && !counts) return verdict;
        if (!verdict.permitted && first_refusal.permitted) first_refusal = std::move(verdict);
    }
    if (once.has(operand::dp_epsilon_budget) != once.has(operand::dp_delta)) {
        return deny("policy.shape", "expected dpEpsilonBudget and dpDelta together, found one of them",
                    once.has(operand::dp_delta) ? operand::dp_delta : operand::dp_epsilon_budget);
    }
    return first_refusal;
}

Verdict check_obligation(const Rule& rule, Once& once) {
    if (canonical_action(rule.action) != action::erase) {
        return deny("policy.unknown-action", "expected an obligation to delete, found \"" + rule.action + "\"", rule.action);
    }
    if (rule.constraints.size() != 1) {
        return deny("policy.shape", "expected an obligation to delete with one constraint, retention, found " +
                                        std::to_string(rule.constraints.size()),
                    rule.action);
    }
    const Constraint& c = rule.constraints.front();
    if (Verdict verdict = check_constraint(c, true); !verdict.permitted) return verdict;
    if (!once.first(c)) return deny("policy.shape", "the term appears more than once", c.left_operand);
    return permit();
}

Verdict decided(Verdict verdict, const TermRow& row, const Judged& judged) {
    if (judged.outcome == Judged::Outcome::unknown) {
        verdict.permitted = false;
        verdict.code = "policy.missing-fact";
        verdict.sentence = "the " + judged.found + " is not known here, so this term cannot be judged";
        verdict.operand = row.operand;
        return verdict;
    }
    verdict.input += (verdict.input.empty() ? "" : " ") + std::string(short_name(row.operand)) + "=" + judged.found;
    if (judged.outcome == Judged::Outcome::fails) {
        verdict.permitted = false;
        verdict.code = "policy.denied";
        verdict.sentence = "expected " + judged.expected + ", found " + judged.found;
        verdict.operand = row.operand;
    }
    return verdict;
}

// Nobody but the assignee receives it, and nobody passes it on.
Verdict ask_prohibition(Verdict verdict, const Rule& rule, Point point, const Facts& facts) {
    const std::uint32_t forbidden = forbidden_by(rule.action);
    const std::string word(short_name(canonical_action(rule.action)));
    const auto refuse = [&](const char* code, std::string sentence) {
        verdict.permitted = false;
        verdict.code = code;
        verdict.sentence = std::move(sentence);
        verdict.operand = canonical_action(rule.action);
        return verdict;
    };
    if (point == Point::transfer && forbidden == operation::distribute) {
        if (!facts.to_assignee) return refuse("policy.missing-fact", "the recipient is not known here, so this term cannot be judged");
        if (!*facts.to_assignee) return refuse("policy.denied", "expected the agreement's assignee as the recipient, found somebody else");
        verdict.input += std::string(verdict.input.empty() ? "" : " ") + "distribute=assignee";
    }
    if (point == Point::release) {
        if (!facts.operations) return refuse("policy.missing-fact", "the operation is not known here, so this term cannot be judged");
        if ((*facts.operations & forbidden) != 0) return refuse("policy.denied", "expected anything but to " + word + " it, found that");
    }
    return verdict;
}

}  // namespace

std::string_view to_string(Point point) noexcept {
    switch (point) {
        case Point::catalog: return "catalog";
        case Point::negotiation: return "negotiation";
        case Point::transfer: return "transfer";
        case Point::monitor: return "monitor";
        case Point::ingest: return "ingest";
        case Point::release: return "release";
    }
    return "unknown";
}

Status Verdict::status() const {
    if (permitted) return done();
    const std::string term = operand.empty() ? std::string() : std::string(short_name(operand)) + ": ";
    return Error{Code::permission_denied, code, term + sentence};
}

Verdict check_shape(const Policy& policy) {
    if (policy.profiles.size() != 1 || policy.profiles.front() != profile) {
        return deny("policy.unknown-profile", "expected the profile " + std::string(profile) + ", found " +
                                                  (policy.profiles.empty() ? "none" : policy.profiles.front()));
    }
    if (!policy.unread.empty()) return deny("policy.shape", unread_sentence(policy.unread.front()), policy.unread.front());
    if (policy.permissions.size() != 1) {
        return deny("policy.shape", "expected exactly one permission, found " + std::to_string(policy.permissions.size()));
    }
    std::size_t constraints = policy.permissions.front().constraints.size();
    for (const Rule& rule : policy.obligations) constraints += rule.constraints.size();
    if (constraints > max_constraints) {
        return deny("policy.shape", "expected at most 64 terms, found " + std::to_string(constraints));
    }
    Once once;
    if (Verdict verdict = check_permission(policy.permissions.front(), once); !verdict.permitted) return verdict;
    std::uint32_t forbidden = 0;
    for (const Rule& rule : policy.prohibitions) {
        if (Verdict verdict = check_prohibition(rule); !verdict.permitted) return verdict;
        if ((forbidden & forbidden_by(rule.action)) != 0) return deny("policy.shape", "the prohibition appears more than once", rule.action);
        forbidden |= forbidden_by(rule.action);
    }
    for (const Rule& rule : policy.obligations) {
        if (Verdict verdict = check_obligation(rule, once); !verdict.permitted) return verdict;
    }
    return permit();
}

Verdict evaluate(const Policy& policy, Point point, const Facts& facts) {
    Verdict verdict = check_shape(policy);
    if (!verdict.permitted) return verdict;
    const auto ask = [&](const Rule& rule) {
        for (const Constraint& constraint : rule.constraints) {
            const TermRow& row = *find_term(constraint.left_operand);
            if ((row.points & at(point)) != 0) verdict = decided(std::move(verdict), row, row.judge(constraint, facts));
            if (!verdict.permitted) return;
        }
    };
    ask(policy.permissions.front());
    for (std::size_t i = 0; verdict.permitted && i < policy.prohibitions.size(); ++i) {
        verdict = ask_prohibition(std::move(verdict), policy.prohibitions[i], point, facts);
    }
    for (std::size_t i = 0; verdict.permitted && i < policy.obligations.size(); ++i) ask(policy.obligations[i]);
    return verdict;
}

Verdict permits(const Policy& policy, std::uint32_t operations) {
    if (Verdict verdict = check_shape(policy); !verdict.permitted) return verdict;
    Policy narrow = policy;
    std::erase_if(narrow.permissions.front().constraints,
                  [](const Constraint& c) { return c.left_operand != operand::allowed_operation; });
    Facts facts;
    facts.operations = operations;
    return evaluate(narrow, Point::release, facts);
}

Window window_of(const Policy& policy, std::int64_t agreed_at_ms) {
    Window window{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                  std::numeric_limits<std::uint64_t>::max()};
    for (const Constraint& c : policy.permissions.front().constraints) {
        if (c.left_operand == operand::max_rounds) window.last_round = *parse_count(c.right_operand.front());
        if (c.left_operand != operand::in_force_date) continue;
        (c.op == "gteq" ? window.from_ms : window.until_ms) = parse_date_bound(c.right_operand.front())->at(agreed_at_ms);
    }
    return window;
}

std::int64_t retention_ms(const Policy& policy) {
    std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
    for (const Rule& rule : policy.obligations) {
        for (const Constraint& c : rule.constraints) {
            if (c.left_operand != operand::retention || c.right_operand.empty()) continue;
            shortest = std::min(shortest, parse_duration_ms(c.right_operand.front()).value_or(0));
        }
    }
    return shortest;
}

}  // namespace entente::policy
