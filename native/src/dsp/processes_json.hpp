// Negotiations and transfers as people look at them: state, history, reason, the latest error of either side.
#pragma once

#include <string>

#include "connectors/dsp/node.hpp"

namespace entente::native {

// {"negotiations":[…],"transfers":[…]}, latest first, at most `most` of each.
std::string processes_json(const dsp::Node& node, std::size_t most = 200);

}  // namespace entente::native
