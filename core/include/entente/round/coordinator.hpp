// The global node's half of the round, as a state machine: events in, commands out.
//
//   auto coordinator = Coordinator::create(plan, key).value();
//   for (Command& command : coordinator.handle(Started{now_ms})) execute(std::move(command));
//
// It never blocks, never reads a clock, never logs, does no I/O: the server, the simulator, the browser's offline
// demo and the fault tests drive this one implementation.
//
//   announce(r, model, goal, deadline) -> collect -> close -> aggregate -> publish(r+1)
//
// Contract with the driver
//  1. Commands of one answer are carried out in order. Persist and StoreBlob are durable (fsync) before the next
//     command begins; if one fails, the driver stops and reports it (an update's: StorageFailed).
//  2. An update is in the round when its Persist{UpdateAccepted} is durable: the driver then says Stored{token}.
//  3. After a restart: create(), then restore(records), carry out its LoadBlob commands, answer each with
//     BlobLoaded, then Started. The model that follows is the undisturbed run's, bit for bit.
//
// Memory: parameters (4 bytes each), the fold (8), updates in their packed form that wait to be folded together (8 and
// one update at most), whatever the number of participants.
// Not thread-safe: one strand.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "entente/aggregate/fold.hpp"
#include "entente/aggregate/strategy.hpp"
#include "entente/codec/frame.hpp"
#include "entente/contract/connector.hpp"
#include "entente/plan/plan.hpp"
#include "entente/round/journal.hpp"

namespace entente::round {

// An update as Coordinator::open found it, decoded, its digest and signature checked, or why it is not whole; or as its
// participant sealed it in the same process (participant::Deliver::opened).
struct OpenedUpdate;

namespace coordinator {

// --- events -----------------------------------------------------------------------------------------------------
struct Started {
    std::int64_t now_ms;
};
// Identity has admitted somebody (a join code was redeemed).
struct Joined {
    std::string participant;
    std::string name;
    codec::PublicKey key;
    std::int64_t now_ms;
};
struct Left {
    std::string participant;
    std::string reason;
    std::int64_t now_ms;
};
// Identity has seen both signatures (check_rotation) and that the former key is the participant's.
struct Rotated {
    KeyRotated rotation;
    std::int64_t now_ms;
};
// The operator's word.
struct Suspension {
    std::string participant;
    bool suspended = false;
    std::string reason;
    std::int64_t now_ms;
};
// Any sign of life.
struct Seen {
    std::string participant;
    std::int64_t now_ms;
};
// What the connector shows: the answer to Watch, or any time it changed.
struct Watched {
    contract::Catalog catalog;
    std::vector<contract::Agreement> model_agreements;  // agreements over the global model
    std::int64_t now_ms;
};
// Answer to Negotiate.
struct Negotiated {
    std::string participant;
    Result<contract::Agreement> agreement;
    std::int64_t now_ms;
};
// Answer to Retrieve. `content` is read before handle() returns and lies staged under `token` at the driver; a driver
// with threads may have had it opened beforehand and says `opened` instead.
struct Retrieved {
    std::string participant;
    Result<contract::Transfer> transfer;
    std::uint64_t token = 0;
    contract::ByteSource* content = nullptr;  // not owned; null when the transfer failed
    std::int64_t now_ms = 0;
    std::shared_ptr<OpenedUpdate> opened = nullptr;
};
struct Stored {
    std::uint64_t token;
    std::int64_t now_ms;
};
struct StorageFailed {
    std::uint64_t token;
    Error error;
    std::int64_t now_ms;
};
struct BlobLoaded {
    Digest blob;
    Result<Done> found;
    contract::ByteSource* content = nullptr;
};
// A participant has cosigned a checkpoint of the log (proof/note.hpp) that covers the receipts up to that of `round`. The driver
// has checked its signature. After a restart it is said again, where it is known.
struct Cosigned {
    std::string participant;
    std::uint64_t round;
    std::int64_t now_ms;
};
struct Tick {
    std::int64_t now_ms;
};

using Event = std::variant<Started, Joined, Left, Rotated, Suspension, Seen, Watched, Negotiated, Retrieved, Stored, StorageFailed, BlobLoaded,
                           Cosigned, Tick>;

// --- commands ---------------------------------------------------------------------------------------------------
struct Persist {
    Record record;
};
// Make what lies staged under `token` durable under its SHA-256.
struct KeepStaged {
    std::uint64_t token;
    Digest blob;
};
// It was refused: what lies staged is deleted, wherever else the driver keeps it.
struct DropStaged {
    std::uint64_t token;
};
struct StoreBlob {
    Digest blob;
    std::shared_ptr<const Bytes> bytes;
};
struct LoadBlob {
    Digest blob;
};
// Updates that a round has counted, or what a strategy remembered: not needed any more, or due to be deleted. Gone before the
// next command begins. One that is not there is no failure.
struct DeleteUpdates {
    std::vector<Digest> blobs;
};
// An agreement has run out or is used up: its running transfers end.
struct EndAgreement {
    std::string agreement;
    contract::Outcome outcome;
};
struct OfferModel {
    contract::Asset asset;
    contract::SignedOffer offer;
};
struct PublishModel {
    std::string asset;
    contract::Version version;
    Digest blob;
};
struct Negotiate {
    std::string participant;
    contract::Agreement proposal;
};
struct Retrieve {
    std::string participant;
    contract::TransferRequest request;
    std::uint64_t limit_bytes;  // of the envelope; more is refused while it arrives
};
struct Conclude {
    std::string transfer;
    contract::Outcome outcome;
};

using Command = std::variant<Persist, KeepStaged, DropStaged, StoreBlob, LoadBlob, DeleteUpdates, EndAgreement, OfferModel,
                             PublishModel, Negotiate, Retrieve, Conclude>;
using Commands = std::vector<Command>;

enum class Phase : std::uint8_t {
    restoring,   // loading what the ledger names
    waiting,     // for enough participants
    collecting,  // a round is open
    finished,    // the plan's rounds are done
};
std::string_view to_string(Phase phase) noexcept;

enum class Standing : std::uint8_t { admitted, agreed, training, delivered, absent, refused, left, suspended };
std::string_view to_string(Standing standing) noexcept;

// --- what people see --------------------------------------------------------------------------------------------
struct ParticipantView {
    std::string id;
    std::string name;
    Standing standing = Standing::admitted;
    std::string update_agreement;
    std::string model_agreement;
    std::int64_t last_seen_ms = 0;
    std::uint64_t contributions = 0;
    std::uint64_t refusals = 0;
    std::string last_refusal;
    std::uint64_t bytes_up = 0;
};

struct View {
    Phase phase = Phase::waiting;
    std::uint64_t round = 0;
    std::uint64_t completed = 0;
    std::uint64_t rounds = 0;
    std::int64_t opened_at_ms = 0;
    std::int64_t deadline_ms = 0;
    std::uint32_t expected = 0;   // whom the round waits for
    std::uint32_t delivered = 0;
    Digest model;                   // content digest of the current global model
    std::uint64_t model_bytes = 0;  // of its envelope
    std::string waiting_for;        // a sentence, while phase is waiting
    std::uint64_t unwitnessed = 0;  // a round whose receipt has too few cosignatures for the next one to open; 0: none
    std::vector<ParticipantView> participants;  // in order of id
};

}  // namespace coordinator

class Coordinator {
public:
    using Event = coordinator::Event;
    using Command = coordinator::Command;
    using Commands = coordinator::Commands;

    // Fails like plan::check. The executor, which must outlive it, only makes it faster.
    static Result<Coordinator> create(plan::Plan plan, codec::SigningKey key, Executor& executor = inline_executor());
    ~Coordinator();
    Coordinator(Coordinator&&) noexcept;
    Coordinator& operator=(Coordinator&&) noexcept;

    // For so many rounds after its own an update that was counted stays stored, so that the round can be verified, as far as
    // its agreement's retention lets (policy::retention_ms). 0, as it begins: it is deleted with its round. Before restore().
    void keep_updates(std::uint64_t rounds);

    // Before the first event, after a restart. data_loss "ledger.*" when the records contradict plan or key.
    Result<Commands> restore(const std::vector<Record>& records);

    Commands handle(Event event);

    // What takes time in judging an update, and depends on nothing but plan and bytes. Several threads may do it at
    // once while no handle() runs. Null when `content` could not be read: the update is asked for again.
    [[nodiscard]] std::shared_ptr<OpenedUpdate> open(contract::ByteSource& content) const;

    [[nodiscard]] const plan::Plan& plan() const noexcept;
    [[nodiscard]] coordinator::View view() const;
    [[nodiscard]] coordinator::View summary() const;  // without the participants: cheap, however many there are
    // Why this participant is suspended; empty when it is not.
    [[nodiscard]] std::optional<std::string> suspension(const std::string& participant) const;
    [[nodiscard]] std::span<const float> parameters() const noexcept;  // of the current global model
    // Why the machine cannot go on (a restored blob is missing or damaged); the driver stops with it.
    [[nodiscard]] const std::optional<Error>& failure() const noexcept;
    // Milliseconds until a Tick is due at the latest; empty when only events matter.
    [[nodiscard]] std::optional<std::int64_t> next_tick_ms(std::int64_t now_ms) const;

private:
    class Impl;
    explicit Coordinator(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace entente::round
