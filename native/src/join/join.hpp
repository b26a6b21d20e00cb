// entente join: a partner. Two threads: this one talks, the other trains (a third scores models when there is time).
#pragma once

#include "cli/native_environment.hpp"
#include "join/partner_config.hpp"

namespace entente::native {

int join(const PartnerConfig& config, NativeEnvironment& environment);

}  // namespace entente::native
