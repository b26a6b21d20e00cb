// Envelopes on disk, named by their SHA-256: blobs/<64 digits>.
//
//   ENTENTE_ASSIGN(auto upload, blobs.begin(size));
//   ENTENTE_TRY(upload.append(piece));  …
//   ENTENTE_ASSIGN(Digest blob, upload.finish());      // fsync, rename, fsync of the folder
//
// Thread-safety: begin() and open() from several threads; an Upload belongs to one.
#pragma once

#include <filesystem>
#include <functional>

#include "base/files.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::native {

class BlobStore {
public:
    class Upload {
    public:
        Status append(ByteView piece);
        // All that the source has, in pieces: what is stored may be larger than this process may become.
        Status take(contract::ByteSource& source);
        [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
        Result<Digest> finish();

    private:
        friend class BlobStore;
        Upload(FileWriter writer, std::filesystem::path folder) : writer_(std::move(writer)), folder_(std::move(folder)) {}
        FileWriter writer_;
        std::filesystem::path folder_;
        codec::Sha256 hash_;
        std::uint64_t size_ = 0;
    };

    // Makes the folders, empties what uploads left behind. permission_denied "file.unwritable", no_space.
    static Result<BlobStore> open(const std::filesystem::path& folder);

    Result<Upload> begin(std::uint64_t expected_bytes);
    Result<Digest> put(ByteView bytes);
    [[nodiscard]] Result<std::shared_ptr<contract::ByteSource>> open_blob(const Digest& blob, std::uint64_t offset = 0) const;
    [[nodiscard]] bool has(const Digest& blob) const;
    bool remove(const Digest& blob) noexcept;  // false: it is still there; one that never was is no failure
    // That what was removed does not come back with a power cut.
    [[nodiscard]] Status settle() const;
    // Removes what nobody names any more; files that are no blobs stay.
    Status keep_only(const std::function<bool(const Digest&)>& named);
    [[nodiscard]] std::filesystem::path path_of(const Digest& blob) const;

private:
    explicit BlobStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
    std::filesystem::path folder_;
};

}  // namespace entente::native
