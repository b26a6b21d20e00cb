#include "commands/policy_toml.hpp"

#include <limits>

#include "entente/base/json_text.hpp"

namespace entente::commands {
namespace {

constexpr std::uint32_t any32 = std::numeric_limits<std::uint32_t>::max();

// In the order of the bits of policy::operation.
const std::vector<std::string_view> operations{"aggregate", "evaluate", "train", "export"};

void read_operations(TomlTable& table, std::string_view key, std::uint32_t& target) {
    table.choices(key, operations, [&target](const std::vector<std::size_t>& indices) {
        target = 0;
        for (const std::size_t index : indices) target |= 1u << index;
    });
}

std::string list_of(std::uint32_t chosen) {
    std::string list;
    for (std::size_t i = 0; i < operations.size(); ++i) {
        if ((chosen >> i & 1u) != 0) list += (list.empty() ? "\"" : ", \"") + std::string(operations[i]) + "\"";
    }
    return "[" + list + "]";
}

}  // namespace

void read_policy(TomlTable table, plan::ContractTerms& t) {
    table.number<std::uint32_t>("min_cohort_size", t.min_cohort_size, 1, any32);
    table.number<std::uint32_t>("max_rounds", t.max_rounds, 1, any32);
    table.number<std::uint32_t>("valid_days", t.valid_days, 1, any32);
    table.text("valid_from", t.valid_from);
    table.text("valid_until", t.valid_until);
    read_operations(table, "updates_may", t.updates_may);
    read_operations(table, "model_may", t.model_may);
    table.boolean("redistribution", t.redistribution);
    table.number<std::uint32_t>("delete_after_days", t.delete_after_days, 0, any32);
    if (table.has("valid_days") && table.has("valid_until")) {
        table.refuse("valid_until", "policy", "expected valid_days or valid_until, found both");
    }
    // A promise that nobody keeps is worse than none.
    for (const char* key : {"epsilon_budget", "delta", "clipping_norm", "secure_aggregation"}) {
        table.refuse(key, "policy", "this software cannot enforce it yet, so a plan cannot promise it; leave it out");
    }
}

std::vector<std::pair<const char*, std::string>> policy_lines(const plan::ContractTerms& t) {
    std::vector<std::pair<const char*, std::string>> lines{{"min_cohort_size", std::to_string(t.min_cohort_size)},
                                                           {"max_rounds", std::to_string(t.max_rounds)}};
    if (!t.valid_from.empty()) lines.emplace_back("valid_from", json_text(t.valid_from));
    if (t.valid_until.empty()) {
        lines.emplace_back("valid_days", std::to_string(t.valid_days));
    } else {
        lines.emplace_back("valid_until", json_text(t.valid_until));
    }
    lines.emplace_back("updates_may", list_of(t.updates_may));
    lines.emplace_back("model_may", list_of(t.model_may));
    lines.emplace_back("redistribution", t.redistribution ? "true" : "false");
    lines.emplace_back("delete_after_days", std::to_string(t.delete_after_days));
    return lines;
}

}  // namespace entente::commands
