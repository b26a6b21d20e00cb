// Reddi et al. 2021 (arXiv 2003.00295), algorithm 2, FEDADAM: v <- beta_2 v + (1 - beta_2) Delta^2.
#include "adaptive.hpp"
#include "rules.hpp"

namespace entente::aggregate {
namespace {

struct Decayed {
    float keep;
    float operator()(float v, float squared) const { return keep * v + (1.0f - keep) * squared; }
};

}  // namespace

std::unique_ptr<Strategy> make_fedadam(const StrategyTerms& terms, std::uint64_t parameters) {
    return std::make_unique<Adaptive<Decayed>>(terms, parameters, Decayed{terms.server_second_moment});
}

}  // namespace entente::aggregate
