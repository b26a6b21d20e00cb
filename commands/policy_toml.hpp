// The table [policy] of a plan: the contract's terms for people who are no programmers.
//
//   read_policy(root.table("policy"), plan.contract);
//   for (const auto& [key, value] : policy_lines(plan.contract)) ...   // as they are written
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "commands/toml_table.hpp"
#include "entente/plan/plan.hpp"

namespace entente::commands {

void read_policy(TomlTable table, plan::ContractTerms& terms);
std::vector<std::pair<const char*, std::string>> policy_lines(const plan::ContractTerms& terms);  // keys and TOML values

}  // namespace entente::commands
