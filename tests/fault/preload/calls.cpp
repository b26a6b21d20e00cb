// The calls of libc that are taken over. They reach the kernel themselves: nothing here may call what it replaces.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <ctime>

#include "fault/preload/fault.hpp"

using namespace entente::fault;

#define TAKEN extern "C" __attribute__((visibility("default")))

namespace {

long refused(int error) {
    errno = error;
    return -1;
}

std::string number(long long value) { return std::to_string(value); }

// `call` unless the verdict is against it.
template <class Do>
long taken(Call kind, const std::string& name, const std::string& subject, Do&& call) {
    Turn turn(kind, subject);
    if (turn.verdict().error != 0) return refused(turn.verdict().error);
    const long result = call();
    turn.ended(result, name + " " + subject);
    return result;
}

int open_at(int directory, const char* path, int flags, mode_t mode) {
    const std::string whole = below(directory, path);
    if (whole.empty()) return static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
    const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0;
    Turn turn(changes ? Call::open : Call::read, whole);
    if (turn.verdict().error != 0) return static_cast<int>(refused(turn.verdict().error));
    const auto fd = static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
    opened(fd, fd < 0 ? std::string() : whole);
    const char* const how = (flags & O_TRUNC) != 0 ? "truncate" : (flags & O_CREAT) != 0 ? "create" : "open";
    turn.ended(fd, std::string(how) + " " + number(fd) + " " + whole);
    return fd;
}

ssize_t write_at(int fd, const void* bytes, std::size_t size, off_t at) {
    if (path_of(fd).empty()) return at < 0 ? ::syscall(SYS_write, fd, bytes, size) : ::syscall(SYS_pwrite64, fd, bytes, size, at);
    Turn turn(Call::write, path_of(fd), size);
    if (turn.verdict().error != 0) return refused(turn.verdict().error);
    const off_t where = at < 0 ? static_cast<off_t>(::syscall(SYS_lseek, fd, 0, SEEK_CUR)) : at;
    const std::size_t count = turn.verdict().half ? size / 2 : size;
    const ssize_t done = at < 0 ? ::syscall(SYS_write, fd, bytes, count) : ::syscall(SYS_pwrite64, fd, bytes, count, at);
    const std::size_t written = done < 0 ? 0 : static_cast<std::size_t>(done);
    turn.ended(done, "write " + number(fd) + " " + number(where) + " " + number(done) + (with_bytes() ? " " + hex(bytes, written) : std::string()));
    return done;
}

ssize_t read_at(int fd, void* bytes, std::size_t size, off_t at) {
    if (path_of(fd).empty()) {
        const ssize_t n = at < 0 ? ::syscall(SYS_read, fd, bytes, size) : ::syscall(SYS_pread64, fd, bytes, size, at);
        if (n > 0 && at < 0) received(fd, static_cast<const char*>(bytes), static_cast<std::size_t>(n));
        return n;
    }
    Turn turn(Call::read, path_of(fd), size);
    if (turn.verdict().error != 0) return refused(turn.verdict().error);
    const std::size_t count = turn.verdict().half ? size / 2 : size;
    const ssize_t done = at < 0 ? ::syscall(SYS_read, fd, bytes, count) : ::syscall(SYS_pread64, fd, bytes, count, at);
    turn.ended(done, "read " + number(fd) + " " + number(done));
    return done;
}

int remove_at(int directory, const char* path, int flags) {
    const std::string whole = below(directory, path);
    if (whole.empty()) return static_cast<int>(::syscall(SYS_unlinkat, directory, path, flags));
    return static_cast<int>(taken(flags & AT_REMOVEDIR ? Call::rmdir : Call::unlink, flags & AT_REMOVEDIR ? "rmdir" : "unlink", whole, [&] { return ::syscall(SYS_unlinkat, directory, path, flags); }));
}

int rename_at(int from_directory, const char* from, int to_directory, const char* to) {
    const std::string source = below(from_directory, from), target = below(to_directory, to);
    const auto call = [&] { return ::syscall(SYS_renameat2, from_directory, from, to_directory, to, 0); };
    if (source.empty() || target.empty()) return static_cast<int>(call());
    return static_cast<int>(taken(Call::rename, "rename", source + " " + target, call));
}

int make_directory_at(int directory, const char* path, mode_t mode) {
    const std::string whole = below(directory, path);
    if (whole.empty()) return static_cast<int>(::syscall(SYS_mkdirat, directory, path, mode));
    return static_cast<int>(taken(Call::mkdir, "mkdir", whole, [&] { return ::syscall(SYS_mkdirat, directory, path, mode); }));
}

int sync_one(int fd, long which) {
    const std::string path = path_of(fd);
    if (path.empty()) return static_cast<int>(::syscall(which, fd));
    Turn turn(Call::fsync, path);
    if (turn.verdict().error != 0) return static_cast<int>(refused(turn.verdict().error));
    const long result = ::syscall(which, fd);
    turn.ended(result, "fsync " + number(fd));
    return static_cast<int>(result);
}

int truncate_one(int fd, off_t size) {
    if (path_of(fd).empty()) return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
    return static_cast<int>(taken(Call::ftruncate, "ftruncate", number(fd) + " " + number(size), [&] { return ::syscall(SYS_ftruncate, fd, size); }));
}

std::size_t gathered(const iovec* parts, std::size_t count, char* first, std::size_t room) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < count && at < room; ++i) {
        const auto* bytes = static_cast<const char*>(parts[i].iov_base);
        for (std::size_t k = 0; k < parts[i].iov_len && at < room; ++k) first[at++] = bytes[k];
    }
    return at;
}

mode_t mode_of(int flags, va_list rest) { return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(rest, unsigned)) : 0; }

}  // namespace

TAKEN int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(AT_FDCWD, path, flags, mode);
}
TAKEN int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(AT_FDCWD, path, flags, mode);
}
TAKEN int openat(int directory, const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(directory, path, flags, mode);
}
TAKEN int close(int fd) {
    closed(fd);
    return static_cast<int>(::syscall(SYS_close, fd));
}

TAKEN ssize_t write(int fd, const void* bytes, std::size_t size) { return write_at(fd, bytes, size, -1); }
TAKEN ssize_t pwrite(int fd, const void* bytes, std::size_t size, off_t at) { return write_at(fd, bytes, size, at); }
TAKEN ssize_t pwrite64(int fd, const void* bytes, std::size_t size, off64_t at) { return write_at(fd, bytes, size, at); }
TAKEN ssize_t read(int fd, void* bytes, std::size_t size) { return read_at(fd, bytes, size, -1); }
TAKEN ssize_t pread(int fd, void* bytes, std::size_t size, off_t at) { return read_at(fd, bytes, size, at); }
TAKEN ssize_t pread64(int fd, void* bytes, std::size_t size, off64_t at) { return read_at(fd, bytes, size, at); }
TAKEN int fsync(int fd) { return sync_one(fd, SYS_fsync); }
TAKEN int fdatasync(int fd) { return sync_one(fd, SYS_fdatasync); }
TAKEN int ftruncate(int fd, off_t size) noexcept { return truncate_one(fd, size); }
TAKEN int ftruncate64(int fd, off64_t size) noexcept { return truncate_one(fd, size); }
TAKEN int fallocate(int fd, int mode, off_t at, off_t size) {
    if (path_of(fd).empty()) return static_cast<int>(::syscall(SYS_fallocate, fd, mode, at, size));
    return static_cast<int>(taken(Call::fallocate, "fallocate", number(fd), [&] { return ::syscall(SYS_fallocate, fd, mode, at, size); }));
}
TAKEN int fchmod(int fd, mode_t mode) noexcept {
    if (path_of(fd).empty()) return static_cast<int>(::syscall(SYS_fchmod, fd, mode));
    return static_cast<int>(taken(Call::chmod, "chmod", number(fd), [&] { return ::syscall(SYS_fchmod, fd, mode); }));
}

TAKEN int rename(const char* from, const char* to) noexcept { return rename_at(AT_FDCWD, from, AT_FDCWD, to); }
TAKEN int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept { return rename_at(from_directory, from, to_directory, to); }
TAKEN int unlink(const char* path) noexcept { return remove_at(AT_FDCWD, path, 0); }
TAKEN int unlinkat(int directory, const char* path, int flags) noexcept { return remove_at(directory, path, flags); }
TAKEN int rmdir(const char* path) noexcept { return remove_at(AT_FDCWD, path, AT_REMOVEDIR); }
TAKEN int remove(const char* path) noexcept {
    const int removed = remove_at(AT_FDCWD, path, 0);
    return removed == 0 || errno != EISDIR ? removed : remove_at(AT_FDCWD, path, AT_REMOVEDIR);
}
TAKEN int mkdir(const char* path, mode_t mode) noexcept { return make_directory_at(AT_FDCWD, path, mode); }
TAKEN int mkdirat(int directory, const char* path, mode_t mode) noexcept { return make_directory_at(directory, path, mode); }

// Sockets: nothing happens to them, but the trace says what was answered.
TAKEN ssize_t recv(int fd, void* bytes, std::size_t size, int flags) {
    const ssize_t n = ::syscall(SYS_recvfrom, fd, bytes, size, flags, nullptr, nullptr);
    if (n > 0) received(fd, static_cast<const char*>(bytes), static_cast<std::size_t>(n));
    return n;
}
TAKEN ssize_t recvmsg(int fd, msghdr* message, int flags) {
    const ssize_t n = ::syscall(SYS_recvmsg, fd, message, flags);
    if (n > 0 && message->msg_iovlen > 0) {
        received(fd, static_cast<const char*>(message->msg_iov[0].iov_base), std::min(static_cast<std::size_t>(n), message->msg_iov[0].iov_len));
    }
    return n;
}
TAKEN ssize_t send(int fd, const void* bytes, std::size_t size, int flags) {
    const ssize_t n = ::syscall(SYS_sendto, fd, bytes, size, flags, nullptr, 0);
    if (n > 0) sent(fd, static_cast<const char*>(bytes), static_cast<std::size_t>(n));
    return n;
}
TAKEN ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    const ssize_t n = ::syscall(SYS_sendmsg, fd, message, flags);
    if (n > 0) {
        char first[4096];
        sent(fd, first, std::min(static_cast<std::size_t>(n), gathered(message->msg_iov, message->msg_iovlen, first, sizeof first)));
    }
    return n;
}

TAKEN int clock_gettime(clockid_t clock, timespec* now) noexcept {
    const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += clock_ahead_s();
    return result;
}
TAKEN int gettimeofday(timeval* now, void*) noexcept {
    timespec exact{};
    const int result = clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return result;
}
TAKEN std::time_t time(std::time_t* where) noexcept {
    timespec exact{};
    clock_gettime(CLOCK_REALTIME, &exact);
    if (where != nullptr) *where = exact.tv_sec;
    return exact.tv_sec;
}
