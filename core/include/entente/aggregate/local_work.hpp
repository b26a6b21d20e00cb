// What an update counts for beside its examples: how much local work stands behind it, and how old its model is.
//
//   double a = gradient_weight({.steps = 50, .momentum = 0.9, .learning_rate = 0.1, .proximal_mu = 0});
//   double w = staleness_weight(2, 0.5);                     // 1 / sqrt(1 + 2)
//   std::uint32_t f = to_factor(w, 20);                      // in units of 2^-20, for Fold::accumulate
//
// Only + - * / and the project's own exp and log on float64: the same bits on every machine. Pure.
#pragma once

#include <cstdint>

namespace entente::aggregate {

struct LocalWork {
    std::uint64_t steps = 1;  // tau_i
    double momentum = 0;      // rho, [0, 1)
    double learning_rate = 0;
    double proximal_mu = 0;   // not together with momentum
};

// ||a_i||_1, the weight that a local solver gives its gradients in all. Wang et al. 2020 (arXiv 2007.07481),
// section 4.1: tau for SGD; [tau - rho (1 - rho^tau) / (1 - rho)] / (1 - rho) with momentum;
// [1 - (1 - eta mu)^tau] / (eta mu) with a proximal term.
double gradient_weight(const LocalWork& work) noexcept;

// w(s) = (1 + s)^-a. Nguyen et al. 2022 (arXiv 2106.06639), section 5.2, with a = 1/2 there.
double staleness_weight(std::uint64_t versions, double exponent) noexcept;

// The nearest multiple of 2^-factor_log2, at least one and at most 2^factor_log2.
std::uint32_t to_factor(double fraction, std::uint8_t factor_log2) noexcept;

}  // namespace entente::aggregate
