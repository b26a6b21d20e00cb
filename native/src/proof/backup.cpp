#include "proof/backup.hpp"

#include <unistd.h>

#include "base/files.hpp"
#include "cli/key_file.hpp"
#include "entente/plan/plan.hpp"
#include "proof/folder_audit.hpp"
#include "proof/manifest.hpp"
#include "proof/transparency_log.hpp"
#include "store/blob_store.hpp"
#include "store/named_blobs.hpp"

namespace entente::native {

namespace fs = std::filesystem;

namespace {

constexpr int attempts = 5;  // of a snapshot whose envelopes were deleted while they were copied

// The copy while it is made; removed unless it is kept.
class Unfinished {
public:
    explicit Unfinished(const fs::path& target) : target_(target), path_(target.string() + ".unfinished-" + std::to_string(::getpid())) {}
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    ~Unfinished() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }
    Status keep() {
        std::error_code failed;
        fs::rename(path_, target_, failed);
        if (failed) return system_error(failed.value(), target_.string(), true);
        return sync_directory(fs::absolute(target_).parent_path());
    }

private:
    fs::path target_;
    fs::path path_;
};

Status must_be_new(const fs::path& target) {
    std::error_code ignored;
    if (!fs::exists(target, ignored) || fs::is_empty(target, ignored)) return done();
    return Error{Code::conflict, "backup.exists", target.string() + ": expected a folder that is not there yet, or an empty one"};
}

Status must_be_data(const fs::path& folder) {
    std::error_code ignored;
    if (fs::exists(folder / "entente.db", ignored)) return done();
    return Error{Code::not_found, "backup.no-folder", folder.string() + ": expected a coordinator's data folder, found no entente.db in it"};
}

Status copy_one(const fs::path& from, const fs::path& to, unsigned mode = 0644) {
    ENTENTE_ASSIGN(const auto source, open_file(from));
    ENTENTE_TRY(make_directory(to.parent_path()));
    fs::path temporary = to;
    temporary += ".tmp-copy";
    ENTENTE_ASSIGN(FileWriter writer, FileWriter::create(temporary, mode));
    std::vector<std::byte> buffer(256 * 1024);
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, source->read(buffer));
        if (n == 0) return writer.keep(to);
        ENTENTE_TRY(writer.write(ByteView(buffer).first(n)));
    }
}

// All files below, those that go away meanwhile left out; what is there already is not copied again.
Status copy_files(const fs::path& from, const fs::path& to) {
    std::error_code failed;
    for (fs::recursive_directory_iterator it(from, failed), end; !failed && it != end; it.increment(failed)) {
        std::error_code gone;
        const fs::path target = to / it->path().lexically_relative(from);
        if (!it->is_regular_file(gone) || fs::exists(target, gone) || it->path().string().find(".tmp-") != std::string::npos) continue;
        const Status copied = copy_one(it->path(), target);
        if (!copied.ok() && copied.error().code != Code::not_found) return copied;
    }
    if (failed) return system_error(failed.value(), from.string(), false);
    return done();
}

// What one snapshot of the database says.
struct Books {
    plan::Plan plan;
    std::vector<round::Entry> ledger;
    NamedBlobs named;
};

Result<Books> read_books(const fs::path& database) {
    ENTENTE_ASSIGN(StateStore store, StateStore::open_to_verify(database.string()));
    ENTENTE_ASSIGN(const auto bytes, store.meta("plan"));
    if (!bytes) return Error{Code::not_found, "backup.no-folder", "its coordinator has never served: there is nothing to copy yet"};
    Books books;
    ENTENTE_ASSIGN(books.plan, plan::from_canonical_bytes(*bytes));
    ENTENTE_ASSIGN(books.ledger, store.ledger());
    ENTENTE_ASSIGN(auto snapshot, store.snapshot());
    books.named = blobs_named_by(books.ledger, snapshot ? snapshot->contents : std::map<std::string, ContentRow>{});
    return books;
}

Result<Books> copy_books(const fs::path& folder, const fs::path& copy) {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        ENTENTE_TRY(copy_files(folder / "blobs", copy / "blobs"));
        ENTENTE_TRY(Database::copy((folder / "entente.db").string(), (copy / "entente.db").string()));
        ENTENTE_ASSIGN(Books books, read_books(copy / "entente.db"));
        ENTENTE_TRY(copy_files(folder / "blobs", copy / "blobs"));
        ENTENTE_ASSIGN(BlobStore blobs, BlobStore::open(copy));
        bool whole = true;
        for (const Digest& blob : books.named.kept) whole = whole && blobs.has(blob);
        if (!whole) continue;
        ENTENTE_TRY(blobs.keep_only([&books](const Digest& blob) { return books.named.kept.count(blob) + books.named.offered.count(blob) > 0; }));
        return books;
    }
    return Error{Code::conflict, "backup.moving", folder.string() + ": envelopes were deleted faster than they could be copied; try again"};
}

BackupReport report_of(const fs::path& copy, const std::string& federation, std::uint64_t records) {
    BackupReport report{federation, records, 0, 0};
    std::error_code failed;
    for (fs::recursive_directory_iterator it(copy, failed), end; !failed && it != end; it.increment(failed)) {
        if (!it->is_regular_file(failed)) continue;
        report.blobs += it->path().parent_path().filename() == "blobs" ? 1 : 0;
        report.bytes += it->file_size(failed);
    }
    return report;
}

}  // namespace

Result<BackupReport> back_up(const fs::path& folder, const fs::path& target) {
    ENTENTE_TRY(must_be_data(folder));
    ENTENTE_TRY(must_be_new(target));
    Unfinished copy(target);
    ENTENTE_TRY(make_directory(copy.path()));
    std::error_code ignored;
    if (fs::exists(folder / "log" / "checkpoint", ignored)) {
        ENTENTE_TRY(copy_one(folder / "log/checkpoint", copy.path() / "log/checkpoint"));
        ENTENTE_TRY(copy_files(folder / "log", copy.path() / "log"));
    }
    if (fs::exists(folder / "dsp.db", ignored)) ENTENTE_TRY(Database::copy((folder / "dsp.db").string(), (copy.path() / "dsp.db").string()));
    ENTENTE_ASSIGN(const Books books, copy_books(folder, copy.path()));
    ENTENTE_TRY(copy_one(folder / "coordinator.key", copy.path() / "coordinator.key", 0600));
    const std::string& federation = books.plan.federation.id;
    ENTENTE_ASSIGN(codec::SigningKey log_key, load_or_make_key(copy.path() / "coordinator.key"));
    ENTENTE_ASSIGN(const auto log, TransparencyLog::open({copy.path() / "log", federation, std::move(log_key)}));
    ENTENTE_TRY(log->restore(books.ledger));
    ENTENTE_TRY(log->publish());
    ENTENTE_ASSIGN(const codec::SigningKey key, load_or_make_key(copy.path() / "coordinator.key"));
    ENTENTE_TRY(write_manifest(copy.path(), federation, key));
    ENTENTE_TRY(copy.keep());
    return report_of(target, federation, books.ledger.size());
}

Result<BackupReport> restore(const fs::path& copy, const fs::path& folder) {
    ENTENTE_TRY(must_be_data(copy));
    ENTENTE_TRY(must_be_new(folder));
    std::string first;
    FolderAudit audit{.folder = copy};
    audit.on_problem = [&first](const round::Problem& p) {
        if (first.empty()) first = p.subject + ": " + p.sentence;
    };
    ENTENTE_ASSIGN(const FolderReport found, audit_folder(audit));
    if (found.problems > 0) {
        return Error{Code::data_loss, "backup.damaged", copy.string() + ": " + std::to_string(found.problems) + " problems, the first: " + first +
                                                            "; nothing was restored (entente verify names them all)"};
    }
    Unfinished data(folder);
    ENTENTE_TRY(make_directory(data.path()));
    ENTENTE_TRY(copy_one(copy / "coordinator.key", data.path() / "coordinator.key", 0600));
    ENTENTE_TRY(copy_files(copy, data.path()));
    ENTENTE_TRY(data.keep());
    return report_of(folder, found.federation, found.records);
}

}  // namespace entente::native
