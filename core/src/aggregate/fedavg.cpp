#include "fedavg.hpp"

namespace entente::aggregate {
namespace {

class FedAvg final : public Strategy {
public:
    explicit FedAvg(float rate) : rate_(rate) {}

    void step(std::span<float> parameters, std::span<const float> mean_delta) override {
        for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += rate_ * mean_delta[i];
    }

private:
    float rate_;
};

}  // namespace

std::unique_ptr<Strategy> make_fedavg(const StrategyTerms& terms, std::uint64_t) {
    return std::make_unique<FedAvg>(terms.server_learning_rate);
}

}  // namespace entente::aggregate
