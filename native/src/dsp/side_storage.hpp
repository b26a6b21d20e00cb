// The exchange of one participant and its contents, in a folder of its own: exchange.db and the contents beside it.
//
//   ENTENTE_ASSIGN(SideStorage storage, SideStorage::open("plant-a/connector"));
//   ENTENTE_ASSIGN(contract::Exchange exchange, storage.load("digits"));
//   hub::HubSpace space("digits", std::move(exchange), storage, now_ms);
//
// Durable on return. Errors: those of files.hpp, state_store.hpp and blob_store.hpp. One thread.
#pragma once

#include <filesystem>
#include <map>

#include "connectors/hub/hub_space.hpp"
#include "store/blob_store.hpp"
#include "store/state_store.hpp"

namespace entente::native {

class SideStorage final : public hub::Storage {
public:
    static Result<SideStorage> open(const std::filesystem::path& folder);

    // A new exchange when there is none yet.
    Result<contract::Exchange> load(const std::string& federation);
    BlobStore& blobs() { return blobs_; }
    // A policy decision as a line of this participant's own ledger, on disk on return; one like the last is no line. Where
    // that fails, so does the next save(): what was decided has no effect without its line.
    void record(const contract::Decision& decision);
    // Small things beside the exchange, by name.
    StateStore& notes() { return store_; }
    // not_found "connector.no-content"
    [[nodiscard]] Result<Digest> blob_of(const std::string& asset, const contract::Version& version) const;

    Result<std::shared_ptr<contract::ByteSource>> open(const std::string& asset, const contract::Version& version) override;
    Status keep(const std::string& asset, const contract::Version& version, contract::ByteSource& content) override;
    Status save(const contract::Exchange& exchange, bool urgent) override;

private:
    SideStorage(StateStore store, BlobStore blobs) : store_(std::move(store)), blobs_(std::move(blobs)) {}

    StateStore store_;
    BlobStore blobs_;
    std::map<std::string, ContentRow> contents_;
    std::optional<Digest> before_;  // what the asset offered until now
    round::DecisionLog decisions_;
    std::optional<round::Entry> last_entry_;
    Status recorded_ = done();
};

}  // namespace entente::native
