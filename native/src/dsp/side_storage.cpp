#include "dsp/side_storage.hpp"

#include <algorithm>

#include "base/files.hpp"

namespace entente::native {

using namespace contract;

Result<SideStorage> SideStorage::open(const std::filesystem::path& folder) {
    ENTENTE_TRY(make_directory(folder));
    ENTENTE_ASSIGN(StateStore store, StateStore::open((folder / "exchange.db").string()));
    ENTENTE_ASSIGN(BlobStore blobs, BlobStore::open(folder));
    return SideStorage(std::move(store), std::move(blobs));
}

Result<Exchange> SideStorage::load(const std::string& federation) {
    ENTENTE_ASSIGN(const std::vector<round::Entry> entries, store_.ledger());
    for (const round::Entry& entry : entries) {
        if (const auto* decision = std::get_if<round::PolicyDecided>(&entry.record.body)) decisions_.is_news(*decision);
    }
    if (!entries.empty()) last_entry_ = entries.back();
    ENTENTE_ASSIGN(auto snapshot, store_.snapshot());
    if (!snapshot) return Exchange(federation);
    contents_ = std::move(snapshot->contents);
    return Exchange::deserialize(snapshot->exchange);
}

Result<Digest> SideStorage::blob_of(const std::string& asset, const Version& version) const {
    const auto it = contents_.find(asset);
    if (it != contents_.end() && it->second.version == version) return it->second.blob;
    return Error{Code::not_found, "connector.no-content", "no content of " + asset + " in this version"};
}

Result<std::shared_ptr<ByteSource>> SideStorage::open(const std::string& asset, const Version& version) {
    ENTENTE_ASSIGN(const Digest blob, blob_of(asset, version));
    return blobs_.open_blob(blob);
}

Status SideStorage::keep(const std::string& asset, const Version& version, ByteSource& content) {
    ENTENTE_ASSIGN(auto upload, blobs_.begin(version.size_bytes));
    ENTENTE_TRY(upload.take(content));
    if (upload.size() != version.size_bytes) {
        return Error{Code::invalid_argument, "connector.size", "expected " + std::to_string(version.size_bytes) + " bytes, found " +
                                                                   std::to_string(upload.size())};
    }
    ENTENTE_ASSIGN(const Digest blob, upload.finish());
    before_ = contents_.contains(asset) ? std::optional(contents_[asset].blob) : std::nullopt;
    contents_[asset] = {version, blob};
    return done();
}

Status SideStorage::save(const Exchange& exchange, bool) {
    ENTENTE_TRY(std::exchange(recorded_, done()));
    ENTENTE_TRY(store_.save({exchange.serialize(), contents_}));
    if (!before_) return done();
    const Digest old = *std::exchange(before_, std::nullopt);
    const bool used = std::any_of(contents_.begin(), contents_.end(), [&old](const auto& row) { return row.second.blob == old; });
    if (!used) blobs_.remove(old);
    return done();
}

void SideStorage::record(const Decision& d) {
    round::PolicyDecided line = round::decided(d.point, d.agreement, d.participant, d.round, d.verdict);
    if (!decisions_.is_news(line)) return;
    round::Entry entry = round::chain(last_entry_, {now_ms(), std::move(line)});
    if (const Status written = store_.append({entry}, nullptr); written.ok()) last_entry_ = std::move(entry);
    else recorded_ = written;
}

}  // namespace entente::native
