// Files, durably: what write_file() and sync_directory() have returned for survives a power cut. A disk that fails to sync ends
// the process.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/contract/connector.hpp"

namespace entente::native {

// The Error of a failed system call: no_space "disk.full", permission_denied "file.unwritable" or "file.unreadable",
// not_found "file.missing", else internal "file.failed".
Error system_error(int number, const std::string& what, bool writing);

// Says why on standard error and ends the process with exit code 1. Behind a failed fsync nothing can be trusted: the kernel
// takes the pages for written, and the next fsync says that all is well.
[[noreturn]] void sync_failed(const std::string& what);

// open(2), again whenever a signal interrupts it: the descriptor, or -1 and errno.
int open_descriptor(const std::filesystem::path& path, int flags, unsigned mode = 0) noexcept;

// "file.missing", "file.unreadable", too_large "file.too-large".
Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t limit_bytes);
Result<std::string> read_text_file(const std::filesystem::path& path, std::uint64_t limit_bytes = 1024 * 1024);
// `path`, or `path`.gz decompressed. invalid_argument "file.gzip" for a damaged one.
Result<Bytes> read_maybe_gzip(const std::string& path, std::uint64_t limit_bytes);

// Temporary file beside it, fsync, rename, fsync of the folder. The old content stays until the new one is whole.
Status write_file(const std::filesystem::path& path, ByteView bytes, unsigned mode = 0644);
Status sync_directory(const std::filesystem::path& directory);
// What write_file() leaves in `folder` and below when its process is killed; not in folders of that name in it.
Status drop_temporaries(const std::filesystem::path& folder, std::initializer_list<std::string_view> except = {});
// With its parents where there are none; each that is made is on disk.
Status make_directory(const std::filesystem::path& directory);

// A file that is being written. Removed when it goes away without keep().
class FileWriter {
public:
    static Result<FileWriter> create(const std::filesystem::path& path, unsigned mode = 0644);
    FileWriter(FileWriter&& other) noexcept;
    FileWriter& operator=(FileWriter&& other) noexcept;
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;
    ~FileWriter();

    // Claims the room on the disk before anything is written: no_space "disk.full".
    Status reserve(std::uint64_t bytes);
    Status write(ByteView bytes);
    // fsync, rename to `path`, fsync of the folder.
    Status keep(const std::filesystem::path& path);

private:
    FileWriter(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}
    int fd_ = -1;
    std::filesystem::path path_;
};

// Reads a file piece by piece; it stays readable when its name disappears.
Result<std::shared_ptr<contract::ByteSource>> open_file(const std::filesystem::path& path, std::uint64_t offset = 0);

// From the operating system.
Bytes random_bytes(std::size_t count);

std::int64_t now_ms();        // since 1970
std::int64_t monotonic_ms();  // for durations

}  // namespace entente::native
