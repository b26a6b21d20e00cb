// Wang et al. 2020 (arXiv 2007.07481), equation 6: x <- x + tau_eff sum_i p_i Delta_i / |a_i|_1 with
// tau_eff = sum_i p_i |a_i|_1. The fold takes 1 / |a_i|_1 as the update's factor and tau_eff as the unit of its mean
// (aggregate/local_work.hpp), so what is left is FedAvg's step.
#include "rules.hpp"

namespace entente::aggregate {

std::unique_ptr<Strategy> make_fednova(const StrategyTerms& terms, std::uint64_t parameters) {
    return make_fedavg(terms, parameters);
}

}  // namespace entente::aggregate
