// entente invite: the operator makes a one-time join code.
#pragma once

#include <cstdint>
#include <string>

#include "commands/environment.hpp"

namespace entente::native {

struct InviteOptions {
    std::string participant;
    std::string name;
    std::string role = "partner";
    std::string url = "http://127.0.0.1:8443";
    std::string ca_file;
    std::string token_file;  // else ENTENTE_TOKEN, else
    std::string state_folder = "entente-operator";  // where entente login has signed in
    std::uint64_t valid_s = 7 * 24 * 3600;
    bool json = false;
};

int invite(const InviteOptions& options, commands::Environment& environment);

}  // namespace entente::native
