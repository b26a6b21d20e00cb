// One process to a folder: two coordinators would both believe that they own its rounds, two partners its key. The lock is the system's, so it ends
// with the process, however that ends.
//
//   ENTENTE_ASSIGN(const FolderLock lock, FolderLock::take("entente-data"));   // held until `lock` goes
#pragma once

#include <filesystem>

#include "entente/base/result.hpp"

namespace entente::native {

class FolderLock {
public:
    // conflict "folder.in-use" when another process has it.
    static Result<FolderLock> take(const std::filesystem::path& folder);
    FolderLock(FolderLock&& other) noexcept;
    FolderLock& operator=(FolderLock&& other) noexcept;
    ~FolderLock();

private:
    explicit FolderLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace entente::native
