// Half of verify(agreement): all but the offer's signature, for who has verified that very offer before.
#pragma once

#include "entente/contract/contract.hpp"

namespace entente::contract {

Status verify_acceptance(const Agreement& agreement, const Parties& parties);

}  // namespace entente::contract
