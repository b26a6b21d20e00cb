#include "entente/policy/policy.hpp"

#include <algorithm>

#include "entente/base/json_text.hpp"
#include "entente/policy/evaluate.hpp"
#include "terms.hpp"
#include "vocabulary.hpp"

namespace entente::policy {
namespace {

std::string constraint_json(const Constraint& constraint) {
    std::string right;
    if (constraint.right_operand.size() == 1 && constraint.op != "isAnyOf") {
        right = json_text(constraint.right_operand.front());
    } else {
        for (const std::string& value : constraint.right_operand) right += (right.empty() ? "" : ",") + json_text(value);
        right = "[" + right + "]";
    }
    return "{\"leftOperand\":" + json_text(constraint.left_operand) + ",\"operator\":" + json_text(constraint.op) +
           ",\"rightOperand\":" + right + "}";
}

std::string rule_json(const Rule& rule) {
    std::string json = "{\"action\":" + json_text(rule.action);
    if (!rule.constraints.empty()) {
        std::string list;
        for (const Constraint& c : rule.constraints) list += (list.empty() ? "" : ",") + constraint_json(c);
        json += rule.constraints.size() == 1 ? ",\"constraint\":[" + list + "]" : ",\"constraint\":[{\"and\":[" + list + "]}]";
    }
    return json + "}";
}

void append_rules(std::string& json, const char* member, const std::vector<Rule>& rules) {
    if (rules.empty()) return;
    std::string list;
    for (const Rule& rule : rules) list += (list.empty() ? "" : ",") + rule_json(rule);
    json += ",\"" + std::string(member) + "\":[" + list + "]";
}

Term term_of(std::string sentence, std::string operand, std::string value, const Verdict& verdict) {
    return {std::move(sentence), std::move(operand), std::move(value), verdict.permitted, verdict.code, verdict.sentence};
}

Term explain(const Constraint& c, bool in_obligation) {
    std::string value;
    for (const std::string& v : c.right_operand) value += (value.empty() ? "" : ", ") + v;
    const Verdict verdict = check_constraint(c, in_obligation);
    const TermRow* row = find_term(c.left_operand);
    if (row == nullptr) {
        return term_of("A term that this software does not know: " + c.left_operand + ". It will be refused.", c.left_operand,
                       std::move(value), verdict);
    }
    return term_of(row->sentence(c), c.left_operand, std::move(value), verdict);
}

}  // namespace

Policy federation_policy(std::vector<Constraint> constraints) {
    Policy policy;
    policy.profiles.emplace_back(profile);
    policy.permissions.push_back(Rule{action::use, std::move(constraints)});
    return policy;
}

std::string to_odrl_json(const Policy& policy, const JsonFrame& frame) {
    std::string json = "{\"@context\":\"http://www.w3.org/ns/odrl.jsonld\",\"@type\":" + json_text(frame.type) +
                       ",\"@id\":" + json_text(frame.id);
    if (policy.profiles.size() == 1) {
        json += ",\"profile\":" + json_text(policy.profiles.front());
    } else if (!policy.profiles.empty()) {
        std::string list;
        for (const std::string& p : policy.profiles) list += (list.empty() ? "" : ",") + json_text(p);
        json += ",\"profile\":[" + list + "]";
    }
    if (!frame.target.empty()) json += ",\"target\":" + json_text(frame.target);
    if (!frame.assigner.empty()) json += ",\"assigner\":" + json_text(frame.assigner);
    if (!frame.assignee.empty()) json += ",\"assignee\":" + json_text(frame.assignee);
    if (!frame.timestamp.empty()) json += ",\"timestamp\":" + json_text(frame.timestamp);
    append_rules(json, "permission", policy.permissions);
    append_rules(json, "prohibition", policy.prohibitions);
    append_rules(json, "obligation", policy.obligations);
    return json + "}";
}

std::vector<Term> explain(const Policy& policy) {
    std::vector<Term> terms;
    const auto refused = [&terms](const char* code, const std::string& what, std::string operand) {
        terms.push_back(Term{"A part of the contract that this software does not know: " + what + ". It will be refused.",
                             std::move(operand), {}, false, code, "expected only parts that this software understands, found " + what});
    };
    for (const Rule& rule : policy.permissions) {
        if (canonical_action(rule.action) != action::use) refused("policy.unknown-action", "permission to " + rule.action, rule.action);
        for (const Constraint& constraint : rule.constraints) terms.push_back(explain(constraint, false));
    }
    for (const Rule& rule : policy.prohibitions) {
        const std::uint32_t forbidden = forbidden_by(rule.action);
        if (forbidden == 0) {
            refused("policy.unknown-action", "prohibition of " + rule.action, rule.action);
            continue;
        }
        const char* sentence = forbidden == operation::distribute ? "It must not be passed on to anybody else."
                                                                  : "Nothing else may be made from it.";
        terms.push_back(term_of(sentence, canonical_action(rule.action), {}, check_prohibition(rule)));
    }
    for (const Rule& rule : policy.obligations) {
        if (canonical_action(rule.action) != action::erase || rule.constraints.empty()) {
            refused("policy.unknown-action", "obligation to " + rule.action, rule.action);
        }
        for (const Constraint& constraint : rule.constraints) terms.push_back(explain(constraint, true));
    }
    for (const std::string& member : policy.unread) refused("policy.shape", member, member);
    const bool all_enforced = std::all_of(terms.begin(), terms.end(), [](const Term& t) { return t.enforced; });
    if (const Verdict whole = check_shape(policy); all_enforced && !whole.permitted) {
        terms.push_back(term_of("The contract as a whole will be refused: " + whole.sentence + ".", whole.operand, {}, whole));
    }
    return terms;
}

}  // namespace entente::policy
