#include "entente/aggregate/local_work.hpp"

#include <algorithm>
#include <cmath>

#include "entente/base/math.hpp"

namespace entente::aggregate {
namespace {

double power(double base, std::uint64_t exponent) noexcept {
    double result = 1;
    for (; exponent > 0; exponent >>= 1u) {
        if ((exponent & 1u) != 0) result *= base;
        base *= base;
    }
    return result;
}

}  // namespace

double gradient_weight(const LocalWork& work) noexcept {
    const auto tau = static_cast<double>(work.steps);
    if (work.momentum > 0) {
        const double rho = work.momentum;
        return (tau - rho * (1 - power(rho, work.steps)) / (1 - rho)) / (1 - rho);
    }
    if (const double pull = work.learning_rate * work.proximal_mu; pull > 0) return (1 - power(1 - pull, work.steps)) / pull;
    return tau;
}

double staleness_weight(std::uint64_t versions, double exponent) noexcept {
    if (versions == 0) return 1;
    return math::exp(-exponent * math::log(1 + static_cast<double>(versions)));
}

std::uint32_t to_factor(double fraction, std::uint8_t factor_log2) noexcept {
    const double whole = std::ldexp(1.0, factor_log2);
    return static_cast<std::uint32_t>(std::clamp(std::floor(fraction * whole + 0.5), 1.0, whole));
}

}  // namespace entente::aggregate
