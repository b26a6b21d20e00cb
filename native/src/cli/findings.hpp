// What an examination has found, step by step, as doctor prints it.
//
//   bool good = print({{"Clock", true, "0.2 s off", ""}}, {.width = 11, .json = false}, environment);
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "commands/environment.hpp"

namespace entente::native {

struct Finding {
    std::string step;
    bool good = false;
    std::string found;
    std::string todo;  // empty when it is good
};

struct FindingsForm {
    std::size_t width = 11;  // of the steps' column
    bool json = false;       // one object instead of lines
};

// True when all of them are good.
bool print(const std::vector<Finding>& findings, FindingsForm form, commands::Environment& environment);

}  // namespace entente::native
