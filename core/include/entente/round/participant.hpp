// A participant's half of the round, as a state machine: events in, commands out.
//
//   auto participant = Participant::create(options).value();
//   for (Command& command : participant.handle(Started{now_ms})) execute(std::move(command));
//
//   watch -> agree -> fetch the model -> train -> encode, sign -> deliver the update -> receipt -> watch
//
// What it does next is a function of what the connector shows (offers, agreements, transfers), so a participant
// that was killed or reloaded goes on with nothing but its key. At most one command is outstanding; the driver
// answers it with the event named beside it, or with Failed. No I/O, no clock, no threads: native process, browser
// page, simulator and fault tests drive this one implementation. Not thread-safe: one strand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "entente/codec/frame.hpp"
#include "entente/contract/connector.hpp"
#include "entente/plan/plan.hpp"
#include "entente/task/score.hpp"
#include "entente/task/sums.hpp"

namespace entente::round {

// The global model as Participant::open found it: verified and decoded, or why it is not good.
struct OpenedModel;
// An update as Coordinator::open would find it.
struct OpenedUpdate;

namespace participant {

// --- events -----------------------------------------------------------------------------------------------------
struct Started {
    std::int64_t now_ms;
};
struct Offered {};  // answer to OfferUpdates
// Answer to Watch: all that the connector shows.
struct Watched {
    contract::Catalog catalog;
    std::optional<contract::Version> own_version;      // what the own update stream offers now
    std::vector<contract::Agreement> own_agreements;   // over the own update stream
    std::vector<contract::Transfer> own_transfers;     // of the own update stream
    std::int64_t now_ms;
};
struct Agreed {  // answer to Negotiate
    contract::Agreement agreement;
};
struct Fetched {  // answer to Fetch
    contract::Transfer transfer;
    Bytes envelope;
    std::shared_ptr<const OpenedModel> opened = nullptr;  // says the same as `envelope`, which may then be empty
};
// What an update says of global_metric.
inline constexpr const char* measure_metric = "eval.metric";

struct Trained {  // answer to Train
    std::vector<float> parameters;  // y_i, [d]
    std::uint64_t examples = 0;     // n_i: rows trained on (not times epochs)
    std::uint64_t steps = 0;        // tau_i
    double mean_loss = 0;
    std::optional<task::Score> global_score;  // the fetched model on the own evaluation rows
    std::optional<task::Score> local_score;   // the trained one on the same rows
    std::optional<double> global_metric;      // of a table: the task's first metric of the fetched model
    std::int64_t train_ms = 0;                // wall time of the training alone, as the driver measured it
    std::vector<std::int32_t> sums;           // task::sums_of the own rows, where Train asked to measure; then alone
};
struct Kept {};       // answer to KeepState
struct Delivered {};  // answer to Deliver
struct Waited {        // answer to Wait
    std::int64_t now_ms;
};
struct Failed {       // answer to any
    Error error;
    std::int64_t now_ms;
};

using Event = std::variant<Started, Offered, Watched, Agreed, Fetched, Trained, Kept, Delivered, Waited, Failed>;

// --- commands ---------------------------------------------------------------------------------------------------
struct OfferUpdates {
    contract::Asset asset;
    contract::SignedOffer offer;
};
// Wait up to wait_ms for a change since `cursor` (0: look at once), then report what there is.
struct Watch {
    std::uint64_t cursor;
    std::int64_t wait_ms;
};
// Do nothing for so long: something failed and will be tried again.
struct Wait {
    std::int64_t ms;
};
struct Negotiate {
    contract::Agreement proposal;
};
struct Fetch {
    contract::TransferRequest request;
    std::uint64_t limit_bytes;
};
// Tell the provider that the model was good or why not; needs no answer.
struct Conclude {
    std::string transfer;
    contract::Outcome outcome;
};
// Train from `parameters` with plan::training_options(plan, round, id), on rows scaled with `shared` where there is one. Or, with
// `measure`, the round before any training: nothing but the sums of the own rows is wanted.
struct Train {
    std::uint64_t round;
    std::shared_ptr<const std::vector<float>> parameters;
    std::shared_ptr<const std::vector<float>> correction;  // [d], for nn::LocalTraining::correct(); null: none
    std::shared_ptr<const task::Shared> shared = nullptr;  // what everybody scales with; null: the task's scaling is another
    bool measure = false;
};
// Keep these bytes durably in the place of those kept before, then say Kept; after a restart they go into
// Options::state. They belong to this participant and plan and never leave the machine. At most state_limit(plan).
struct KeepState {
    std::shared_ptr<const Bytes> state;
};
struct Deliver {
    std::string asset;
    contract::Version version;
    std::shared_ptr<const Bytes> envelope;
    std::shared_ptr<OpenedUpdate> opened = nullptr;  // says the same as `envelope`; only with Options::beside_coordinator
};
// The end: the final model, or why there is none. No command follows.
struct Finish {
    Status outcome;
    std::shared_ptr<const std::vector<float>> parameters;  // null when the outcome is an error
    std::uint64_t rounds = 0;
    std::shared_ptr<const task::Shared> shared = nullptr;  // as in Train
};
// Something a person wants to know; needs no answer.
struct Notice {
    enum class Kind : std::uint8_t { agreed, model_received, trained, delivered, accepted, refused, abandoned, retrying };
    Kind kind;
    std::uint64_t round = 0;
    std::string code;
    std::string sentence;
};

using Command = std::variant<OfferUpdates, Watch, Wait, Negotiate, Fetch, Conclude, Train, KeepState, Deliver, Finish, Notice>;
using Commands = std::vector<Command>;

struct Options {
    plan::Plan plan;
    std::string id;
    codec::SigningKey key;
    codec::PublicKey coordinator_key;
    std::string accepted_by;  // who accepts the contract
    Bytes state = {};         // what KeepState last carried; empty at first. What is damaged counts as empty
    // Of a participant that was here before: its agreements in force, as this machine verified them then. With the one
    // over its updates among them, its offer still stands and is not made again.
    std::vector<contract::Agreement> agreements = {};
    // The coordinator lives in the same process and may take an update as it was sealed, unopened.
    bool beside_coordinator = false;
};

// One thing that left this machine (or came to it), for the "what leaves this computer" list.
struct Crossing {
    std::uint64_t round = 0;
    bool outgoing = false;
    std::string agreement;
    Digest content;
    std::uint64_t size_bytes = 0;
    std::uint64_t clipped = 0;
    bool sums = false;  // of the own rows, before any training
};

struct View {
    std::string activity;  // "watching", "fetching", "measuring", "training", "delivering", "awaiting-receipt", "finished"
    std::uint64_t round = 0;
    std::uint64_t contributions = 0;
    std::uint64_t refusals = 0;
    std::string model_agreement;
    std::string update_agreement;
    std::vector<Crossing> crossings;
};

// The most that KeepState carries; 0: the plan needs no state.
std::uint64_t state_limit(const plan::Plan& plan);

}  // namespace participant

class Participant {
public:
    using Event = participant::Event;
    using Command = participant::Command;
    using Commands = participant::Commands;

    // Fails like plan::check, and with "contract.bad-id".
    static Result<Participant> create(participant::Options options);
    ~Participant();
    Participant(Participant&&) noexcept;
    Participant& operator=(Participant&&) noexcept;

    Commands handle(Event event);

    // What takes time in taking a model in; a function of its arguments. Where many participants live in one process,
    // one opening serves them all.
    static std::shared_ptr<const OpenedModel> open(const plan::Plan& plan, ByteView envelope,
                                                   const codec::PublicKey& coordinator);

    [[nodiscard]] const plan::Plan& plan() const noexcept;
    [[nodiscard]] participant::View view() const;

private:
    class Impl;
    explicit Participant(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace entente::round
