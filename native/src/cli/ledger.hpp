// entente ledger: what stands in the books about each partner, every record with its proof.
#pragma once

#include <string>

#include "commands/environment.hpp"

namespace entente::native {

struct LedgerOptions {
    std::string source;   // folder or URL
    std::string partner;  // export the evidence of this one
    std::string token_file;
    std::string ca_file;
    bool json = false;
};

int ledger(const LedgerOptions& options, commands::Environment& environment);

}  // namespace entente::native
