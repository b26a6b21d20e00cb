#pragma once

#include "entente/base/nearest.hpp"

namespace entente::commands {

using entente::nearest;

}  // namespace entente::commands
