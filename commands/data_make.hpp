// entente data make: tables that the project makes itself, a file for each partner.
#pragma once

#include <cstdint>
#include <string>

#include "commands/environment.hpp"

namespace entente::commands {

struct DataMakeOptions {
    std::string story;           // table::story_names()
    std::uint32_t partners = 5;
    std::uint64_t seed = 1;
    std::uint32_t size = 0;      // of each partner: order lines, rows or engines; 0: the story's
    std::string to;              // writes <to>/partner-1/<story>.csv and so on
    bool json = false;
};

int make_data(const DataMakeOptions& options, Environment& environment);

}  // namespace entente::commands
