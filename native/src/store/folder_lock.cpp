#include "store/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/files.hpp"

namespace entente::native {

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "lock";
    const int fd = open_descriptor(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return system_error(errno, path.string(), true);
    FolderLock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return system_error(errno, path.string(), true);
    return Error{Code::conflict, "folder.in-use",
                 folder.string() + ": another entente works in this folder; stop it first, or give another"};
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

FolderLock::~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace entente::native
