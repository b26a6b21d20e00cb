// entente simulate --task: a federation of partners who bring tables, beside each of them alone and all of them pooled.
#pragma once

#include "commands/environment.hpp"
#include "commands/simulate.hpp"

namespace entente::commands {

int simulate_tables(const SimulateOptions& options, Environment& environment);

}  // namespace entente::commands
