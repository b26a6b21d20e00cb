// entente login: signs in at an identity provider, for the commands that ask the coordinator afterwards.
#pragma once

#include <string>

#include "cli/session.hpp"
#include "commands/environment.hpp"

namespace entente::native {

struct LoginOptions {
    Session wanted{.url = "http://127.0.0.1:8443", .issuer = {}, .client_secret_file = {}, .scope = "openid", .resource = {}, .ca_file = {}};
    std::string state_folder = "entente-operator";
    bool json = false;
};

int login(const LoginOptions& options, commands::Environment& environment);

}  // namespace entente::native
