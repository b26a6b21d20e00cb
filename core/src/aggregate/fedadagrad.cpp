// Reddi et al. 2021 (arXiv 2003.00295), algorithm 2, FEDADAGRAD: v <- v + Delta^2.
#include "adaptive.hpp"
#include "rules.hpp"

namespace entente::aggregate {
namespace {

struct Accumulated {
    float operator()(float v, float squared) const { return v + squared; }
};

}  // namespace

std::unique_ptr<Strategy> make_fedadagrad(const StrategyTerms& terms, std::uint64_t parameters) {
    return std::make_unique<Adaptive<Accumulated>>(terms, parameters, Accumulated{});
}

}  // namespace entente::aggregate
