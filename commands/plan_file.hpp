// A plan from a file: TOML as people write it, or a signed plan envelope as it travels.
#pragma once

#include <string>

#include "commands/environment.hpp"
#include "entente/plan/plan.hpp"

namespace entente::commands {

// An empty path gives the default plan. Errors of read_file, read_plan_toml and the codec. The
// file of a task on tables lies beside the plan.
Result<plan::Plan> read_plan_file(const std::string& path, Environment& environment);

// The plan inside a signed envelope whose digest and signature hold. `signer`, when given, receives whose it is.
Result<plan::Plan> open_plan_envelope(ByteView envelope, codec::PublicKey* signer = nullptr);

}  // namespace entente::commands
