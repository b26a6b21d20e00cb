// Plans as people write them: TOML in, TOML out.
//
//   Result<plan::Plan> plan = read_plan_toml(text, "plan.toml");
//   std::string text = write_plan_toml(plan.value());
//
// Keys that are absent keep their default (plan/plan.hpp); a key that is not known is refused, with the nearest one
// that is. The result has passed plan::check. docs/plan.md lists every key.
//
// Errors, invalid_argument: "plan.toml" (not TOML), "plan.unknown-key", "plan.wrong-type", "plan.out-of-range", each
// as "plan.toml:7:3: training.epochs: expected …, found …", and the reasons of plan::check.
#pragma once

#include <string>
#include <string_view>

#include "entente/plan/plan.hpp"

namespace entente::commands {

Result<plan::Plan> read_plan_toml(std::string_view text, std::string_view file_name);
std::string write_plan_toml(const plan::Plan& plan);

}  // namespace entente::commands
