// entente verify: does it hold? A data folder, a running coordinator, a receipt, or evidence.
#pragma once

#include <cstdint>
#include <string>

#include "commands/environment.hpp"

namespace entente::native {

struct VerifyOptions {
    std::string what;        // folder, URL or file
    std::int64_t round = 0;  // of a folder or URL, the only one to fold again; 0: all
    std::string key;         // the coordinator's, in hexadecimal digits, for a file or URL
    std::string token_file;  // for a URL; empty: the variable ENTENTE_TOKEN
    std::string ca_file;
    bool json = false;
};

// exit_bad_data when something does not hold.
int verify(const VerifyOptions& options, commands::Environment& environment);

}  // namespace entente::native
