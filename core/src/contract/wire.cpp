#include "entente/contract/wire.hpp"

#include "serial.hpp"

namespace entente::contract {
namespace {

template <class T>
Result<T> read(ByteView bytes, const char* what) {
    auto value = codec::decode<T>(bytes);
    if (value.ok()) return value;
    return Error{Code::invalid_argument, "wire.malformed", std::string(what) + ": " + value.error().message};
}

}  // namespace

Bytes encode(const HubView& view) { return codec::encode(view); }
Bytes encode(const Publication& publication) { return codec::encode(publication); }
Bytes encode(const CatalogEntry& entry) { return codec::encode(entry); }
Bytes encode(const Agreement& agreement) { return codec::encode(agreement); }
Bytes encode(const TransferRequest& request) { return codec::encode(request); }
Bytes encode(const Transfer& transfer) { return codec::encode(transfer); }
Bytes encode(const Outcome& outcome) { return codec::encode(outcome); }
Bytes encode(const Version& version) { return codec::encode(version); }

Result<HubView> decode_hub_view(ByteView bytes) { return read<HubView>(bytes, "hub view"); }
Result<Publication> decode_publication(ByteView bytes) { return read<Publication>(bytes, "publication"); }
Result<CatalogEntry> decode_catalog_entry(ByteView bytes) { return read<CatalogEntry>(bytes, "catalogue entry"); }
Result<Agreement> decode_agreement(ByteView bytes) { return read<Agreement>(bytes, "agreement"); }
Result<TransferRequest> decode_transfer_request(ByteView bytes) { return read<TransferRequest>(bytes, "transfer request"); }
Result<Transfer> decode_transfer(ByteView bytes) { return read<Transfer>(bytes, "transfer"); }
Result<Outcome> decode_outcome(ByteView bytes) { return read<Outcome>(bytes, "outcome"); }
Result<Version> decode_version(ByteView bytes) { return read<Version>(bytes, "version"); }

}  // namespace entente::contract
