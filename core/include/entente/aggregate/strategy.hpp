// A strategy turns the exact weighted mean of a round's updates into the next global model.
//
//   StrategyTerms terms = default_terms("fedadam").value();       // the paper's tuned values
//   auto strategy = make_strategy(terms, d).value();
//   strategy->step(parameters, mean_delta);                       // parameters: [d], in place
//   Bytes kept = strategy->save();                                // moments; stored with the model
//   ENTENTE_TRY(other->load(kept));                               // goes on with the same bits
//
// Only rules that are a function of the mean live behind this interface; they never see a single update.
// To add one: a file beside fedavg.cpp, one line in the table of strategy.cpp, a test with the paper's numbers.
// docs/strategies.md says what each is for. Not thread-safe; one writer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

namespace entente::aggregate {

// What a strategy does not use stays 0; a value there is refused, because it would do nothing.
struct StrategyTerms {
    std::string name = "fedavg";
    float server_learning_rate = 1.0f;  // eta_g, (0, 1000]
    float server_momentum = 0.0f;       // beta of FedAvgM, beta_1 of the adaptive ones, [0, 1)
    float server_second_moment = 0.0f;  // beta_2 of FedAdam and FedYogi, [0, 1)
    float server_adaptivity = 0.0f;     // tau of the adaptive ones, (0, 1]

    friend bool operator==(const StrategyTerms&, const StrategyTerms&) = default;
};

class Strategy {
public:
    virtual ~Strategy() = default;
    // x <- server rule(x, mean of the deltas). x: [d], the length given at creation; the mean: [d], and [2d] for a rule
    // whose updates have a second part (StrategyTraits::control).
    virtual void step(std::span<float> parameters, std::span<const float> mean_delta) = 0;

    // SCAFFOLD's c, [d], which travels beside the model; empty for all others.
    [[nodiscard]] virtual std::span<const float> control() const { return {}; }

    // What the rule remembers from round to round; empty for a rule without memory.
    [[nodiscard]] Bytes save() const;
    // data_loss "strategy.malformed" unless save() of the same rule and length wrote it. Changes nothing on failure.
    Status load(ByteView bytes);

protected:
    // `initial` has one value for each remembered vector, in which every element begins.
    explicit Strategy(std::uint64_t parameters, std::vector<float> initial = {});
    std::span<float> memory(std::size_t vector) { return memory_[vector]; }
    [[nodiscard]] std::span<const float> remembered(std::size_t vector) const { return memory_[vector]; }

private:
    std::vector<std::vector<float>> memory_;  // each [d]
};

// What a strategy asks of the rest of the round, with the values that a plan has unless it writes others.
struct StrategyTraits {
    float proximal_mu = 0.0f;         // FedProx: the pull of the local training
    bool normalised = false;          // FedNova: an update counts by 1 / |a_i|_1
    bool control = false;             // SCAFFOLD: models and updates have a second part, participants a state
    std::uint32_t goal = 0;           // FedBuff: K, the size of the buffer
    std::uint32_t max_staleness = 0;  // FedBuff: models that an update may be behind
};
StrategyTraits traits_of(std::string_view name) noexcept;  // those of fedavg for an unknown name

// The tuned values of the paper. "plan.strategy" for an unknown name; the message lists the names.
Result<StrategyTerms> default_terms(std::string_view name);
// invalid_argument "plan.strategy" for an unknown name, a value out of range or one that the strategy does not use.
Status check(const StrategyTerms& terms);
// Fails like check().
Result<std::unique_ptr<Strategy>> make_strategy(const StrategyTerms& terms, std::uint64_t parameters);
std::vector<std::string> strategy_names();

// The keys of StrategyTerms that are numbers, under the names that a plan writes.
struct StrategyKey {
    std::string_view name;
    float StrategyTerms::*member;
};
std::span<const StrategyKey> strategy_keys() noexcept;
// Does this strategy read this key? False for an unknown name.
bool uses(std::string_view strategy, const StrategyKey& key) noexcept;

}  // namespace entente::aggregate
