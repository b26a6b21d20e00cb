// The rules that strategy.cpp registers, one file each. Each gets terms that check() has passed.
#pragma once

#include <memory>

#include "entente/aggregate/strategy.hpp"

namespace entente::aggregate {

std::unique_ptr<Strategy> make_fedavg(const StrategyTerms& terms, std::uint64_t parameters);
std::unique_ptr<Strategy> make_fedprox(const StrategyTerms& terms, std::uint64_t parameters);
std::unique_ptr<Strategy> make_fednova(const StrategyTerms& terms, std::uint64_t parameters);
std::unique_ptr<Strategy> make_fedbuff(const StrategyTerms& terms, std::uint64_t parameters);
std::unique_ptr<Strategy> make_scaffold(const StrategyTerms& terms, std::uint64_t parameters);
std::unique_ptr<Strategy> make_fedavgm(const StrategyTerms& terms, std::uint64_t parameters);
std::unique_ptr<Strategy> make_fedadagrad(const StrategyTerms& terms, std::uint64_t parameters);
std::unique_ptr<Strategy> make_fedadam(const StrategyTerms& terms, std::uint64_t parameters);
std::unique_ptr<Strategy> make_fedyogi(const StrategyTerms& terms, std::uint64_t parameters);

}  // namespace entente::aggregate
