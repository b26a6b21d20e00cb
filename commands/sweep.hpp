// A grid over keys of a plan.
//
//   read_grid({"strategy=fedavg,fedprox", "local.epochs=1,5"})   // four points
//   apply(plan, point)                                           // the plan of one of them
//
// A key is one of docs/plan.md ("training.epochs"); "strategy" stands for aggregation.strategy and "local." for
// "training.". A strategy that is set anew has its own tuned defaults. Errors: "usage.sweep", and those of the plan.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "entente/plan/plan.hpp"

namespace entente::commands {

using SweepPoint = std::vector<std::pair<std::string, std::string>>;  // key and value, as they were written

inline constexpr std::size_t most_points = 256;

// One empty point when there is nothing to vary. The last key varies fastest.
Result<std::vector<SweepPoint>> read_grid(const std::vector<std::string>& terms);
Result<plan::Plan> apply(const plan::Plan& plan, const SweepPoint& point);
std::string label_of(const SweepPoint& point);  // "strategy=fedavg, local.epochs=5"

}  // namespace entente::commands
