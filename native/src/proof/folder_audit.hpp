// Everything that a coordinator's data folder says, checked against everything else in it: files, ledger, log, receipts,
// agreements, models and, where their updates are stored, the rounds' sums.
//
//   FolderAudit audit{.folder = "data"};
//   audit.on_problem = [](const round::Problem& p) { … };
//   ENTENTE_ASSIGN(FolderReport report, audit_folder(audit));
//
// Nothing is written. An error only where there is nothing to check: not_found "verify.no-folder"; conflict "verify.in-use"
// for a folder whose coordinator runs, or was killed and has not been started again.
#pragma once

#include <filesystem>

#include "entente/round/audit.hpp"

namespace entente::native {

struct FolderAudit {
    std::filesystem::path folder;
    std::optional<std::uint64_t> only_round = {};
    std::function<void(const round::Problem&)> on_problem = {};
    std::function<void(const round::RoundCheck&)> on_round = {};
    std::function<void(double fraction, const std::string& what)> on_progress = {};
    Executor* executor = nullptr;
};

struct FolderReport {
    std::string federation;
    Digest plan;
    codec::PublicKey coordinator;
    std::uint64_t records = 0;
    std::uint64_t signed_records = 0;  // that the log's checkpoint covers
    std::uint64_t blobs = 0;
    std::uint64_t rounds = 0;
    std::uint64_t recomputed = 0;
    std::uint64_t problems = 0;
    bool manifest = false;  // the files are those that the coordinator left
};

Result<FolderReport> audit_folder(const FolderAudit& options);

}  // namespace entente::native
