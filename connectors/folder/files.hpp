// Files of a shared folder: written so that a reader finds the old one or the whole new one, read so that nothing in
// there can harm the reader. POSIX only; no locks, no mtime, no listing needed.
//
//   ENTENTE_ASSIGN(Directory own, Directory::make(root, "plant-a"));
//   ENTENTE_TRY(own.replace("coordinator.book", bytes, hook));
//   Result<Bytes> text = peer.read("plant-a.book", limit);
//
// Reading never follows a symbolic link below the root, never blocks on a pipe, and asks for the size before it
// allocates. Errors: unavailable "connector.unreachable" when the folder is not there or does not take the bytes,
// no_space "disk.full", not_found "folder.missing", invalid_argument "folder.not-a-file", too_large "folder.too-large".
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "entente/contract/connector.hpp"

namespace entente::folder {

// Asked before every step of a write; true ends the process as far as the folder can tell: nothing is cleaned up.
// For tests of what a crash leaves behind.
using CrashHook = std::function<bool(const char* step)>;

class Directory {
public:
    // The root: may itself be a link, that is its owner's choice.
    static Result<Directory> open_root(const std::string& path);
    // A folder inside; not_found "folder.missing" when it is not there, "folder.not-a-folder" for anything else.
    [[nodiscard]] Result<Directory> open(const std::string& name) const;
    [[nodiscard]] Result<Directory> make(const std::string& name) const;

    Directory(Directory&& other) noexcept;
    Directory& operator=(Directory&& other) noexcept;
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory();

    [[nodiscard]] Result<Bytes> read(const std::string& name, std::uint64_t limit_bytes) const;
    // A file of exactly `size_bytes`, to be read piece by piece; unavailable "folder.incomplete" when it has another size.
    [[nodiscard]] Result<std::shared_ptr<contract::ByteSource>> stream(const std::string& name, std::uint64_t size_bytes) const;
    // Temporary name, write, fsync, rename, fsync of the folder.
    Status replace(const std::string& name, ByteView bytes, const CrashHook& crash) const;
    // The same from a source that must give exactly `size_bytes` (invalid_argument "connector.size"); `digest` becomes
    // the SHA-256 of what was written.
    Status replace(const std::string& name, contract::ByteSource& content, std::uint64_t size_bytes, Digest& digest,
                   const CrashHook& crash) const;
    void remove(const std::string& name) const;
    // At most `most` names, in order; "." and ".." left out.
    [[nodiscard]] Result<std::vector<std::string>> names(std::size_t most) const;

private:
    Directory(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    [[nodiscard]] Result<int> open_plain(const std::string& name, std::uint64_t& size_bytes) const;

    int fd_ = -1;
    std::string path_;  // for messages
};

inline constexpr std::string_view temporary_prefix = ".tmp-";

}  // namespace entente::folder
