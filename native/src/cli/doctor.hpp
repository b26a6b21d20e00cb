// entente doctor: what this machine and this binary are.
#pragma once

#include "commands/environment.hpp"

namespace entente::native {

int doctor(bool json, commands::Environment& environment);

}  // namespace entente::native
