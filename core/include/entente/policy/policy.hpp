// The usage policy of an offer or agreement: the subset of ODRL 2.2 that this software can enforce.
//
// The tree below holds whatever a peer wrote, known or not: reading never drops a term. Whether a policy can be
// accepted is decided in evaluate.hpp, and there everything unknown is refused (fail closed).
//
//   Policy policy = federation_policy({Constraint{operand::min_cohort_size, "gteq", {"2"}}});
//   std::string json = to_odrl_json(policy, {.type = "Offer", .id = "offer:1", .target = "urn:fl:demo:global"});
//
// Plain values; thread-safe like any other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::policy {

inline constexpr std::string_view profile = "https://w3id.org/entente/policy/v1";

namespace action {
inline constexpr const char* use = "use";                                            // of the permission
inline constexpr const char* distribute = "http://www.w3.org/ns/odrl/2/distribute";  // of a prohibition
inline constexpr const char* derive = "http://www.w3.org/ns/odrl/2/derive";          // of a prohibition
inline constexpr const char* erase = "http://www.w3.org/ns/odrl/2/delete";           // of the obligation
}  // namespace action

namespace operand {
inline constexpr const char* purpose = "https://w3id.org/entente/policy/purpose";
inline constexpr const char* allowed_operation = "https://w3id.org/entente/policy/allowedOperation";
inline constexpr const char* min_cohort_size = "https://w3id.org/entente/policy/minCohortSize";
inline constexpr const char* max_rounds = "https://w3id.org/entente/policy/maxRounds";
inline constexpr const char* model_schema_hash = "https://w3id.org/entente/policy/modelSchemaHash";
inline constexpr const char* in_force_date = "https://w3id.org/edc/v0.0.1/ns/inForceDate";
inline constexpr const char* retention = "https://w3id.org/entente/policy/retention";
// Known by name, and refused: what they promise is not built yet.
inline constexpr const char* dp_epsilon_budget = "https://w3id.org/entente/policy/dpEpsilonBudget";
inline constexpr const char* dp_delta = "https://w3id.org/entente/policy/dpDelta";
inline constexpr const char* clipping_norm = "https://w3id.org/entente/policy/clippingNorm";
inline constexpr const char* secure_aggregation = "https://w3id.org/entente/policy/secureAggregation";
}  // namespace operand

struct Constraint {
    std::string left_operand;               // absolute IRI
    std::string op;                         // "eq", "isAnyOf", "gteq", "lteq"
    std::vector<std::string> right_operand; // as written; numbers and dates stay text until they are evaluated

    friend bool operator==(const Constraint&, const Constraint&) = default;
};

struct Rule {
    std::string action;
    std::vector<Constraint> constraints;  // all must hold

    friend bool operator==(const Rule&, const Rule&) = default;
};

struct Policy {
    std::vector<std::string> profiles;
    std::vector<Rule> permissions;
    std::vector<Rule> prohibitions;
    std::vector<Rule> obligations;
    // Members that the reader met and does not know ("permission[0].duty", "or"): their presence refuses the policy.
    std::vector<std::string> unread;

    friend bool operator==(const Policy&, const Policy&) = default;
};

// One permission to `use` under our profile with these constraints.
Policy federation_policy(std::vector<Constraint> constraints);

struct JsonFrame {
    std::string type = "Offer";  // "Offer" | "Agreement"
    std::string id;
    std::string target;
    std::string assigner;  // left out when empty
    std::string assignee;
    std::string timestamp;  // agreements: when it was concluded, ISO 8601 with Z
};
// Compact ODRL JSON, members in a fixed order.
std::string to_odrl_json(const Policy& policy, const JsonFrame& frame);

// One term as a person reads it.
struct Term {
    std::string sentence;   // "At least 3 partners must contribute before a result is published."
    std::string operand;    // the IRI behind it; of a prohibition its action; of what was not read its path
    std::string value;      // the bound as written
    bool enforced = false;  // by this software; otherwise it refuses the whole policy
    std::string code;       // of the refusal, "policy.unknown-operand"; empty when enforced
    std::string reason;     // the refusal's sentence
};
// In plain words, in the order of the policy. A part that is refused says so and why. Where every term is enforced and
// check_shape refuses nevertheless (the profile, two permissions), the last term is that refusal.
std::vector<Term> explain(const Policy& policy);

}  // namespace entente::policy
