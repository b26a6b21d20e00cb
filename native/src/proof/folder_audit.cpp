#include "proof/folder_audit.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "cli/key_file.hpp"
#include "entente/round/log_audit.hpp"
#include "proof/manifest.hpp"
#include "store/blob_store.hpp"
#include "store/state_store.hpp"

namespace entente::native {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t most_tile_bytes = 32 * 1024;

class FolderAuditor {
public:
    explicit FolderAuditor(const FolderAudit& options) : o_(options) {}

    Result<FolderReport> run() {
        std::error_code ignored;
        if (!fs::exists(o_.folder / "entente.db", ignored)) {
            return Error{Code::not_found, "verify.no-folder", o_.folder.string() + ": expected a coordinator's data folder, found no entente.db in it"};
        }
        for (const char* name : {"entente.db-wal", "dsp.db-wal"}) {
            const auto size = fs::file_size(o_.folder / name, ignored);
            if (!ignored && size > 0) {
                return Error{Code::conflict, "verify.in-use", o_.folder.string() + ": its coordinator runs, or was killed: stop it, or start and stop it once, or verify a copy of a stopped one"};
            }
        }
        read_ledger();
        if (!plan_) return std::move(report_);
        settle_key();
        report_.manifest = check_manifest(o_.folder, plan_->federation.id, report_.coordinator, [this](const std::string& path, const std::string& sentence) {
            tell(path, "file.changed", sentence);
        });
        begin_log();
        const auto stored = check_ledger();
        if (whole_) check_log();
        check_blobs(stored);
        return std::move(report_);
    }

private:
    void tell(const std::string& subject, const std::string& code, const std::string& sentence) { tell({0, subject, code, sentence}); }
    void tell(const round::Problem& problem) {
        ++report_.problems;
        if (o_.on_problem) o_.on_problem(problem);
    }
    void progress(double fraction, const std::string& what) {
        if (o_.on_progress) o_.on_progress(fraction, what);
    }

    // What can be read of it; the rest is told.
    void read_ledger() {
        progress(0, "reading the ledger");
        auto opened = StateStore::open_to_verify((o_.folder / "entente.db").string());
        if (!opened.ok()) return tell("entente.db", opened.error().reason, opened.error().message);
        auto plan_bytes = opened->meta("plan");
        auto plan = plan_bytes.ok() && *plan_bytes ? plan::from_canonical_bytes(**plan_bytes) : Result<plan::Plan>(Error{Code::data_loss, "store.damaged", "it holds no plan"});
        if (!plan.ok()) return tell("entente.db: plan", plan.error().reason, plan.error().message);
        plan_ = std::move(plan).value();
        const Status read = opened->each_row([this](const LedgerRow& row, const Bytes& bytes) {
            const std::string subject = "ledger: record " + std::to_string(row.sequence);
            auto entry = round::decode_entry(bytes);
            if (!entry.ok()) {
                whole_ = false;
                return tell(subject, entry.error().reason, entry.error().message);
            }
            const bool same = entry->sequence == row.sequence && entry->record.at_ms == row.at_ms && round::kind_of(entry->record) == row.kind &&
                              participant_of(entry->record) == row.participant && round::link_of(*entry) == row.digest;
            if (!same) tell(subject, "ledger.row", "its columns are not what its bytes say");
            ledger_.push_back(std::move(entry).value());
        });
        if (!read.ok()) {
            whole_ = false;
            tell("entente.db: ledger", read.error().reason, read.error().message);
        }
        report_.records = ledger_.size();
        report_.federation = plan_->federation.id;
        report_.plan = plan::digest_of(*plan_);
    }

    // Who signed it all stands in the first record; the private key, where it is here, opens the log.
    void settle_key() {
        const auto* activated = ledger_.empty() ? nullptr : std::get_if<round::Activated>(&ledger_.front().record.body);
        if (activated != nullptr) report_.coordinator = activated->coordinator;
        std::error_code ignored;
        if (!fs::exists(o_.folder / "coordinator.key", ignored)) return;
        auto key = load_or_make_key(o_.folder / "coordinator.key");
        if (!key.ok()) return tell("coordinator.key", key.error().reason, key.error().message);
        if (activated == nullptr) report_.coordinator = key->public_key();
        if (key->public_key() != report_.coordinator) return tell("coordinator.key", "key.other", "it is not the key that the ledger was begun with");
        blinder_ = proof::Blinder::of(*key, plan_->federation.id);
    }

    std::set<Digest> check_ledger() {
        if (!blinder_) log_->read_bundles(ledger_.size());
        round::AuditOptions audit{.plan = *plan_, .coordinator = report_.coordinator, .blobs = {}, .leaf_of = log_->leaf_of()};
        audit.blobs = [this](const Digest& blob) { return open_file(o_.folder / "blobs" / to_hex(blob)); };
        audit.only_round = o_.only_round;
        audit.on_problem = [this](const round::Problem& p) { tell(p); };
        std::uint64_t rounds = 0;
        audit.on_round = [this, &rounds](const round::RoundCheck& check) {
            ++rounds;
            progress(std::min(1.0, static_cast<double>(rounds) / plan_->round.rounds), "round " + std::to_string(check.round));
            if (o_.on_round) o_.on_round(check);
        };
        audit.executor = o_.executor;
        const round::AuditResult result = round::audit(ledger_, audit);
        report_.rounds = result.rounds;
        report_.recomputed = result.recomputed;
        return result.stored;
    }

    void begin_log() {
        round::LogAuditOptions options{.federation = plan_->federation.id, .coordinator = report_.coordinator, .blinder = blinder_, .read = {}, .folder = "log/"};
        // On disk a tile has no width in its name.
        options.read = [this](const proof::Tile& tile) {
            proof::Tile grown = tile;
            grown.width = proof::tile_width;
            return read_file(o_.folder / "log" / proof::path_of(grown), most_tile_bytes);
        };
        options.on_problem = [this](const round::Problem& p) { tell(p); };
        log_.emplace(std::move(options));
    }

    void check_log() {
        progress(1, "the log");
        const auto text = read_text_file(o_.folder / "log/checkpoint", most_tile_bytes * 2);
        if (!text.ok()) return tell("log/checkpoint", text.error().reason, text.error().message);
        report_.signed_records = log_->check(ledger_, *text);
        std::error_code failed;
        for (fs::recursive_directory_iterator it(o_.folder / "log", failed), end; !failed && it != end; it.increment(failed)) {
            const std::string path = it->path().lexically_relative(o_.folder).generic_string();
            if (!log_->paths().empty() && it->is_regular_file(failed) && path != "log/checkpoint" && log_->paths().count(path) == 0) tell(path, "log.unknown-file", "the log has no such file");
        }
    }

    void check_blobs(const std::set<Digest>& stored) {
        std::error_code failed;
        std::set<Digest> found;
        for (const auto& file : fs::directory_iterator(o_.folder / "blobs", failed)) {
            const std::string file_name = file.path().filename().string();
            const std::string subject = "blobs/" + file_name;
            const auto wanted = digest_from_hex(file_name);
            if (!wanted.ok()) {
                tell(subject, "blob.unknown-file", "it is not named after its content");
                continue;
            }
            found.insert(*wanted);
            ++report_.blobs;
            auto source = open_file(file.path());
            codec::Sha256 hash;
            std::vector<std::byte> buffer(256 * 1024);
            Result<std::size_t> n = source.ok() ? (*source)->read(buffer) : Result<std::size_t>(source.error());
            for (; n.ok() && *n > 0; n = (*source)->read(buffer)) hash.update(ByteView(buffer).first(*n));
            if (!n.ok()) {
                tell(subject, n.error().reason, n.error().message);
            } else if (hash.finish() != *wanted) {
                tell(subject, "blob.damaged", "its bytes are not those that it is named after");
            }
        }
        for (const Digest& blob : stored) {
            if (found.count(blob) == 0) tell("blobs/" + to_hex(blob), "file.missing", "the ledger says that it is stored");
        }
    }

    const FolderAudit& o_;
    FolderReport report_;
    std::optional<plan::Plan> plan_;
    std::vector<round::Entry> ledger_;
    bool whole_ = true;  // every record could be read
    std::optional<proof::Blinder> blinder_;
    std::optional<round::LogAudit> log_;
};

}  // namespace

Result<FolderReport> audit_folder(const FolderAudit& options) { return FolderAuditor(options).run(); }

}  // namespace entente::native
