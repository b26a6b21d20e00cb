#include "entente/round/log_audit.hpp"

#include <algorithm>

namespace entente::round {

namespace {

Error another(std::string code, std::string sentence) { return {Code::data_loss, std::move(code), std::move(sentence)}; }

}  // namespace

std::vector<proof::Tile> tiles_of(std::uint64_t size) {
    std::vector<proof::Tile> tiles;
    const auto add = [&](bool entries, unsigned level) {
        const std::uint64_t full = proof::full_tiles(size, level);
        for (std::uint64_t n = 0; n < full; ++n) tiles.push_back({entries, level, n, proof::tile_width});
        if (const std::uint32_t width = proof::partial_width(size, level); width > 0) tiles.push_back({entries, level, full, width});
    };
    add(true, 0);
    for (unsigned level = 0; level <= proof::highest_tile_level && (size >> (proof::tile_height * level)) > 0; ++level) add(false, level);
    return tiles;
}

void LogAudit::tell(std::string subject, std::string code, std::string sentence) {
    if (o_.on_problem) o_.on_problem({0, std::move(subject), std::move(code), std::move(sentence)});
}

std::string LogAudit::name(const proof::Tile& tile) const {
    proof::Tile whole = tile;
    whole.width = proof::tile_width;
    return o_.folder + proof::path_of(whole);
}

void LogAudit::read_bundles(std::uint64_t records) {
    for (const proof::Tile& tile : tiles_of(records)) {
        if (!tile.entries) return;
        const auto bytes = o_.read(tile);
        if (!bytes.ok()) return tell(name(tile), bytes.error().reason, bytes.error().message);
        const auto bundle = proof::read_bundle(*bytes);
        if (!bundle.ok()) return tell(name(tile), bundle.error().reason, bundle.error().message);
        for (const Bytes& raw : *bundle) {
            const auto entry = proof::decode_log_entry(raw);
            if (!entry.ok()) return tell(name(tile), entry.error().reason, entry.error().message);
            entries_.push_back(*entry);
            by_record_[entry->record] = *entry;
        }
    }
}

Receipts::LeafOf LogAudit::leaf_of() const {
    if (o_.blinder) {
        return [blinder = *o_.blinder](const Record& record) { return proof::leaf_of(blinder.entry_of(record_digest(record))); };
    }
    if (entries_.empty()) return {};
    return [this](const Record& record) {
        const auto it = by_record_.find(record_digest(record));
        return it == by_record_.end() ? Digest{} : proof::leaf_of(it->second);
    };
}

std::uint64_t LogAudit::check(const std::vector<Entry>& ledger, std::string_view text) {
    const std::string checkpoint = o_.folder + "checkpoint";
    const auto note = proof::read_note(text);
    const auto said = note.ok() ? proof::check_checkpoint(*note, proof::log_origin(o_.federation), o_.coordinator) : Result<proof::Checkpoint>(note.error());
    if (!said.ok()) {
        tell(checkpoint, said.error().reason, said.error().message);
        return 0;
    }
    check_witnesses(ledger, *note, text);
    if (said->size != ledger.size()) {
        tell(checkpoint, "log.other-size", "it covers " + std::to_string(said->size) + " records, the ledger has " + std::to_string(ledger.size()));
        return said->size;
    }
    proof::TileTree tree;
    std::vector<std::pair<proof::Tile, Bytes>> expected;
    Bytes bundle;
    for (std::size_t i = 0; i < ledger.size(); ++i) {
        const Digest record = record_digest(ledger[i].record);
        if (!o_.blinder && (i >= entries_.size() || entries_[i].record != record)) {
            tell("log: entry " + std::to_string(i), "log.other-entry", "it does not commit to record " + std::to_string(i + 1) + " of the ledger");
            return said->size;
        }
        const proof::LogEntry entry = o_.blinder ? o_.blinder->entry_of(record) : entries_[i];
        tree.add(proof::leaf_of(entry));
        proof::append_entry(bundle, proof::encode(entry));
        const auto width = static_cast<std::uint32_t>(i % proof::tile_width + 1);
        if (width == proof::tile_width || i + 1 == ledger.size()) {
            expected.emplace_back(proof::Tile{true, 0, i / proof::tile_width, width}, std::move(bundle));
            bundle.clear();
        }
    }
    for (auto& changed : tree.take_changes()) expected.push_back(std::move(changed));
    if (tree.root() != said->root) tell(checkpoint, "log.other-history", "the ledger's records lead to another root than it signs");
    for (const auto& [tile, bytes] : expected) {
        paths_.insert(name(tile));
        const auto found = o_.read(tile);
        const Error wrong = found.ok() ? another("log.damaged", "it is not what the ledger's records give") : found.error();
        if (!found.ok() || *found != bytes) tell(name(tile), wrong.reason, wrong.message);
    }
    return said->size;
}

// Cosignatures are not the log's: each must be a participant's over this checkpoint, or it is not what was sent in.
void LogAudit::check_witnesses(const std::vector<Entry>& ledger, const proof::Note& note, std::string_view text) {
    if (proof::write_note(note) != text) tell(o_.folder + "checkpoint", "note.malformed", "its text is not as it was written");
    std::map<std::string, std::vector<codec::PublicKey>> keys;  // all that each has had
    for (const Entry& entry : ledger) {
        if (const auto* p = std::get_if<ParticipantAdmitted>(&entry.record.body)) keys[p->participant].push_back(p->key);
        if (const auto* r = std::get_if<KeyRotated>(&entry.record.body)) keys[r->participant].push_back(r->key);
    }
    for (const proof::NoteSignature& s : note.signatures) {
        if (s.name == proof::log_origin(o_.federation)) continue;
        const std::vector<codec::PublicKey>& own = keys[s.name];
        const bool good = std::any_of(own.begin(), own.end(), [&](const codec::PublicKey& key) { return proof::check_cosignature(note, s.name, key).ok(); });
        if (!good) tell(o_.folder + "checkpoint", "note.bad-signature", "the cosignature in the name of " + s.name + " is no participant's over this checkpoint");
    }
}

}  // namespace entente::round
