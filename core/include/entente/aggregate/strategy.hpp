// A strategy turns the exact weighted mean of a round's updates into the next global model.
//
//   auto strategy = make_strategy({.name = "fedavg"}, d).value();
//   strategy->step(parameters, mean_delta);     // parameters: [d], in place
//
// Only rules that are a function of the mean live behind this interface; they never see a single update.
// To add one: a file beside fedavg.cpp, one line in the table of strategy.cpp, a test with the paper's numbers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::aggregate {

struct StrategyTerms {
    std::string name = "fedavg";
    float server_learning_rate = 1.0f;  // eta_g

    friend bool operator==(const StrategyTerms&, const StrategyTerms&) = default;
};

class Strategy {
public:
    virtual ~Strategy() = default;
    // x <- server rule(x, mean of the deltas). Both [d]. REQUIRES: the length given at creation.
    virtual void step(std::span<float> parameters, std::span<const float> mean_delta) = 0;
};

// invalid_argument "plan.strategy" for an unknown name or a value out of range; the message lists the names.
Result<std::unique_ptr<Strategy>> make_strategy(const StrategyTerms& terms, std::uint64_t parameters);
std::vector<std::string> strategy_names();

}  // namespace entente::aggregate
