// Drives the coordinator's state machine under the server: carries out its commands, answers them with events, and
// keeps what must survive a restart.
//
//   ENTENTE_ASSIGN(auto host, Host::open(std::move(options)));
//   ENTENTE_TRY(host->start());                  // goes on where the ledger ends
//   host->on_timer();                            // whenever the timer that it armed has run out
//
// Everything is durable before anybody hears of it. When the disk is full the machine stands still and tries again
// each second; what arrives in the meantime is answered with no_space. One strand; no sockets in here.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "connectors/hub/hub_space.hpp"
#include "entente/round/coordinator.hpp"
#include "server/evaluator.hpp"
#include "server/history.hpp"
#include "proof/transparency_log.hpp"
#include "store/blob_store.hpp"
#include "store/state_store.hpp"

namespace entente::native {

struct HostOptions {
    plan::Plan plan;
    codec::SigningKey key;
    StateStore& store;
    BlobStore& blobs;
    TransparencyLog& log;  // over this store's ledger
    std::uint64_t keep_rounds = 0;  // for how many rounds counted updates stay, as far as their agreements let
    std::function<void(std::int64_t delay_ms)> arm_timer;          // replaces the one armed before
    std::function<void(const LedgerRow&)> on_ledger;               // may be empty
    std::function<void()> on_change;                               // status has changed; may be empty
    std::function<void(std::shared_ptr<const std::vector<float>>, Digest)> on_model;  // a new model is visible; may be empty
    std::function<void(Error)> on_failure;                         // the machine cannot go on
    // Takes over a negotiation with a participant that has a connector of its own: true, and completes now or later. May
    // be empty.
    std::function<bool(const std::string& participant, const contract::Agreement& proposal, contract::Completion<contract::Agreement>)> negotiate = {};
};

class Host final : public hub::Storage {
public:
    static Result<std::unique_ptr<Host>> open(HostOptions options);
    Status start();
    void on_timer();
    // What could not be done before may be possible now.
    void look_again();
    // The timer may have to run out earlier: somebody has begun to wait.
    void arm();
    // Writes what was not urgent and answers all waits.
    void drain();

    hub::HubSpace& space() noexcept { return *space_; }
    History& history() noexcept { return history_; }
    TransparencyLog& log() noexcept { return o_.log; }
    [[nodiscard]] const round::Coordinator& machine() const noexcept { return machine_; }
    [[nodiscard]] round::coordinator::View view() const { return machine_.view(); }
    [[nodiscard]] bool stalled() const noexcept { return stalled_.has_value(); }
    [[nodiscard]] std::optional<ContentRow> content_of(const std::string& asset) const;

    Status admit(const std::string& participant, const std::string& name, const codec::PublicKey& key);
    void seen(const std::string& participant);
    Status leave(const std::string& participant, const std::string& reason);
    // A key in place of the former one, at once; the caller has checked both signatures.
    Status rotate(const round::KeyRotated& rotation);
    // not_found "participant.unknown".
    Status suspend(const std::string& participant, const std::string& reason);
    Status resume(const std::string& participant);
    [[nodiscard]] std::optional<std::string> suspension(const std::string& participant) const { return machine_.suspension(participant); }
    // A participant's cosignature over the shown checkpoint, as a signed note (TransparencyLog::add_cosignature).
    Status cosigned(const std::string& note, const std::string& participant, const codec::PublicKey& key);
    // An upload lies durably under `blob`.
    Status uploaded(const std::string& participant, const std::string& asset, const contract::Version& version, const Digest& blob);
    // Puts the exchange's decisions on the ledger; to be done before bytes leave under one.
    Status record_decisions();

private:
    using Commands = round::coordinator::Commands;
    using Command = round::coordinator::Command;
    struct Pending {  // commands that are being carried out
        Commands commands;
        std::size_t next = 0;
        std::optional<std::uint64_t> token;  // of the update that they judge
    };

    explicit Host(HostOptions options, round::Coordinator machine);
    Status load(const Digest& blob);
    void repair(const std::vector<round::Entry>& entries);
    Status sweep(const std::vector<round::Entry>& entries);

    void enqueue(round::coordinator::Event event);
    void note_seen(const std::string& participant, std::int64_t now);
    void drive();
    bool carry_out(Pending& pending);
    Status persist(Pending& pending);
    void see_receipt(const round::Entry& entry);
    [[nodiscard]] bool receipt_is_shown() const;  // the log's checkpoint covers the last one
    void publish_log();  // what is on the ledger becomes what the log shows
    Status append(std::vector<round::Record> records);  // to the ledger, behind the decisions that wait
    Status delete_updates(const std::vector<Digest>& blobs);
    void discard(const Digest& blob);  // a refused update's bytes
    void discard_offer(const std::string& participant);
    [[nodiscard]] bool takes_part(const std::string& participant) const;
    Status execute(Command& command);
    void retrieve(round::coordinator::Retrieve& command);
    void remove_unused(const Digest& blob);
    Status publish(const round::coordinator::PublishModel& command);
    void watch();

    // hub::Storage
    Result<std::shared_ptr<contract::ByteSource>> open(const std::string& asset, const contract::Version& version) override;
    Status keep(const std::string& asset, const contract::Version& version, contract::ByteSource& content) override;
    Status save(const contract::Exchange& exchange, bool urgent) override;
    [[nodiscard]] Snapshot snapshot(const contract::Exchange& exchange) const;

    HostOptions o_;
    round::Coordinator machine_;
    std::string coordinator_;  // its participant id
    std::unique_ptr<hub::HubSpace> space_;
    std::unique_ptr<hub::HubSide> side_;
    History history_;
    std::optional<round::Entry> last_entry_;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> last_receipt_;  // its entry's sequence, and its round
    std::map<std::string, ContentRow> contents_;
    std::map<std::uint64_t, Digest> tokens_;        // staged updates: where they lie
    std::map<std::pair<std::uint64_t, std::string>, Digest> counted_blobs_;  // that are stored, by round and participant
    std::map<std::string, contract::Version> spent_;  // by asset: a version whose bytes were deleted
    std::vector<round::Record> decisions_;            // of the exchange, not on the ledger yet
    round::DecisionLog decision_log_;
    std::map<std::uint64_t, std::shared_ptr<contract::ByteSource>> sources_;  // that queued events point into
    std::uint64_t next_token_ = 1;
    std::deque<round::coordinator::Event> events_;
    std::optional<Pending> stalled_;
    std::optional<std::int64_t> due_ms_;  // when the timer runs out, of the monotonic clock
    bool driving_ = false;
    bool watch_wanted_ = false;
    bool dirty_ = false;  // the exchange has changes that were not urgent
    bool retry_watch_ = false;
    bool retry_log_ = false;  // the disk would not take it
};

}  // namespace entente::native
