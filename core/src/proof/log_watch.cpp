#include "entente/proof/log_watch.hpp"

#include "entente/proof/tree.hpp"

namespace entente::proof {

LogWatch::LogWatch(std::string origin, const codec::PublicKey& log, std::string_view kept) : origin_(std::move(origin)), log_(log) {
    const auto note = read_note(kept);
    if (!note.ok()) return;
    auto checkpoint = check_checkpoint(*note, origin_, log_);
    if (!checkpoint.ok()) return;
    last_ = std::string(kept);
    checkpoint_ = std::move(checkpoint).value();
}

Error LogWatch::fork(const std::string& what) const {
    return {Code::data_loss, "log.fork",
            "the coordinator " + what + ": it had signed a history of " + std::to_string(checkpoint_->size) + " records with the root " + short_hex(checkpoint_->root) +
                ", and now signs one of " + std::to_string(seen_.size) + " with the root " + short_hex(seen_.root) +
                ". Nothing more is sent to it; both signatures are kept"};
}

Result<std::optional<LogWatch::Wanted>> LogWatch::see(std::string_view note) {
    ENTENTE_ASSIGN(const Note read, read_note(note));
    ENTENTE_ASSIGN(seen_, check_checkpoint(read, origin_, log_));
    other_ = std::string(note);
    if (checkpoint_ && seen_.size < checkpoint_->size) return fork("has gone back to a shorter history");
    if (checkpoint_ && seen_.size == checkpoint_->size && seen_.root != checkpoint_->root) return fork("shows two histories of the same length");
    if (checkpoint_ && seen_.size > checkpoint_->size) return std::optional<Wanted>(Wanted{checkpoint_->size, seen_.size});
    last_ = other_;
    checkpoint_ = seen_;
    return std::optional<Wanted>();
}

Status LogWatch::prove(std::span<const Digest> path) {
    const Status proved = check_consistency(checkpoint_->size, checkpoint_->root, seen_.size, seen_.root, path);
    if (!proved.ok()) return fork("cannot show that its history goes on where it ended");
    last_ = other_;
    checkpoint_ = seen_;
    return done();
}

}  // namespace entente::proof
