#pragma once

#include <deque>
#include <map>

#include "connectors/memory/federation.hpp"
#include "connectors/memory/memory_connector.hpp"
#include "entente/nn/training.hpp"

namespace entente::memory {

// What a partner has only while it is present: its machine, its connector, and what both are about.
struct Seat {
    Seat(round::Participant machine_in, MemoryConnector connector_in)
        : machine(std::move(machine_in)), connector(std::move(connector_in)) {}

    round::Participant machine;
    MemoryConnector connector;
    std::optional<round::participant::Watch> parked;     // waits for a change
    bool news = false;                                   // something of its own has changed
    std::optional<round::participant::Fetch> fetch;      // a model that it has not got yet
    std::optional<round::participant::Fetched> fetched;  // one that has come and is still closed
    round::participant::Commands outbox;                 // given while others worked too
    std::optional<round::participant::Train> job;        // being trained
    data::Dataset rows;                                  // what it is trained on
    std::optional<nn::LocalTraining> training;
    std::optional<nn::LocalTraining> alone_training;

    [[nodiscard]] bool has_work() const { return fetch || fetched || job; }
    // Nothing is under way: the machine could be revived from what the connector shows.
    [[nodiscard]] bool idle() const { return parked && !news && !has_work() && machine.view().activity == "watching"; }
};

struct Partner {
    PartnerSetup setup;
    std::unique_ptr<Seat> seat;
    Bytes state;  // what its participant keeps
    std::shared_ptr<round::OpenedUpdate> sealed;  // what it delivered last, until the coordinator retrieves it

    std::vector<float> alone;  // the model that only its own data has made
    std::uint64_t alone_round = 0;

    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    std::string update_agreement;
    std::string model_agreement;
    double loss = 0;
    Status outcome = done();
};

// The host's lanes. While they train, whoever else wants some has only the one that it runs on.
class Lanes final : public Executor {
public:
    explicit Lanes(Executor& host) : host_(host) {}
    [[nodiscard]] unsigned width() const noexcept override { return host_.width(); }
    void run(std::size_t units, Work work) override { (training_ ? inline_executor() : host_).run(units, work); }
    void train(std::size_t units, Work work) {
        training_ = true;
        host_.run(units, work);
        training_ = false;
    }

private:
    Executor& host_;
    bool training_ = false;
};

class Federation::Impl {
public:
    explicit Impl(FederationOptions options_in)
        : options(std::move(options_in)), now_ms(options.start_ms),
          lanes(options.executor != nullptr ? *options.executor : inline_executor()) {}

    Status set_up();
    Status begin();
    Result<bool> advance(std::uint32_t max_batches);
    [[nodiscard]] FederationView view() const;
    [[nodiscard]] Progress progress() const;

    // federation_presence.cpp: who is there
    Status take_seat(Partner& partner);
    Status seat_those_asked();
    void be_seen();
    [[nodiscard]] std::vector<std::size_t> arrival_order(std::uint64_t round) const;  // of those present

    // federation_checkpoint.cpp
    [[nodiscard]] Bytes checkpoint() const;
    Status restore(ByteView checkpoint);
    [[nodiscard]] Digest shares() const;  // of who holds which rows

    // federation_training.cpp: everything that takes time
    [[nodiscard]] bool has_work() const;
    Status work(std::uint32_t max_batches);
    [[nodiscard]] std::vector<std::size_t> choose(std::uint32_t max_batches) const;
    void work_on(Partner& partner, std::uint32_t max_batches) const;
    void carry_out_trained();
    [[nodiscard]] Status start_job(Partner& partner) const;
    Status score_round();
    Result<task::Score> score(std::span<const float> parameters) const;
    Result<std::vector<task::Score>> score_partners() const;

    // federation_protocol.cpp: commands of the machines over the memory connector
    bool exchange();  // true when anything happened
    void send(round::coordinator::Event event);
    void send(Partner& partner, round::participant::Event event);
    void carry_out(Partner& partner, round::participant::Commands commands);
    void wake_coordinator();
    void retrieve_updates();
    bool wake(Partner& partner);
    bool witness();
    void tell_all();
    void record(round::Record record);
    void record_decisions();  // of the exchange, from now on

    void on(round::coordinator::Persist& c);
    void on(round::coordinator::KeepStaged& c);
    void on(round::coordinator::DropStaged& c);
    void on(round::coordinator::StoreBlob& c);
    void on(round::coordinator::LoadBlob& c);
    void on(round::coordinator::DeleteUpdates& c);
    void on(round::coordinator::EndAgreement& c);
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
    void on(Partner& p, round::participant::KeepState& c);
    void on(Partner& p, round::participant::Deliver& c);
    void on(Partner& p, round::participant::Finish& c);
    void on(Partner& p, round::participant::Notice& c);
    void fetch(Partner& p);

    FederationOptions options;
    std::int64_t now_ms;
    std::int64_t seen_ms = 0;  // when those present were seen last
    mutable Lanes lanes;

    std::shared_ptr<Space> space;
    std::unique_ptr<round::Coordinator> coordinator;
    std::unique_ptr<MemoryConnector> coordinator_connector;
    codec::PublicKey coordinator_key;
    std::shared_ptr<const round::OpenedModel> opened_model;  // of opened_version
    contract::Version opened_version;
    std::vector<Partner> partners;
    std::map<std::string, std::size_t> index;      // of a partner, by its id
    std::vector<std::size_t> present;              // who has a seat, ascending
    std::uint64_t seated_round = 0;                // whose lot they were seated by
    std::vector<std::size_t> trained_last;         // what their machines want done is still to be carried out
    std::uint32_t trained = 0;                     // of those, in the present round
    bool at_rest = false;

    // What the coordinator has not looked at yet.
    std::vector<std::size_t> changed;              // partners whose update stream has
    std::vector<contract::Agreement> agreed;       // over the global model
    std::vector<round::coordinator::Retrieve> retrievals;
    std::map<std::string, std::size_t> under_transfer;  // whose update it carries

    std::vector<round::Entry> ledger;
    round::DecisionLog decision_log;
    std::map<Digest, std::shared_ptr<const Bytes>> blobs;  // what the current model is restored from
    std::vector<RoundResult> results;
    std::uint64_t scored = 0;       // rounds that have a result
    std::uint64_t agreements = 0;
    std::uint64_t next_token = 1;
    std::uint64_t token_kept = 0;   // staged bytes that the coordinator asked to keep
    std::uint64_t bytes_up = 0;     // of the present round
    std::uint64_t bytes_down = 0;
    double loss_sum = 0;
    std::uint64_t loss_examples = 0;
    std::string stuck;              // why nothing more can happen
};

}  // namespace entente::memory
