// Hsu, Qi and Brown 2019 (arXiv 1909.06335), section 4.3: v <- beta v + Delta;  x <- x + eta_g v.
#include "rules.hpp"

namespace entente::aggregate {
namespace {

class FedAvgM final : public Strategy {
public:
    FedAvgM(const StrategyTerms& terms, std::uint64_t parameters)
        : Strategy(parameters, {0.0f}), rate_(terms.server_learning_rate), momentum_(terms.server_momentum) {}

    void step(std::span<float> parameters, std::span<const float> mean_delta) override {
        const std::span<float> velocity = memory(0);
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            velocity[i] = momentum_ * velocity[i] + mean_delta[i];
            parameters[i] += rate_ * velocity[i];
        }
    }

private:
    float rate_;
    float momentum_;
};

}  // namespace

std::unique_ptr<Strategy> make_fedavgm(const StrategyTerms& terms, std::uint64_t parameters) {
    return std::make_unique<FedAvgM>(terms, parameters);
}

}  // namespace entente::aggregate
