// What a participant learned, as the content that it signs, and what it keeps of it.
#pragma once

#include <span>
#include <vector>

#include "entente/base/philox.hpp"
#include "entente/plan/plan.hpp"

namespace entente::round {

struct UpdateContent {
    Bytes bytes;                // of plan::update_encoding(plan)
    std::uint64_t clipped = 0;  // as in aggregate::Quantised
    std::vector<float> kept;    // the participant's state once this update is counted, [plan::state_length(plan)]
};

// delta: [plan::wire_length(plan)]. settled: the state that this update builds on, [plan::state_length(plan)].
// "update.not-finite".
Result<UpdateContent> make_content(const plan::Plan& plan, std::vector<float> delta, std::span<const float> settled,
                                   PhiloxKey key);

}  // namespace entente::round
