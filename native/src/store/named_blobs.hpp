// Which stored envelopes the books name: what a folder must hold, and what may go.
//
//   const NamedBlobs named = blobs_named_by(ledger, snapshot.contents);
#pragma once

#include <set>

#include "store/state_store.hpp"

namespace entente::native {

struct NamedBlobs {
    std::set<Digest> kept;     // by the ledger: models, and counted updates that were not deleted
    std::set<Digest> offered;  // by the exchange; one that was judged and deleted may be among them
};

NamedBlobs blobs_named_by(const std::vector<round::Entry>& ledger, const std::map<std::string, ContentRow>& contents);

}  // namespace entente::native
