// McMahan et al. 2017 (arXiv 1602.05629), algorithm 1: x <- x + eta_g * sum_i p_i Delta_i.
#include "rules.hpp"

namespace entente::aggregate {
namespace {

class FedAvg final : public Strategy {
public:
    FedAvg(const StrategyTerms& terms, std::uint64_t parameters) : Strategy(parameters), rate_(terms.server_learning_rate) {}

    void step(std::span<float> parameters, std::span<const float> mean_delta) override {
        for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += rate_ * mean_delta[i];
    }

private:
    float rate_;
};

}  // namespace

std::unique_ptr<Strategy> make_fedavg(const StrategyTerms& terms, std::uint64_t parameters) {
    return std::make_unique<FedAvg>(terms, parameters);
}

}  // namespace entente::aggregate
