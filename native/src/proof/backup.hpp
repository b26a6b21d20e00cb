// A coordinator's data folder, copied while it serves, and a copy made into a data folder again.
//
//   ENTENTE_ASSIGN(const BackupReport report, back_up("entente-data", "copies/monday"));
//   ENTENTE_TRY(restore("copies/monday", "entente-data"));      // then: entente serve
//
// A copy is the folder as a coordinator leaves it that was stopped at one record of its ledger: `entente verify` checks all of
// it. It has the private key. Where the copy is made nothing is written into the folder, and the coordinator does not wait.
//
// The order holds it together: what only grows (log, envelopes) is copied first, then the database in one transaction, then the
// envelopes that it names and that are new; the log is completed up to that record, which the key makes a function of it.
//
// Errors: not_found "backup.no-folder"; conflict "backup.exists", "backup.moving" (try again); no_space "disk.full"; data_loss
// "backup.damaged". A copy that fails leaves nothing under its name.
#pragma once

#include <cstdint>
#include <filesystem>

#include "entente/base/result.hpp"

namespace entente::native {

struct BackupReport {
    std::string federation;
    std::uint64_t records = 0;
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
};

Result<BackupReport> back_up(const std::filesystem::path& folder, const std::filesystem::path& target);

// `folder` must not be there yet, or be empty. Files that verify refuses are not restored.
Result<BackupReport> restore(const std::filesystem::path& copy, const std::filesystem::path& folder);

}  // namespace entente::native
