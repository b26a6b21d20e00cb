// What becomes of a partner's updates when its agreement ends: which models they are in, and that they are stored no more. Out of
// the ledger.
//
//   ENTENTE_ASSIGN(const Withdrawal w, withdrawal_of(store, "plant-a"));
#pragma once

#include "store/state_store.hpp"

namespace entente::native {

struct Withdrawal {
    std::vector<std::uint64_t> rounds;   // whose model an update of it is in
    std::vector<std::uint64_t> deleted;  // of which its update is not stored any more
    std::uint64_t counting = 0;          // the open round that still counts one, which is deleted with it; 0: none
};

Result<Withdrawal> withdrawal_of(StateStore& store, const std::string& participant);
std::string json_of(const Withdrawal& withdrawal);

}  // namespace entente::native
