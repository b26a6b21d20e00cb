// What the ledger's envelopes are, by their digests: nothing else that lies in the data folder is ever shown.
//
//   LedgerBlobs blobs(store);
//   ENTENTE_ASSIGN(LedgerBlobs::Kind kind, blobs.find(digest));   // not_found "blob.unknown"
//
// Reads of the ledger what is new at each question. One strand.
#pragma once

#include <map>

#include "store/state_store.hpp"

namespace entente::native {

class LedgerBlobs {
public:
    enum class Kind : std::uint8_t { update, model, memory };

    explicit LedgerBlobs(StateStore& store) : store_(store) {}
    Result<Kind> find(const Digest& blob);

private:
    StateStore& store_;
    std::uint64_t seen_ = 0;  // entries
    std::map<Digest, Kind> kinds_;
};

}  // namespace entente::native
