// Li et al. 2020 (arXiv 1812.06127), equation 2: the participants minimise F_i(w) + mu/2 |w - x|^2 (nn/training.hpp);
// the server's step is FedAvg's.
#include "rules.hpp"

namespace entente::aggregate {

std::unique_ptr<Strategy> make_fedprox(const StrategyTerms& terms, std::uint64_t parameters) {
    return make_fedavg(terms, parameters);
}

}  // namespace entente::aggregate
