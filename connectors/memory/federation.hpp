// A whole federation in one process: the coordinator, its participants and the memory connector between them, on
// virtual time. `entente simulate`, the offline demo and many tests are this class.
//
//   FederationOptions options{.plan = plan, .train = train, .evaluation = test, .partners = partners};
//   Federation federation = Federation::create(std::move(options)).value();
//   while (federation.advance(64).value()) show(federation.view());     // 64 mini-batches per partner at a time
//
// The result (every byte of every model) depends on plan, data and seeds alone: not on how the work is sliced, on
// the executor's width, or on the order in which updates arrive (options.shuffle_arrivals).
//
// Everybody joins before the first round. Where the plan asks a fraction of them (round.fraction), the coordinator draws
// the lot, here as in a federation of processes, and who is not asked has no machine, no connector and no model: work
// and memory of a round grow with those that it asks.
//
// The data sets are shared, never copied; they must not change. Not thread-safe; the executor's jobs are its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entente/base/executor.hpp"
#include "entente/data/examples.hpp"
#include "entente/plan/plan.hpp"
#include "entente/round/coordinator.hpp"
#include "entente/round/participant.hpp"
#include "entente/task/score.hpp"

namespace entente::memory {

struct PartnerSetup {
    std::string id;
    std::string name;
    std::vector<std::uint32_t> rows;  // of the training set, its share
};

struct FederationOptions {
    plan::Plan plan;
    data::Examples train;
    data::Examples evaluation;  // scores the federated model and each partner's own
    std::vector<PartnerSetup> partners;
    bool alone = false;                                // also train each partner alone, with the same budget
    std::optional<std::uint64_t> shuffle_arrivals;     // deliver updates in an order drawn from this seed
    std::uint32_t evaluate_every = 1;                  // rounds; the last one always is
    // One partner is trained to its end before the next begins, as many at once as the executor is wide: memory for
    // those alone. Otherwise all partners of a round go in step, as a page shows them.
    bool partner_by_partner = false;
    // Updates are opened from their envelopes, though who sealed them lives in this process and has them open. Slower, and
    // the ledger, models included, is the same.
    bool check_everything = false;
    Executor* executor = nullptr;                      // not owned; null is one thread
    std::int64_t start_ms = 1'767'225'600'000;         // virtual time of the first event
};

struct RoundResult {
    std::uint64_t round = 0;
    task::Score federated;             // the model after this round; no examples when it was not evaluated
    double train_loss = 0;             // mean of the contributors' training losses, by examples
    std::vector<task::Score> alone;    // per partner, when asked for
    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    std::uint32_t contributors = 0;
};

struct PartnerState {
    std::string id;
    std::string name;
    std::uint64_t examples = 0;
    std::string activity;      // participant::View::activity
    double progress = 0;       // of the present training, 0 to 1
    double loss = 0;           // mean over the last slice
    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    std::string update_agreement;
    std::string model_agreement;
};

// What a progress bar needs; cheap, whatever the number of partners.
struct Progress {
    std::uint64_t completed = 0;
    std::uint64_t rounds = 0;
    std::uint32_t trained = 0;  // partners of the present round
    std::uint32_t of = 0;
};

struct FederationView {
    std::string sentence;  // what is happening and what happens next
    round::coordinator::View coordinator;
    std::vector<PartnerState> partners;
    bool finished = false;
};

class Federation {
public:
    // Fails like plan::check, and with "federation.no-partners", "federation.no-data".
    static Result<Federation> create(FederationOptions options);
    // Goes on from a checkpoint, with the options that it was made under; what follows is the uninterrupted run's, bit
    // for bit, ledger included. data_loss "federation.checkpoint" when it is damaged; conflict "federation.other-run"
    // when plan, partners or data are others.
    static Result<Federation> resume(FederationOptions options, ByteView checkpoint);
    ~Federation();
    Federation(Federation&&) noexcept;
    Federation& operator=(Federation&&) noexcept;

    // Does one bounded slice of work: at most max_batches mini-batches per partner (partner_by_partner: whole partners
    // until there are max_batches for each lane), or the protocol steps between.
    // False when the plan's rounds are done or when nothing more can happen (view().sentence says why).
    Result<bool> advance(std::uint32_t max_batches);

    // Between two rounds: advance() has just closed one and has not begun the next. Also before the first and at the end.
    [[nodiscard]] bool at_rest() const noexcept;
    // All that resume() needs besides the options: ledger, books, the present model, results. REQUIRES: at_rest().
    [[nodiscard]] Bytes checkpoint() const;

    [[nodiscard]] FederationView view() const;
    [[nodiscard]] Progress progress() const;
    [[nodiscard]] const std::vector<RoundResult>& rounds() const noexcept;
    [[nodiscard]] const std::vector<round::Entry>& ledger() const noexcept;
    [[nodiscard]] std::span<const float> parameters() const noexcept;
    // The model that a partner's own rows have made so far. Empty without FederationOptions::alone. REQUIRES: partner < partners.
    [[nodiscard]] std::span<const float> alone(std::size_t partner) const noexcept;
    // The present model on each partner's own rows, in the order of the partners.
    [[nodiscard]] Result<std::vector<task::Score>> score_partners() const;
    [[nodiscard]] Digest model_digest() const;  // content digest of the current global model
    [[nodiscard]] std::uint64_t agreements() const noexcept;

private:
    class Impl;
    explicit Federation(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace entente::memory
