// What a participant remembers of the log: the last checkpoint that it has seen, so that nobody can show it another history
// later.
//
//   LogWatch watch(log_origin("bearings"), coordinator_key, kept_note);     // kept_note: empty the first time
//   ENTENTE_ASSIGN(const auto wanted, watch.see(note));                     // at every poll
//   if (wanted) ENTENTE_TRY(watch.prove(hashes));                           // the consistency proof from wanted->from to wanted->to
//   keep(watch.last());                                                     // durably, before going on
//
// data_loss "log.fork": the coordinator has signed two histories that exclude each other, or cannot show that they do not;
// last() and other() are the evidence, two notes under its signature. Errors of note.hpp: what was seen is no checkpoint of
// this log, and is as if it had not been seen. Not thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "entente/proof/note.hpp"

namespace entente::proof {

class LogWatch {
public:
    struct Wanted {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
    };

    // What is kept and is not this log's counts as nothing.
    LogWatch(std::string origin, const codec::PublicKey& log, std::string_view kept);

    // Nothing: the checkpoint is the last one again, or the first that was seen.
    Result<std::optional<Wanted>> see(std::string_view note);
    // REQUIRES: see() has just asked for it.
    Status prove(std::span<const Digest> path);

    [[nodiscard]] const std::string& last() const noexcept { return last_; }
    [[nodiscard]] const std::string& other() const noexcept { return other_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return checkpoint_ ? checkpoint_->size : 0; }

private:
    [[nodiscard]] Error fork(const std::string& what) const;

    std::string origin_;
    codec::PublicKey log_;
    std::string last_;
    std::optional<Checkpoint> checkpoint_;  // that last_ is
    std::string other_;
    Checkpoint seen_;                       // that other_ is
};

}  // namespace entente::proof
