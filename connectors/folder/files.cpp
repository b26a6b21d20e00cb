#include "connectors/folder/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "entente/codec/sha256.hpp"

namespace entente::folder {

using contract::ByteSource;

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

Error failed(int number, const std::string& what) {
    if (number == ENOSPC || number == EDQUOT) {
        return Error{Code::no_space, "disk.full", what + ": " + std::strerror(number) + "; nothing was stored, free some space"};
    }
    return Error{Code::unavailable, "connector.unreachable", what + ": " + std::strerror(number)};
}

// What a killed process would have left undone stays undone.
Error crashed(const char* step) { return Error{Code::internal, "folder.crashed", std::string("stopped before ") + step}; }

Result<std::size_t> read_some(int fd, std::span<std::byte> buffer, const std::string& path) {
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EINTR) return failed(errno, path);
    }
}

Status write_all(int fd, ByteView bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed(errno, path);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return done();
}

// Some file systems (exFAT, SMB) cannot sync a folder; the rename is then as durable as they make it.
Status sync_folder(int fd, const std::string& path) {
    if (::fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EBADF) return done();
    return failed(errno, path);
}

class FileSource final : public ByteSource {
public:
    FileSource(Descriptor fd, std::uint64_t size_bytes, std::string path)
        : fd_(std::move(fd)), left_(size_bytes), path_(std::move(path)) {}

    Result<std::size_t> read(std::span<std::byte> buffer) override {
        const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
        if (wanted == 0) return std::size_t{0};
        ENTENTE_ASSIGN(const std::size_t n, read_some(fd_.get(), buffer.first(wanted), path_));
        if (n == 0) return Error{Code::unavailable, "folder.incomplete", path_ + ": it became shorter while it was read"};
        left_ -= n;
        return n;
    }

private:
    Descriptor fd_;
    std::uint64_t left_;
    std::string path_;
};

// A temporary file that becomes `name` or goes away, except where a crash is played.
class Replacement {
public:
    Replacement(int folder, std::string name, std::string path, const CrashHook& crash)
        : folder_(folder), name_(std::move(name)), path_(std::move(path)), crash_(crash),
          temporary_(std::string(temporary_prefix) + name_) {}
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    ~Replacement() {
        if (fd_ >= 0) ::close(fd_);
        if (fd_ >= 0 && !abandoned_) ::unlinkat(folder_, temporary_.c_str(), 0);
    }

    Status begin() {
        ENTENTE_TRY(step("create"));
        // A leftover of an earlier life is this writer's own; anything else under the name is not followed.
        ::unlinkat(folder_, temporary_.c_str(), 0);
        fd_ = ::openat(folder_, temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd_ < 0) return failed(errno, path_);
        return done();
    }
    Status write(ByteView bytes) {
        const std::size_t half = bytes.size() / 2;
        ENTENTE_TRY(write_all(fd_, bytes.first(half), path_));
        ENTENTE_TRY(step("second half"));
        return write_all(fd_, bytes.subspan(half), path_);
    }
    Status keep() {
        ENTENTE_TRY(step("fsync"));
        if (::fsync(fd_) != 0) return failed(errno, path_);
        ENTENTE_TRY(step("rename"));
        if (::renameat(folder_, temporary_.c_str(), folder_, name_.c_str()) != 0) return failed(errno, path_);
        ::close(std::exchange(fd_, -1));
        ENTENTE_TRY(step("fsync of the folder"));
        return sync_folder(folder_, path_);
    }

private:
    Status step(const char* name) {
        if (!crash_ || !crash_(name)) return done();
        abandoned_ = true;
        return crashed(name);
    }

    int folder_;
    std::string name_;
    std::string path_;
    const CrashHook& crash_;
    std::string temporary_;
    int fd_ = -1;
    bool abandoned_ = false;
};

}  // namespace

Directory::Directory(Directory&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

Directory& Directory::operator=(Directory&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
}

Directory::~Directory() {
    if (fd_ >= 0) ::close(fd_);
}

Result<Directory> Directory::open_root(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed(errno, path);
    return Directory(fd, path);
}

Result<Directory> Directory::open(const std::string& name) const {
    const std::string path = path_ + "/" + name;
    const int fd = ::openat(fd_, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) return Directory(fd, path);
    if (errno == ENOENT) return Error{Code::not_found, "folder.missing", path + ": there is nothing"};
    if (errno == ENOTDIR || errno == ELOOP) {
        return Error{Code::invalid_argument, "folder.not-a-folder", path + ": expected a folder, found a file or a link"};
    }
    return failed(errno, path);
}

Result<Directory> Directory::make(const std::string& name) const {
    if (::mkdirat(fd_, name.c_str(), 0755) == 0) {
        ENTENTE_TRY(sync_folder(fd_, path_));
    } else if (errno != EEXIST) {
        return failed(errno, path_ + "/" + name);
    }
    return open(name);
}

Result<int> Directory::open_plain(const std::string& name, std::uint64_t& size_bytes) const {
    const std::string path = path_ + "/" + name;
    const Error not_a_file{Code::invalid_argument, "folder.not-a-file", path + ": expected a plain file, found something else"};
    const int fd = ::openat(fd_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return Error{Code::not_found, "folder.missing", path + ": there is no such file"};
    if (fd < 0 && (errno == ELOOP || errno == ENXIO)) return not_a_file;
    if (fd < 0) return failed(errno, path);
    struct stat info {};
    const bool plain = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (!plain) {
        ::close(fd);
        return not_a_file;
    }
    size_bytes = static_cast<std::uint64_t>(info.st_size);
    return fd;
}

Result<Bytes> Directory::read(const std::string& name, std::uint64_t limit_bytes) const {
    std::uint64_t size = 0;
    ENTENTE_ASSIGN(const int opened, open_plain(name, size));
    const Descriptor fd(opened);
    const std::string path = path_ + "/" + name;
    if (size > limit_bytes) {
        return Error{Code::too_large, "folder.too-large",
                     path + ": expected at most " + std::to_string(limit_bytes) + " bytes, found " + std::to_string(size)};
    }
    Bytes bytes(static_cast<std::size_t>(size));
    std::size_t at = 0;
    while (at < bytes.size()) {
        ENTENTE_ASSIGN(const std::size_t n, read_some(fd.get(), std::span(bytes).subspan(at), path));
        if (n == 0) break;
        at += n;
    }
    bytes.resize(at);
    return bytes;
}

Result<std::shared_ptr<ByteSource>> Directory::stream(const std::string& name, std::uint64_t size_bytes) const {
    std::uint64_t size = 0;
    ENTENTE_ASSIGN(const int opened, open_plain(name, size));
    Descriptor fd(opened);
    const std::string path = path_ + "/" + name;
    if (size != size_bytes) {
        return Error{Code::unavailable, "folder.incomplete",
                     path + ": expected " + std::to_string(size_bytes) + " bytes, found " + std::to_string(size) +
                         "; it may still be on its way"};
    }
    return std::shared_ptr<ByteSource>(std::make_shared<FileSource>(std::move(fd), size_bytes, path));
}

Status Directory::replace(const std::string& name, ByteView bytes, const CrashHook& crash) const {
    Replacement file(fd_, name, path_ + "/" + name, crash);
    ENTENTE_TRY(file.begin());
    ENTENTE_TRY(file.write(bytes));
    return file.keep();
}

Status Directory::replace(const std::string& name, ByteSource& content, std::uint64_t size_bytes, Digest& digest,
                          const CrashHook& crash) const {
    Replacement file(fd_, name, path_ + "/" + name, crash);
    ENTENTE_TRY(file.begin());
    codec::Sha256 hash;
    std::vector<std::byte> buffer(piece_bytes);
    std::uint64_t total = 0;
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, content.read(buffer));
        total += n;
        if ((n == 0 && total != size_bytes) || total > size_bytes) {
            return Error{Code::invalid_argument, "connector.size",
                         "deliver: expected " + std::to_string(size_bytes) + " bytes, found " +
                             (n == 0 ? std::to_string(total) : "more")};
        }
        if (n == 0) break;
        const ByteView piece = ByteView(buffer).first(n);
        hash.update(piece);
        ENTENTE_TRY(file.write(piece));
    }
    ENTENTE_TRY(file.keep());
    digest = hash.finish();
    return done();
}

void Directory::remove(const std::string& name) const { ::unlinkat(fd_, name.c_str(), 0); }

Result<std::vector<std::string>> Directory::names(std::size_t most) const {
    const int fd = ::openat(fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed(errno, path_);
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(fd), &::closedir);
    if (!list) {
        ::close(fd);
        return failed(errno, path_);
    }
    std::vector<std::string> found;
    while (found.size() < most) {
        const dirent* entry = ::readdir(list.get());
        if (entry == nullptr) break;
        const std::string name = entry->d_name;
        if (name != "." && name != "..") found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace entente::folder
