// The plan's terms, checked and said in ODRL.
#include "checks.hpp"

namespace entente::plan {
namespace {

using policy::Constraint;
using policy::Policy;
namespace operand = policy::operand;
namespace operation = policy::operation;

Status check_instant(const char* key, const std::string& text) {
    if (text.empty() || policy::parse_instant_ms(text)) return done();
    return refuse("plan.policy", std::string(key) + ": expected an instant like 2027-01-31T00:00:00Z, found \"" + text + "\"");
}

std::vector<std::string> words_of(std::uint32_t operations) {
    std::vector<std::string> words;
    if ((operations & operation::aggregate) != 0) words.emplace_back("aggregate");
    if ((operations & operation::evaluate) != 0) words.emplace_back("evaluate");
    if ((operations & operation::train) != 0) words.emplace_back("train");
    if ((operations & operation::export_model) != 0) words.emplace_back("export");
    return words;
}

// What both directions promise: what a partner gives is bound as what it gets.
Policy terms_of(const Plan& plan, std::uint32_t operations) {
    const ContractTerms& c = plan.contract;
    std::vector<Constraint> terms{
        {operand::purpose, "eq", {federation_iri(plan)}},
        {operand::allowed_operation, "isAnyOf", words_of(operations)},
        {operand::min_cohort_size, "gteq", {std::to_string(c.min_cohort_size)}},
        {operand::max_rounds, "lteq", {std::to_string(c.max_rounds)}},
        {operand::model_schema_hash, "eq", {"sha256:" + to_hex(schema_digest(plan))}},
    };
    if (!c.valid_from.empty()) terms.push_back({operand::in_force_date, "gteq", {c.valid_from}});
    terms.push_back({operand::in_force_date, "lteq",
                     {c.valid_until.empty() ? "contractAgreement+" + std::to_string(c.valid_days) + "d" : c.valid_until}});
    Policy policy = policy::federation_policy(std::move(terms));
    if (!c.redistribution) policy.prohibitions.push_back({policy::action::distribute, {}});
    return policy;
}

}  // namespace

Status check_contract(const Plan& plan) {
    const ContractTerms& c = plan.contract;
    ENTENTE_TRY(in_range<std::uint32_t>("policy.min_cohort_size", c.min_cohort_size, 1, plan.aggregation.max_participants));
    ENTENTE_TRY(in_range<std::uint32_t>("policy.max_rounds", c.max_rounds, 1, 10'000'000));
    ENTENTE_TRY(in_range<std::uint32_t>("policy.valid_days", c.valid_days, 1, 36'500));
    ENTENTE_TRY(in_range<std::uint32_t>("policy.delete_after_days", c.delete_after_days, 0, 36'500));
    ENTENTE_TRY(check_instant("policy.valid_from", c.valid_from));
    ENTENTE_TRY(check_instant("policy.valid_until", c.valid_until));
    // Of this one form, text in order is time in order.
    if (!c.valid_from.empty() && !c.valid_until.empty() && c.valid_from >= c.valid_until) {
        return refuse("plan.policy", "policy.valid_until: expected an instant after " + c.valid_from + ", found " + c.valid_until);
    }
    const std::uint32_t updates = operation::aggregate | operation::evaluate;
    const std::uint32_t model = operation::train | operation::evaluate | operation::export_model;
    if ((c.updates_may & ~updates) != 0 || (c.updates_may & update_operations) != update_operations) {
        return refuse("plan.policy", "policy.updates_may: expected aggregate, which a round does, and perhaps evaluate");
    }
    if ((c.model_may & ~model) != 0 || (c.model_may & model_operations) != model_operations) {
        return refuse("plan.policy", "policy.model_may: expected train and evaluate, which a partner does, and perhaps export");
    }
    if (c.max_rounds < plan.round.rounds) {
        return refuse("plan.range", "policy.max_rounds: expected at least round.rounds (" + std::to_string(plan.round.rounds) +
                                        "), found " + std::to_string(c.max_rounds));
    }
    return done();
}

Policy update_policy(const Plan& plan) {
    Policy policy = terms_of(plan, plan.contract.updates_may);
    const std::string keep = "P" + std::to_string(plan.contract.delete_after_days) + "D";
    policy.obligations.push_back({policy::action::erase, {{operand::retention, "lteq", {keep}}}});
    return policy;
}

Policy model_policy(const Plan& plan) { return terms_of(plan, plan.contract.model_may); }

}  // namespace entente::plan
