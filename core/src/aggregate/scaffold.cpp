// Karimireddy et al. 2020 (arXiv 1910.06378), algorithm 1, lines 16 and 17: x <- x + eta_g mean_S Delta_i;
// c <- c + |S|/N mean_S Delta c_i. Both means are one vector, whose second half the coordinator has scaled by |S|/N.
#include "rules.hpp"

namespace entente::aggregate {
namespace {

class Scaffold final : public Strategy {
public:
    Scaffold(const StrategyTerms& terms, std::uint64_t parameters)
        : Strategy(parameters, {0.0f}), rate_(terms.server_learning_rate) {}

    void step(std::span<float> parameters, std::span<const float> mean_delta) override {
        const std::span<float> c = memory(0);
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            parameters[i] += rate_ * mean_delta[i];
            c[i] += mean_delta[c.size() + i];
        }
    }

    [[nodiscard]] std::span<const float> control() const override { return remembered(0); }

private:
    float rate_;
};

}  // namespace

std::unique_ptr<Strategy> make_scaffold(const StrategyTerms& terms, std::uint64_t parameters) {
    return std::make_unique<Scaffold>(terms, parameters);
}

}  // namespace entente::aggregate
