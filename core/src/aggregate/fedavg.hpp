#pragma once

#include <memory>

#include "entente/aggregate/strategy.hpp"

namespace entente::aggregate {

// McMahan et al. 2017 (arXiv 1602.05629), algorithm 1: x <- x + eta_g * sum_i p_i Delta_i.
std::unique_ptr<Strategy> make_fedavg(const StrategyTerms& terms, std::uint64_t parameters);

}  // namespace entente::aggregate
