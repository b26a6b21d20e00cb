// `entente policy explain FILE|URL`: the contract as sentences, which of them this software enforces, which it refuses
// and why. The file is a plan, or ODRL as JSON: an offer, agreement or set, a dataset, a catalogue, a message.
#pragma once

#include <string>

#include "commands/environment.hpp"

namespace entente::commands {

// exit_done when every policy is enforced, exit_policy when one is refused.
int explain_policy(const std::string& source, bool json, Environment& environment);

}  // namespace entente::commands
