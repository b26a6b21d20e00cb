// entente migrate: in which format a stopped coordinator's or partner's folder is, and into another one, forward or back.
#pragma once

#include <cstdint>
#include <string>

#include "commands/environment.hpp"

namespace entente::native {

struct MigrateOptions {
    std::string folder;
    std::int64_t to = 0;  // 0: only say
    bool json = false;
};

int migrate(const MigrateOptions& options, commands::Environment& environment);

}  // namespace entente::native
