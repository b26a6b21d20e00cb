// entente leave: a partner ends its agreements. What is stored of its updates is deleted, and the rounds that they are in are named.
#pragma once

#include "cli/native_environment.hpp"
#include "join/partner_config.hpp"

namespace entente::native {

// Of the configuration: url, state_folder, ca_file, json. Errors beside the coordinator's own: invalid_argument "config.url" for
// a partner by folder; not_found "file.missing" for one that never joined.
int leave(const PartnerConfig& config, NativeEnvironment& environment);

}  // namespace entente::native
