// entente backup, entente restore: a coordinator's data folder, copied while it serves, and back.
#pragma once

#include <string>

#include "commands/environment.hpp"

namespace entente::native {

struct BackupOptions {
    std::string from = "entente-data";
    std::string to;
    bool json = false;
};

int backup(const BackupOptions& options, commands::Environment& environment);
int restore_backup(const BackupOptions& options, commands::Environment& environment);

}  // namespace entente::native
