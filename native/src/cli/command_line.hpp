#pragma once

#include <string>
#include <vector>

namespace entente::native {

// The whole command line of `entente`, without the program's name. Returns the exit code.
int command_line(const std::vector<std::string>& args);

}  // namespace entente::native
