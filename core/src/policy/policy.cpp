#include "entente/policy/policy.hpp"

#include "entente/policy/evaluate.hpp"
#include "entente/base/json_text.hpp"

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

std::string first_value(const Constraint& constraint) {
    return constraint.right_operand.empty() ? std::string() : constraint.right_operand.front();
}

// "30d" as "30 days".
std::string spelled_out(const std::string& duration) {
    const std::string count = duration.substr(0, duration.size() - 1);
    const char unit = duration.empty() ? ' ' : duration.back();
    const std::string noun = unit == 'd' ? "day" : unit == 'h' ? "hour" : unit == 'm' ? "minute" : "second";
    return count + " " + noun + (count == "1" ? "" : "s");
}

std::string date_sentence(const Constraint& constraint) {
    const std::string value = first_value(constraint);
    const std::string which = constraint.op == "gteq" ? "The agreement starts " : "The agreement ends ";
    constexpr std::string_view relative = "contractAgreement+";
    if (value.starts_with(relative)) {
        if (value == "contractAgreement+0s") return which + "when it is accepted.";
        return which + spelled_out(value.substr(relative.size())) + " after it was accepted.";
    }
    return which + (parse_instant_ms(value) ? "on " + value.substr(0, 10) + " at " + value.substr(11, 5) + " UTC." : "at " + value + ".");
}

Term explain(const Constraint& c) {
    Term term{.sentence = {}, .operand = c.left_operand, .value = first_value(c), .enforced = true};
    if (c.left_operand == operand::purpose) {
        constexpr std::string_view prefix = "urn:fl:federation:";
        const std::string name = term.value.starts_with(prefix) ? term.value.substr(prefix.size()) : term.value;
        term.sentence = "It may be used only for the federation " + name + ".";
    } else if (c.left_operand == operand::min_cohort_size) {
        term.sentence = "At least " + term.value + " partners must contribute before a result is published.";
    } else if (c.left_operand == operand::max_rounds) {
        term.sentence = "It may be used in at most " + term.value + " rounds.";
    } else if (c.left_operand == operand::model_schema_hash) {
        term.sentence = "It is valid for exactly one model layout.";
    } else if (c.left_operand == operand::in_force_date) {
        term.sentence = date_sentence(c);
    } else {
        term.sentence = "A term that this software does not know: " + c.left_operand + ". It will be refused.";
        term.enforced = false;
    }
    return term;
}

}  // namespace

Policy federation_policy(std::vector<Constraint> constraints) {
    Policy policy;
    policy.profiles.emplace_back(profile);
    policy.permissions.push_back(Rule{std::string(action_use), std::move(constraints)});
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
    for (const Rule& rule : policy.permissions) {
        for (const Constraint& constraint : rule.constraints) terms.push_back(explain(constraint));
    }
    const auto not_understood = [&terms](const std::string& what) {
        terms.push_back(Term{"A part of the contract that this software does not know: " + what + ". It will be refused.",
                             what, {}, false});
    };
    for (const Rule& rule : policy.prohibitions) not_understood("prohibition of " + rule.action);
    for (const Rule& rule : policy.obligations) not_understood("obligation to " + rule.action);
    for (const std::string& member : policy.unread) not_understood(member);
    return terms;
}

}  // namespace entente::policy
