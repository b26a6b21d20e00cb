// What FedAdagrad, FedAdam and FedYogi share. Reddi et al. 2021 (arXiv 2003.00295), algorithm 2:
//   m <- beta_1 m + (1 - beta_1) Delta;  v <- the rule's second moment;  x <- x + eta_g m / (sqrt(v) + tau)
// The paper corrects no bias and begins with v >= tau^2: here v begins at tau^2.
#pragma once

#include <cmath>

#include "entente/aggregate/strategy.hpp"

namespace entente::aggregate {

// SecondMoment: float operator()(float v, float delta_squared) const.
template <class SecondMoment>
class Adaptive final : public Strategy {
public:
    Adaptive(const StrategyTerms& terms, std::uint64_t parameters, SecondMoment second_moment)
        : Strategy(parameters, {0.0f, terms.server_adaptivity * terms.server_adaptivity}),
          rate_(terms.server_learning_rate),
          momentum_(terms.server_momentum),
          adaptivity_(terms.server_adaptivity),
          second_moment_(second_moment) {}

    void step(std::span<float> parameters, std::span<const float> mean_delta) override {
        const std::span<float> m = memory(0);
        const std::span<float> v = memory(1);
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            const float delta = mean_delta[i];
            m[i] = momentum_ * m[i] + (1.0f - momentum_) * delta;
            v[i] = second_moment_(v[i], delta * delta);
            parameters[i] += rate_ * m[i] / (std::sqrt(v[i]) + adaptivity_);
        }
    }

private:
    float rate_;
    float momentum_;
    float adaptivity_;
    SecondMoment second_moment_;
};

}  // namespace entente::aggregate
