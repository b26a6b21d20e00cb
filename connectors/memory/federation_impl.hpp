#pragma once

#include <deque>
#include <map>

#include "connectors/memory/federation.hpp"
#include "connectors/memory/memory_connector.hpp"
#include "entente/nn/training.hpp"

namespace entente::memory {

// One partner: its machine, its connector, and the training it has under way.
struct Partner {
    PartnerSetup setup;
    std::unique_ptr<round::Participant> machine;
    std::unique_ptr<MemoryConnector> connector;

    std::optional<round::participant::Watch> parked;  // waits for a change
    std::optional<round::participant::Train> job;     // being trained
    std::optional<nn::LocalTraining> training;
    bool finished = false;

    std::vector<float> alone;  // the model that only its own data has made
    std::optional<nn::LocalTraining> alone_training;
    std::uint64_t alone_round = 0;

    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    double loss = 0;
    Status outcome = done();
};

class Federation::Impl {
public:
    explicit Impl(FederationOptions options_in) : options(std::move(options_in)), now_ms(options.start_ms) {}

    Status set_up();
    Result<bool> advance(std::uint32_t max_batches);

    // federation_training.cpp: everything that takes time
    [[nodiscard]] bool training() const;  // somebody has a training to report
    [[nodiscard]] bool busy() const;      // somebody has batches left
    Status train(std::uint32_t max_batches);
    Status start_job(Partner& partner);
    Status report_trained();
    [[nodiscard]] std::vector<std::size_t> arrival_order(std::uint64_t round) const;
    Status score_round();

    // federation_protocol.cpp: commands of the machines over the memory connector
    Result<bool> exchange();  // true when anything happened
    void send(round::coordinator::Event event);
    void send(Partner& partner, round::participant::Event event);
    void wake_coordinator();
    bool wake(Partner& partner);

    void on(round::coordinator::Persist& c);
    void on(round::coordinator::KeepStaged& c);
    void on(round::coordinator::DropStaged& c);
    void on(round::coordinator::StoreBlob& c);
    void on(round::coordinator::LoadBlob& c);
    void on(round::coordinator::OfferModel& c);
    void on(round::coordinator::PublishModel& c);
    void on(round::coordinator::Negotiate& c);
    void on(round::coordinator::Retrieve& c);
    void on(round::coordinator::Conclude& c);

    void on(Partner& p, round::participant::OfferUpdates& c);
    void on(Partner& p, round::participant::Watch& c);
    void on(Partner& p, round::participant::Wait& c);
    void on(Partner& p, round::participant::Negotiate& c);
    void on(Partner& p, round::participant::Fetch& c);
    void on(Partner& p, round::participant::Conclude& c);
    void on(Partner& p, round::participant::Train& c);
    void on(Partner& p, round::participant::Deliver& c);
    void on(Partner& p, round::participant::Finish& c);
    void on(Partner& p, round::participant::Notice& c);

    [[nodiscard]] FederationView view() const;

    FederationOptions options;
    std::int64_t now_ms;
    Executor* executor = nullptr;

    std::shared_ptr<Space> space;
    std::unique_ptr<round::Coordinator> coordinator;
    std::unique_ptr<MemoryConnector> coordinator_connector;
    std::uint64_t coordinator_cursor = 0;
    std::vector<Partner> partners;

    std::vector<round::Entry> ledger;
    std::map<Digest, std::shared_ptr<const Bytes>> blobs;  // the current model's envelope only
    std::vector<RoundResult> results;
    std::uint64_t scored = 0;       // rounds that have a result
    std::uint64_t agreements = 0;
    std::uint64_t next_token = 1;
    std::uint64_t token_kept = 0;   // staged bytes that the coordinator asked to keep
    std::uint64_t up_before = 0;
    std::uint64_t down_before = 0;
    std::string stuck;              // why nothing more can happen
};

}  // namespace entente::memory
