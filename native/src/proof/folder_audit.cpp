#include "proof/folder_audit.hpp"

#include <algorithm>
#include <map>

#include "base/files.hpp"
#include "cli/key_file.hpp"
#include "entente/proof/log_entry.hpp"
#include "entente/proof/note.hpp"
#include "entente/proof/tiles.hpp"
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
        round::AuditOptions audit{.plan = *plan_, .coordinator = report_.coordinator, .blobs = {}, .leaf_of = {}};
        audit.blobs = [this](const Digest& blob) { return open_file(o_.folder / "blobs" / to_hex(blob)); };
        read_bundles();
        if (blinder_) {
            audit.leaf_of = [this](const round::Record& record) { return proof::leaf_of(blinder_->entry_of(round::record_digest(record))); };
        } else if (!entries_.empty()) {
            audit.leaf_of = [this](const round::Record& record) {
                const auto it = by_record_.find(round::record_digest(record));
                return it == by_record_.end() ? Digest{} : proof::leaf_of(it->second);
            };
        }
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

    void read_bundles() {
        for (std::uint64_t n = 0;; ++n) {
            const auto bytes = read_file(place({true, 0, n, proof::tile_width}), most_tile_bytes);
            if (!bytes.ok()) return;
            const auto bundle = proof::read_bundle(*bytes);
            if (!bundle.ok()) return tell(name({true, 0, n, proof::tile_width}), bundle.error().reason, bundle.error().message);
            for (const Bytes& raw : *bundle) {
                const auto entry = proof::decode_log_entry(raw);
                if (!entry.ok()) return tell(name({true, 0, n, proof::tile_width}), entry.error().reason, entry.error().message);
                entries_.push_back(*entry);
                by_record_[entry->record] = *entry;
            }
        }
    }

    static std::string name(const proof::Tile& tile) { return "log/" + proof::path_of(tile); }
    [[nodiscard]] fs::path place(const proof::Tile& tile) const { return o_.folder / "log" / proof::path_of(tile); }

    // The tree made anew, from the ledger and the key, or from the ledger and the bundles; every file of it compared.
    void check_log() {
        progress(1, "the log");
        const auto text = read_text_file(o_.folder / "log/checkpoint", most_tile_bytes * 2);
        auto note = text.ok() ? proof::read_note(*text) : Result<proof::Note>(text.error());
        auto said = note.ok() ? proof::check_checkpoint(*note, proof::log_origin(plan_->federation.id), report_.coordinator) : Result<proof::Checkpoint>(note.error());
        if (!said.ok()) return tell("log/checkpoint", said.error().reason, said.error().message);
        check_witnesses(*note, *text);
        report_.signed_records = said->size;
        if (said->size != ledger_.size()) {
            return tell("log/checkpoint", "log.other-size", "it covers " + std::to_string(said->size) + " records, the ledger has " + std::to_string(ledger_.size()));
        }
        proof::TileTree tree;
        std::map<std::string, Bytes> expected;
        Bytes bundle;
        for (std::size_t i = 0; i < ledger_.size(); ++i) {
            const Digest record = round::record_digest(ledger_[i].record);
            if (!blinder_ && (i >= entries_.size() || entries_[i].record != record)) {
                return tell("log: entry " + std::to_string(i), "log.other-entry", "it does not commit to record " + std::to_string(i + 1) + " of the ledger");
            }
            const proof::LogEntry entry = blinder_ ? blinder_->entry_of(record) : entries_[i];
            tree.add(proof::leaf_of(entry));
            proof::append_entry(bundle, proof::encode(entry));
            if ((i + 1) % proof::tile_width == 0 || i + 1 == ledger_.size()) {
                expected[name({true, 0, i / proof::tile_width, proof::tile_width})] = std::move(bundle);
                bundle.clear();
            }
        }
        for (auto& [tile, bytes] : tree.take_changes()) expected[name({false, tile.level, tile.index, proof::tile_width})] = std::move(bytes);
        if (tree.root() != said->root) tell("log/checkpoint", "log.other-history", "the ledger's records lead to another root than it signs");
        for (const auto& [path, bytes] : expected) {
            const auto found = read_file(o_.folder / path, most_tile_bytes);
            if (!found.ok()) {
                tell(path, found.error().reason, found.error().message);
            } else if (*found != bytes) {
                tell(path, "log.damaged", "it is not what the ledger's records give");
            }
        }
        std::error_code failed;
        for (fs::recursive_directory_iterator it(o_.folder / "log", failed), end; !failed && it != end; it.increment(failed)) {
            const std::string path = it->path().lexically_relative(o_.folder).generic_string();
            if (it->is_regular_file(failed) && path != "log/checkpoint" && expected.count(path) == 0) tell(path, "log.unknown-file", "the log has no such file");
        }
    }

    // Cosignatures are not the log's: each must be a participant's over this checkpoint, or it is not what was sent in.
    void check_witnesses(const proof::Note& note, const std::string& text) {
        if (proof::write_note(note) != text) tell("log/checkpoint", "note.malformed", "its text is not as it was written");
        std::map<std::string, codec::PublicKey> keys;
        for (const round::Entry& entry : ledger_) {
            if (const auto* p = std::get_if<round::ParticipantAdmitted>(&entry.record.body)) keys[p->participant] = p->key;
        }
        for (const proof::NoteSignature& s : note.signatures) {
            if (s.name == proof::log_origin(plan_->federation.id)) continue;
            const auto key = keys.find(s.name);
            const bool good = key != keys.end() && proof::check_cosignature(note, s.name, key->second).ok();
            if (!good) tell("log/checkpoint", "note.bad-signature", "the cosignature in the name of " + s.name + " is no participant's over this checkpoint");
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
    std::vector<proof::LogEntry> entries_;  // of the bundles
    std::map<Digest, proof::LogEntry> by_record_;
};

}  // namespace

Result<FolderReport> audit_folder(const FolderAudit& options) { return FolderAuditor(options).run(); }

}  // namespace entente::native
