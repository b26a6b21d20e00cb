// The data space's objects as canonical bytes (bounded cereal; docs/wire-format.md): what the hub carries over
// HTTP, the folder keeps in files and the stores keep in rows. Decoders are bounded and accept only what the
// encoders write: invalid_argument "wire.malformed".
//
//   Bytes body = encode(agreement);
//   Result<Agreement> back = decode_agreement(body);
#pragma once

#include "entente/contract/connector.hpp"

namespace entente::contract {

// All that a participant may see of the exchange at one moment: the answer to one poll.
struct HubView {
    Catalog catalog;                       // what others offer to it
    std::optional<Version> own_version;    // what its own update stream offers now
    std::vector<Agreement> own_agreements; // over its own update stream
    std::vector<Transfer> own_transfers;   // of its own update stream

    friend bool operator==(const HubView& a, const HubView& b) {
        return a.catalog.entries == b.catalog.entries && a.catalog.cursor == b.catalog.cursor &&
               a.own_version == b.own_version && a.own_agreements == b.own_agreements &&
               a.own_transfers == b.own_transfers;
    }
};

struct Publication {
    Asset asset;
    SignedOffer offer;

    friend bool operator==(const Publication&, const Publication&) = default;
};

Bytes encode(const HubView& view);
Bytes encode(const Publication& publication);
Bytes encode(const CatalogEntry& entry);
Bytes encode(const Agreement& agreement);
Bytes encode(const TransferRequest& request);
Bytes encode(const Transfer& transfer);
Bytes encode(const Outcome& outcome);
Bytes encode(const Version& version);

Result<HubView> decode_hub_view(ByteView bytes);
Result<Publication> decode_publication(ByteView bytes);
Result<CatalogEntry> decode_catalog_entry(ByteView bytes);
Result<Agreement> decode_agreement(ByteView bytes);
Result<TransferRequest> decode_transfer_request(ByteView bytes);
Result<Transfer> decode_transfer(ByteView bytes);
Result<Outcome> decode_outcome(ByteView bytes);
Result<Version> decode_version(ByteView bytes);

}  // namespace entente::contract
