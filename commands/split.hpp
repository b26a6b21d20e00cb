// entente data split: deals a digits folder into one folder for each partner, so that each holds only its share.
#pragma once

#include <cstdint>
#include <string>

#include "commands/deal.hpp"
#include "commands/environment.hpp"

namespace entente::commands {

struct SplitOptions {
    std::string from;  // the folder with the four IDX files
    std::string to;    // writes <to>/partner-1/train-images-idx3-ubyte and so on
    DealOptions deal;
    std::uint64_t seed = 1;  // the plan's, to hold what `simulate` deals
    bool json = false;
};

int split_data(const SplitOptions& options, Environment& environment);

}  // namespace entente::commands
