#include "base/files.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace entente::native {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr std::string_view temporary_mark = ".tmp-";

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

Status write_all(int fd, ByteView bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(errno, path.string(), true);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return done();
}

void sync_or_end(int fd, const fs::path& path) {
    while (::fsync(fd) != 0) {
        if (errno != EINTR) sync_failed(path.string() + ": " + std::strerror(errno));
    }
}

class FileSource final : public contract::ByteSource {
public:
    FileSource(int fd, fs::path path) : fd_(fd), path_(std::move(path)) {}

    Result<std::size_t> read(std::span<std::byte> buffer) override {
        for (;;) {
            const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
            if (n >= 0) return static_cast<std::size_t>(n);
            if (errno != EINTR) return system_error(errno, path_.string(), false);
        }
    }

private:
    Descriptor fd_;
    fs::path path_;
};

Result<Bytes> gunzip(const Bytes& packed, const std::string& name, std::uint64_t limit_bytes) {
    z_stream stream{};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) return Error{Code::internal, "file.gzip", name + ": zlib cannot start"};
    Bytes out;
    Bytes buffer(chunk_bytes);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    int state = Z_OK;
    while (state == Z_OK && out.size() <= limit_bytes) {
        stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
        stream.avail_out = static_cast<uInt>(buffer.size());
        state = inflate(&stream, Z_NO_FLUSH);
        out.insert(out.end(), buffer.begin(), buffer.end() - static_cast<std::ptrdiff_t>(stream.avail_out));
    }
    inflateEnd(&stream);
    if (out.size() > limit_bytes) return Error{Code::too_large, "file.too-large", name + ": it unpacks to more than the limit"};
    if (state != Z_STREAM_END) return Error{Code::invalid_argument, "file.gzip", name + ": expected a whole gzip file, found a damaged one"};
    if (stream.avail_in > 0) {
        return Error{Code::invalid_argument, "file.gzip",
                     name + ": expected one gzip member, found " + std::to_string(stream.avail_in) + " bytes behind it"};
    }
    return out;
}

std::vector<fs::path> temporaries_in(const fs::path& folder, std::initializer_list<std::string_view> except, std::error_code& failed) {
    std::vector<fs::path> found;
    for (fs::recursive_directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
        const std::string name = it->path().filename().string();
        const bool directory = it->is_directory(failed);
        if (directory && std::find(except.begin(), except.end(), name) != except.end()) it.disable_recursion_pending();
        if (!directory && name.find(temporary_mark) != std::string::npos) found.push_back(it->path());
    }
    return found;
}

}  // namespace

int open_descriptor(const fs::path& path, int flags, unsigned mode) noexcept {
    for (;;) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
        if (fd >= 0 || errno != EINTR) return fd;
    }
}

void sync_failed(const std::string& what) {
    const std::string sentence = "entente: the disk failed to keep what was written (" + what +
                                 "). This process ends here, so that nothing is acknowledged that may be lost; what was acknowledged before "
                                 "is safe. Look after the disk, then start again\n";
    std::fputs(sentence.c_str(), stderr);
    std::_Exit(EXIT_FAILURE);
}

Error system_error(int number, const std::string& what, bool writing) {
    const std::string message = what + ": " + std::strerror(number);
    switch (number) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG: return {Code::no_space, "disk.full", message + "; nothing was stored, free some space"};
        case EACCES:
        case EPERM:
        case EROFS: return {Code::permission_denied, writing ? "file.unwritable" : "file.unreadable", message};
        case ENOENT: return {Code::not_found, "file.missing", message};
        default: return {Code::internal, "file.failed", message};
    }
}

Result<Bytes> read_file(const fs::path& path, std::uint64_t limit_bytes) {
    const Descriptor fd(open_descriptor(path, O_RDONLY));
    if (fd.get() < 0) return system_error(errno, path.string(), false);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return system_error(errno, path.string(), false);
    if (S_ISDIR(info.st_mode)) return Error{Code::invalid_argument, "file.unreadable", path.string() + ": expected a file, found a folder"};
    const auto too_large = [&](const std::string& found) {
        return Error{Code::too_large, "file.too-large",
                     path.string() + ": expected at most " + std::to_string(limit_bytes) + " bytes, found " + found};
    };
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size > limit_bytes) return too_large(std::to_string(size));
    // To the end and not to the size: a pipe has none, and a file may have grown.
    Bytes bytes;
    bytes.reserve(static_cast<std::size_t>(size));
    Bytes piece(chunk_bytes);
    for (;;) {
        const ssize_t n = ::read(fd.get(), piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(errno, path.string(), false);
        if (n == 0) return bytes;
        if (static_cast<std::uint64_t>(n) > limit_bytes - bytes.size()) return too_large("more");
        bytes.insert(bytes.end(), piece.begin(), piece.begin() + n);
    }
}

Result<std::string> read_text_file(const fs::path& path, std::uint64_t limit_bytes) {
    ENTENTE_ASSIGN(const Bytes bytes, read_file(path, limit_bytes));
    std::string text(bytes.size(), '\0');
    if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
    return text;
}

Result<Bytes> read_maybe_gzip(const std::string& path, std::uint64_t limit_bytes) {
    auto plain = read_file(path, limit_bytes);
    if (plain.ok() || plain.error().code != Code::not_found) return plain;
    auto packed = read_file(path + ".gz", limit_bytes);
    if (!packed.ok()) return packed.error().code == Code::not_found ? plain : packed;
    return gunzip(*packed, path + ".gz", limit_bytes);
}

Status sync_directory(const fs::path& directory) {
    const Descriptor fd(open_descriptor(directory, O_RDONLY | O_DIRECTORY));
    if (fd.get() < 0) return system_error(errno, directory.string(), true);
    sync_or_end(fd.get(), directory);
    return done();
}

Status drop_temporaries(const fs::path& folder, std::initializer_list<std::string_view> except) {
    std::error_code failed;
    std::vector<fs::path> found;
    do {
        failed.clear();
        found = temporaries_in(folder, except, failed);
    } while (failed == std::errc::interrupted);
    for (const fs::path& path : found) fs::remove(path, failed);
    return failed ? Status(system_error(failed.value(), folder.string(), true)) : done();
}

Status make_directory(const fs::path& directory) {
    std::error_code failed;
    const fs::path whole = fs::absolute(directory, failed);
    if (failed) return system_error(failed.value(), directory.string(), true);
    if (fs::is_directory(whole, failed) || !whole.has_relative_path()) return done();
    const fs::path parent = (whole.has_filename() ? whole : whole.parent_path()).parent_path();
    ENTENTE_TRY(make_directory(parent));
    if (::mkdir(whole.c_str(), 0777) != 0) {
        const int number = errno;
        if (number != EEXIST || !fs::is_directory(whole, failed)) return system_error(number, directory.string(), true);
    }
    return sync_directory(parent);
}

Result<FileWriter> FileWriter::create(const fs::path& path, unsigned mode) {
    const int fd = open_descriptor(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (fd < 0) return system_error(errno, path.string(), true);
    ::fchmod(fd, static_cast<mode_t>(mode));
    return FileWriter(fd, path);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

FileWriter& FileWriter::operator=(FileWriter&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
}

FileWriter::~FileWriter() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(path_.c_str());
}

Status FileWriter::reserve(std::uint64_t bytes) {
    if (bytes == 0) return done();
    // Only the claim counts, not the size: the file must end where the writing ends.
    int failed = EINTR;
    while (failed == EINTR) failed = ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
    if (failed == 0 || failed == EOPNOTSUPP || failed == ENOSYS) return done();
    return system_error(failed, path_.string(), true);
}

Status FileWriter::write(ByteView bytes) { return write_all(fd_, bytes, path_); }

Status FileWriter::keep(const fs::path& path) {
    sync_or_end(fd_, path_);
    if (::rename(path_.c_str(), path.c_str()) != 0) return system_error(errno, path.string(), true);
    ::close(std::exchange(fd_, -1));
    return sync_directory(path.parent_path().empty() ? fs::path(".") : path.parent_path());
}

Status write_file(const fs::path& path, ByteView bytes, unsigned mode) {
    fs::path temporary = path;
    temporary += std::string(temporary_mark) + std::to_string(::getpid());
    ENTENTE_ASSIGN(FileWriter writer, FileWriter::create(temporary, mode));
    ENTENTE_TRY(writer.write(bytes));
    return writer.keep(path);
}

Result<std::shared_ptr<contract::ByteSource>> open_file(const fs::path& path, std::uint64_t offset) {
    const int fd = open_descriptor(path, O_RDONLY);
    if (fd < 0) return system_error(errno, path.string(), false);
    auto source = std::make_shared<FileSource>(fd, path);
    if (offset > 0 && ::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return system_error(errno, path.string(), false);
    return std::shared_ptr<contract::ByteSource>(std::move(source));
}

Bytes random_bytes(std::size_t count) {
    Bytes bytes(count);
    std::size_t at = 0;
    while (at < count) {
        const ssize_t n = ::getrandom(bytes.data() + at, count - at, 0);
        if (n < 0 && errno != EINTR) std::abort();  // no randomness: no key may be made
        if (n > 0) at += static_cast<std::size_t>(n);
    }
    return bytes;
}

std::int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t monotonic_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace entente::native
