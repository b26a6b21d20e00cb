// Nguyen et al. 2022 (arXiv 2106.06639), algorithm 1: when K updates are in, x <- x + eta_g (1/K) sum_i w(s_i) Delta_i.
// The fold takes w(s_i) as the update's factor (aggregate/local_work.hpp), so what is left is FedAvg's step.
#include "rules.hpp"

namespace entente::aggregate {

std::unique_ptr<Strategy> make_fedbuff(const StrategyTerms& terms, std::uint64_t parameters) {
    return make_fedavg(terms, parameters);
}

}  // namespace entente::aggregate
