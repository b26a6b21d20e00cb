#include "entente/aggregate/strategy.hpp"

#include <array>
#include <cmath>
#include <string_view>

#include "fedavg.hpp"

namespace entente::aggregate {
namespace {

using Make = std::unique_ptr<Strategy> (*)(const StrategyTerms&, std::uint64_t parameters);

struct Entry {
    std::string_view name;
    Make make;
};

constexpr std::array<Entry, 1> strategies{{{"fedavg", make_fedavg}}};

}  // namespace

std::vector<std::string> strategy_names() {
    std::vector<std::string> names;
    for (const Entry& entry : strategies) names.emplace_back(entry.name);
    return names;
}

Result<std::unique_ptr<Strategy>> make_strategy(const StrategyTerms& terms, std::uint64_t parameters) {
    if (!std::isfinite(terms.server_learning_rate) || terms.server_learning_rate <= 0) {
        return Error{Code::invalid_argument, "plan.strategy", "strategy.server_learning_rate: expected a positive number"};
    }
    for (const Entry& entry : strategies) {
        if (entry.name == terms.name) return entry.make(terms, parameters);
    }
    std::string known;
    for (const Entry& entry : strategies) known += (known.empty() ? "" : ", ") + std::string(entry.name);
    return Error{Code::invalid_argument, "plan.strategy",
                 "strategy.name: expected one of " + known + ", found \"" + terms.name + "\""};
}

}  // namespace entente::aggregate
