#include "store/blob_store.hpp"

#include <atomic>

namespace entente::native {

namespace fs = std::filesystem;

namespace {

fs::path place(const fs::path& folder, const Digest& blob) {
    return folder / "blobs" / to_hex(blob);
}

}  // namespace

Result<BlobStore> BlobStore::open(const fs::path& folder) {
    std::error_code ignored;
    fs::remove_all(folder / "spool", ignored);
    ENTENTE_TRY(make_directory(folder / "spool"));
    ENTENTE_TRY(make_directory(folder / "blobs"));
    return BlobStore(folder);
}

Result<BlobStore::Upload> BlobStore::begin(std::uint64_t expected_bytes) {
    static std::atomic<std::uint64_t> counter{0};
    const fs::path path = folder_ / "spool" / ("upload-" + std::to_string(counter.fetch_add(1)));
    ENTENTE_ASSIGN(FileWriter writer, FileWriter::create(path, 0600));
    ENTENTE_TRY(writer.reserve(expected_bytes));
    return Upload(std::move(writer), folder_);
}

Status BlobStore::Upload::append(ByteView piece) {
    ENTENTE_TRY(writer_.write(piece));
    hash_.update(piece);
    size_ += piece.size();
    return done();
}

Status BlobStore::Upload::take(contract::ByteSource& source) {
    std::vector<std::byte> buffer(64 * 1024);
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, source.read(buffer));
        if (n == 0) return done();
        ENTENTE_TRY(append(ByteView(buffer).first(n)));
    }
}

Result<Digest> BlobStore::Upload::finish() {
    const Digest blob = hash_.finish();
    ENTENTE_TRY(writer_.keep(place(folder_, blob)));
    return blob;
}

Result<Digest> BlobStore::put(ByteView bytes) {
    ENTENTE_ASSIGN(Upload upload, begin(bytes.size()));
    ENTENTE_TRY(upload.append(bytes));
    return upload.finish();
}

Result<std::shared_ptr<contract::ByteSource>> BlobStore::open_blob(const Digest& blob, std::uint64_t offset) const {
    return open_file(place(folder_, blob), offset);
}

bool BlobStore::has(const Digest& blob) const {
    std::error_code ignored;
    return fs::exists(place(folder_, blob), ignored);
}

bool BlobStore::remove(const Digest& blob) noexcept {
    std::error_code failed;
    fs::remove(place(folder_, blob), failed);
    return !failed;
}

Status BlobStore::settle() const { return sync_directory(folder_ / "blobs"); }

Status BlobStore::keep_only(const std::function<bool(const Digest&)>& named) {
    std::error_code failed;
    std::vector<Digest> unnamed;
    fs::directory_iterator it(folder_ / "blobs", failed);
    while (failed == std::errc::interrupted) it = fs::directory_iterator(folder_ / "blobs", failed);
    for (const fs::directory_iterator end; !failed && it != end; it.increment(failed)) {
        const auto blob = digest_from_hex(it->path().filename().string());
        if (blob.ok() && !named(*blob)) unnamed.push_back(*blob);
    }
    if (failed) return system_error(failed.value(), (folder_ / "blobs").string(), false);
    for (const Digest& blob : unnamed) remove(blob);
    return done();
}

fs::path BlobStore::path_of(const Digest& blob) const { return place(folder_, blob); }

}  // namespace entente::native
