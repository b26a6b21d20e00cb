// Reddi et al. 2021 (arXiv 2003.00295), algorithm 2, FEDYOGI: v <- v - (1 - beta_2) Delta^2 sign(v - Delta^2).
#include "adaptive.hpp"
#include "rules.hpp"

namespace entente::aggregate {
namespace {

struct Moved {
    float keep;
    float operator()(float v, float squared) const {
        const float sign = v > squared ? 1.0f : (v < squared ? -1.0f : 0.0f);
        return v - (1.0f - keep) * squared * sign;
    }
};

}  // namespace

std::unique_ptr<Strategy> make_fedyogi(const StrategyTerms& terms, std::uint64_t parameters) {
    return std::make_unique<Adaptive<Moved>>(terms, parameters, Moved{terms.server_second_moment});
}

}  // namespace entente::aggregate
