// The mathematics of a round's end: from the folded updates to the next model. One function for the coordinator, which makes
// it, and for whoever computes it again (recompute.hpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "entente/aggregate/fold.hpp"
#include "entente/aggregate/strategy.hpp"
#include "entente/plan/plan.hpp"
#include "entente/round/journal.hpp"

namespace entente::round {

// The local steps that the sender reports. "update.steps".
Result<std::uint64_t> steps_of(const std::vector<codec::Measure>& measures);

// Steps `parameters` on, and the strategy's memory. Where `sums` are wanted and still zeros, they are this round's result instead,
// and the parameters stay. REQUIRES: `fold` holds exactly the updates of `accepted`.
Status next_model(const plan::Plan& plan, const aggregate::Fold& fold, const std::map<std::string, UpdateAccepted>& accepted,
                  std::uint64_t population, aggregate::Strategy& strategy, std::vector<float>& parameters, std::vector<float>& sums,
                  Executor& executor);

}  // namespace entente::round
