#include "proof/transparency_log.hpp"

#include "base/crash_point.hpp"
#include "base/files.hpp"

namespace entente::native {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t most_tile_bytes = 32 * 1024;
constexpr std::uint64_t most_note_bytes = 64 * 1024;
constexpr std::size_t entry_bytes = 66;  // with its length

Error lost(const char* reason, std::string message) { return {Code::data_loss, reason, std::move(message)}; }

}  // namespace

TransparencyLog::TransparencyLog(LogOptions options)
    : o_(std::move(options)), origin_(proof::log_origin(o_.federation)), blinder_(proof::Blinder::of(o_.key, o_.federation)) {
    shown_ = {origin_, 0, tree_.root()};
    note_ = proof::sign_checkpoint(shown_, o_.key);
}

Result<std::unique_ptr<TransparencyLog>> TransparencyLog::open(LogOptions options) {
    ENTENTE_TRY(make_directory(options.folder));
    std::unique_ptr<TransparencyLog> log(new TransparencyLog(std::move(options)));
    const fs::path path = log->o_.folder / "checkpoint";
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return log;
    ENTENTE_ASSIGN(const std::string text, read_text_file(path, most_note_bytes));
    auto note = proof::read_note(text);
    auto said = note.ok() ? proof::check_checkpoint(*note, log->origin_, log->o_.key.public_key()) : Result<proof::Checkpoint>(note.error());
    if (!said.ok()) return lost("log.damaged", path.string() + ": " + said.error().message + "; restore the data folder from a copy");
    log->note_ = std::move(note).value();
    log->shown_ = std::move(said).value();
    return log;
}

Status TransparencyLog::restore(const std::vector<round::Entry>& ledger) {
    if (ledger.size() < shown_.size) {
        return lost("log.rolled-back", "ledger: expected at least the " + std::to_string(shown_.size) + " records that the log's checkpoint covers, found " +
                                           std::to_string(ledger.size()) + "; it was taken back to an earlier state, which partners would see as a fork");
    }
    for (const round::Entry& entry : ledger) {
        add(entry);
        if (tree_.size() != shown_.size) continue;
        // So much is on disk already.
        tree_.take_changes();
        full_bundles_.clear();
        if (tree_.root() != shown_.root) {
            return lost("log.other-history", "ledger: its first " + std::to_string(shown_.size) + " records are not those that the log's checkpoint was signed over");
        }
    }
    return done();
}

proof::LogEntry TransparencyLog::entry_of(const round::Record& record) const noexcept { return blinder_.entry_of(round::record_digest(record)); }

void TransparencyLog::add(const round::Entry& entry) {
    const proof::LogEntry committed = entry_of(entry.record);
    tree_.add(proof::leaf_of(committed));
    proof::append_entry(bundle_, proof::encode(committed));
    if (tree_.size() % proof::tile_width != 0) return;
    full_bundles_.emplace_back(proof::Tile{true, 0, tree_.size() / proof::tile_width - 1, proof::tile_width}, std::move(bundle_));
    bundle_.clear();
}

fs::path TransparencyLog::place(const proof::Tile& tile) const {
    proof::Tile grown = tile;
    grown.width = proof::tile_width;
    return o_.folder / proof::path_of(grown);
}

Status TransparencyLog::write_tiles() {
    auto changes = tree_.take_changes();
    auto bundles = full_bundles_;
    if (const std::uint32_t width = proof::partial_width(tree_.size(), 0); width > 0) {
        bundles.emplace_back(proof::Tile{true, 0, proof::full_tiles(tree_.size(), 0), width}, bundle_);
    }
    changes.insert(changes.end(), bundles.begin(), bundles.end());
    for (const auto& [tile, bytes] : changes) {
        const fs::path path = place(tile);
        ENTENTE_TRY(make_directory(path.parent_path()));
        ENTENTE_TRY(write_file(path, bytes));
    }
    full_bundles_.clear();
    return done();
}

Status TransparencyLog::publish() {
    if (!behind()) return done();
    crash_point("log-appended");
    // What the disk would not take is not taken out of the tree's changes again: all of them are written anew.
    proof::TileTree before = tree_;
    if (Status written = write_tiles(); !written.ok()) {
        tree_ = std::move(before);
        return written;
    }
    crash_point("log-tiled");
    const proof::Checkpoint next{origin_, tree_.size(), tree_.root()};
    ENTENTE_TRY(keep(proof::sign_checkpoint(next, o_.key)));
    shown_ = next;
    return done();
}

Status TransparencyLog::keep(proof::Note note) {
    const std::string text = proof::write_note(note);
    ENTENTE_TRY(write_file(o_.folder / "checkpoint", as_bytes(std::string_view(text))));
    crash_point("log-signed");
    note_ = std::move(note);
    return done();
}

Result<Bytes> TransparencyLog::read(const proof::Tile& tile) const { return read_file(place(tile), most_tile_bytes); }

Result<Bytes> TransparencyLog::tile(const proof::Tile& tile) const {
    const std::uint64_t full = proof::full_tiles(shown_.size, tile.level);
    const bool there = tile.index < full || (tile.index == full && tile.width <= proof::partial_width(shown_.size, tile.level));
    if (!there) {
        return Error{Code::not_found, "log.no-tile", "log: " + proof::path_of(tile) + " lies beyond its " + std::to_string(shown_.size) + " records"};
    }
    ENTENTE_ASSIGN(Bytes bytes, read(tile));
    const std::size_t wanted = tile.width * (tile.entries ? entry_bytes : sizeof(Digest));
    if (bytes.size() < wanted) return lost("log.damaged", place(tile).string() + ": expected " + std::to_string(wanted) + " bytes, found " + std::to_string(bytes.size()));
    bytes.resize(wanted);
    return bytes;
}

proof::Nodes TransparencyLog::nodes(std::uint64_t size) const {
    return proof::nodes_of([this](const proof::Tile& tile) { return read(tile); }, size);
}

Result<std::vector<Digest>> TransparencyLog::inclusion(std::uint64_t index) const {
    return proof::inclusion_proof(index, shown_.size, nodes(shown_.size));
}

Result<std::vector<Digest>> TransparencyLog::consistency(std::uint64_t from, std::uint64_t to) const {
    if (to > shown_.size) {
        return Error{Code::invalid_argument, "proof.range", "log: expected a size up to " + std::to_string(shown_.size) + ", found " + std::to_string(to)};
    }
    return proof::consistency_proof(from, to, nodes(to));
}

Result<proof::TlogProof> TransparencyLog::proof_of(std::uint64_t index) const {
    ENTENTE_ASSIGN(auto path, inclusion(index));
    return proof::TlogProof{index, std::move(path), note_};
}

std::vector<std::string> TransparencyLog::witnesses() const {
    std::vector<std::string> names;
    for (const proof::NoteSignature& s : note_.signatures) {
        if (s.name != origin_) names.push_back(s.name);
    }
    return names;
}

Status TransparencyLog::add_cosignature(const std::string& text, const std::string& name, const codec::PublicKey& witness) {
    ENTENTE_ASSIGN(const proof::Note theirs, proof::read_note(text));
    if (theirs.text != note_.text) {
        return Error{Code::conflict, "log.other-checkpoint", "cosignature: expected one over the present checkpoint of " + std::to_string(shown_.size) + " records, found another text"};
    }
    ENTENTE_TRY(proof::check_cosignature(theirs, name, witness));
    proof::Note both = note_;
    const std::uint32_t id = proof::key_id(name, proof::NoteAlgorithm::cosignature, witness);
    std::erase_if(both.signatures, [&](const proof::NoteSignature& s) { return s.name == name && s.key_id == id; });
    for (const proof::NoteSignature& s : theirs.signatures) {
        if (s.name == name && s.key_id == id) both.signatures.push_back(s);
    }
    return keep(std::move(both));
}

}  // namespace entente::native
