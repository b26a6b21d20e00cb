// Plans as people write them: TOML in, TOML out.
//
//   Result<plan::Plan> plan = read_plan_toml(text, "plan.toml");
//   std::string text = write_plan_toml(plan.value());
//
// A task on tables stands in a file of its own, which `read_task_file` reads, or in [task.table]; written it is always there.
// Keys that are absent keep their default (plan/plan.hpp); a key that is not known is refused, with the nearest one
// that is. The result has passed plan::check. docs/plan.md lists every key.
//
// Errors, invalid_argument: "plan.toml" (not TOML), "plan.unknown-key", "plan.wrong-type", "plan.out-of-range", each
// as "plan.toml:7:3: training.epochs: expected …, found …", and the reasons of plan::check.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "entente/plan/plan.hpp"

namespace entente::commands {

// Reads the task that `[task] file` names; where it is empty the task must be in the plan, as [task.table].
using ReadTask = std::function<Result<task::Task>(const std::string& file)>;

Result<plan::Plan> read_plan_toml(std::string_view text, std::string_view file_name, const ReadTask& read_task_file = {});
std::string write_plan_toml(const plan::Plan& plan);

}  // namespace entente::commands
