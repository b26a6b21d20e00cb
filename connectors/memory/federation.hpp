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
// The data sets are shared, never copied; they must not change. Not thread-safe; the executor's jobs are its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entente/base/executor.hpp"
#include "entente/data/dataset.hpp"
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
    std::shared_ptr<const data::Dataset> train;
    std::shared_ptr<const data::Dataset> evaluation;  // scores the federated model and each partner's own
    std::vector<PartnerSetup> partners;
    bool alone = false;                                // also train each partner alone, with the same budget
    std::optional<std::uint64_t> shuffle_arrivals;     // deliver updates in an order drawn from this seed
    Executor* executor = nullptr;                      // not owned; null is one thread
    std::int64_t start_ms = 1'767'225'600'000;         // virtual time of the first event
};

struct RoundResult {
    std::uint64_t round = 0;
    task::Score federated;             // the model after this round
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
    ~Federation();
    Federation(Federation&&) noexcept;
    Federation& operator=(Federation&&) noexcept;

    // Does one bounded slice of work: at most max_batches mini-batches per partner, or the protocol steps between.
    // False when the plan's rounds are done or when nothing more can happen (view().sentence says why).
    Result<bool> advance(std::uint32_t max_batches);

    [[nodiscard]] FederationView view() const;
    [[nodiscard]] const std::vector<RoundResult>& rounds() const noexcept;
    [[nodiscard]] const std::vector<round::Entry>& ledger() const noexcept;
    [[nodiscard]] std::span<const float> parameters() const noexcept;
    [[nodiscard]] Digest model_digest() const;  // content digest of the current global model
    [[nodiscard]] std::uint64_t agreements() const noexcept;

private:
    class Impl;
    explicit Federation(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace entente::memory
