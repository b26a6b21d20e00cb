// entente inspect FILE: what an envelope, a ledger, a plan or a safetensors file says, and whether it holds.
#pragma once

#include <string>

#include "commands/environment.hpp"

namespace entente::commands {

int inspect(const std::string& file, bool json, Environment& environment);

}  // namespace entente::commands
