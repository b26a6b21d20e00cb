// The transparency log on disk: a leaf for each record of the ledger, in C2SP's tiles, under the coordinator's checkpoint.
//
//   ENTENTE_ASSIGN(auto log, TransparencyLog::open({.folder = "data/log", .federation = "bearings", .key = key}));
//   ENTENTE_TRY(log->restore(ledger));                 // at the start: does the ledger still say what was signed?
//   log->add(entry);                                   // behind each durable record
//   ENTENTE_TRY(log->publish());                       // tiles durable, then the checkpoint, then it is shown
//
// Leaves are a function of the key and of the records (core/proof/log_entry.hpp), so a restart makes the same tree. The order
// never lies: a checkpoint is signed over records that are durable already, and shown when it is durable itself. Whatever
// breaks in between, the next one is consistent with every one that was ever shown.
//
// On disk a tile has no width in its name: it grows in place, and a narrower one is its beginning.
// data_loss "log.rolled-back": the ledger is shorter than what was signed; "log.other-history": it says something else;
// "log.damaged": a file of it is not what it was. One strand.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "entente/codec/sign.hpp"
#include "entente/proof/log_entry.hpp"
#include "entente/proof/note.hpp"
#include "entente/proof/tiles.hpp"
#include "entente/proof/tlog_proof.hpp"
#include "entente/round/journal.hpp"

namespace entente::native {

struct LogOptions {
    std::filesystem::path folder;
    std::string federation;
    codec::SigningKey key;
};

class TransparencyLog {
public:
    static Result<std::unique_ptr<TransparencyLog>> open(LogOptions options);

    Status restore(const std::vector<round::Entry>& ledger);
    void add(const round::Entry& entry);
    // Are there records that no checkpoint covers yet?
    [[nodiscard]] bool behind() const noexcept { return tree_.size() > shown_.size; }
    Status publish();

    // What is shown: the signed note, and what it says. Size 0 before the first.
    [[nodiscard]] const proof::Checkpoint& checkpoint() const noexcept { return shown_; }
    [[nodiscard]] std::string note() const { return proof::write_note(note_); }
    [[nodiscard]] std::vector<std::string> witnesses() const;  // who has cosigned it
    [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
    [[nodiscard]] proof::LogEntry entry_of(const round::Record& record) const noexcept;

    // A tile or bundle of the shown tree, as wide as it was asked for. not_found "log.no-tile" beyond it.
    [[nodiscard]] Result<Bytes> tile(const proof::Tile& tile) const;
    [[nodiscard]] Result<std::vector<Digest>> inclusion(std::uint64_t index) const;  // in the shown tree
    [[nodiscard]] Result<std::vector<Digest>> consistency(std::uint64_t from, std::uint64_t to) const;
    // Offline proof of the record at `index`.
    [[nodiscard]] Result<proof::TlogProof> proof_of(std::uint64_t index) const;

    // A witness's signature over the shown checkpoint; kept and shown with it. unauthenticated "note.*"; conflict
    // "log.other-checkpoint" when another has taken its place.
    Status add_cosignature(const std::string& note, const std::string& name, const codec::PublicKey& witness);

private:
    explicit TransparencyLog(LogOptions options);
    Status write_tiles();
    [[nodiscard]] std::filesystem::path place(const proof::Tile& tile) const;
    [[nodiscard]] Result<Bytes> read(const proof::Tile& tile) const;
    [[nodiscard]] proof::Nodes nodes(std::uint64_t size) const;
    Status keep(proof::Note note);

    LogOptions o_;
    std::string origin_;
    proof::Blinder blinder_;
    proof::TileTree tree_;
    Bytes bundle_;                       // the entries behind the last full bundle
    std::vector<std::pair<proof::Tile, Bytes>> full_bundles_;  // not written yet
    proof::Checkpoint shown_;
    proof::Note note_;
};

}  // namespace entente::native
