#include "entente/aggregate/strategy.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "entente/base/decimal.hpp"
#include "rules.hpp"

namespace entente::aggregate {
namespace {

using Make = std::unique_ptr<Strategy> (*)(const StrategyTerms&, std::uint64_t parameters);

enum Uses : unsigned { rate = 1, momentum = 2, second_moment = 4, adaptivity = 8 };

struct Entry {
    std::string_view name;
    Make make;
    unsigned uses;
    // Tuned values: learning rate, momentum, second moment, adaptivity.
    std::array<float, 4> tuned;
    StrategyTraits traits = {};
};

// FedAvgM: Hsu et al. 2019. The adaptive ones: Reddi et al. 2021, the best of the authors' grid on EMNIST (characters),
// with the paper's beta_1 and beta_2.
constexpr std::array strategies{
    Entry{"fedavg", make_fedavg, rate, {1.0f, 0, 0, 0}},
    Entry{"fedprox", make_fedprox, rate, {1.0f, 0, 0, 0}, {.proximal_mu = 0.01f}},
    Entry{"fednova", make_fednova, rate, {1.0f, 0, 0, 0}, {.normalised = true}},
    Entry{"scaffold", make_scaffold, rate, {1.0f, 0, 0, 0}, {.control = true}},
    Entry{"fedbuff", make_fedbuff, rate, {1.0f, 0, 0, 0}, {.goal = 10, .max_staleness = 5}},
    Entry{"fedavgm", make_fedavgm, rate | momentum, {1.0f, 0.9f, 0, 0}},
    Entry{"fedadagrad", make_fedadagrad, rate | momentum | adaptivity, {0.1f, 0, 0, 1e-2f}},
    Entry{"fedadam", make_fedadam, rate | momentum | second_moment | adaptivity, {3.1622776e-3f, 0.9f, 0.99f, 1e-4f}},
    Entry{"fedyogi", make_fedyogi, rate | momentum | second_moment | adaptivity, {3.1622776e-3f, 0.9f, 0.99f, 1e-4f}},
};

constexpr std::array keys{
    StrategyKey{"server_learning_rate", &StrategyTerms::server_learning_rate},
    StrategyKey{"server_momentum", &StrategyTerms::server_momentum},
    StrategyKey{"server_second_moment", &StrategyTerms::server_second_moment},
    StrategyKey{"server_adaptivity", &StrategyTerms::server_adaptivity},
};

struct Range {
    bool (*holds)(float);
    const char* words;
};
// Written so that NaN is refused.
constexpr std::array<Range, 4> ranges{{
    {[](float v) { return v > 0 && v <= 1e3f; }, "above 0 and at most 1000"},
    {[](float v) { return v >= 0 && v < 1; }, "from 0 to below 1"},
    {[](float v) { return v >= 0 && v < 1; }, "from 0 to below 1"},
    {[](float v) { return v > 0 && v <= 1; }, "above 0 and at most 1"},
}};

Error refuse(std::string message) { return Error{Code::invalid_argument, "plan.strategy", std::move(message)}; }

const Entry* find(std::string_view name) noexcept {
    const auto it = std::find_if(strategies.begin(), strategies.end(), [name](const Entry& e) { return e.name == name; });
    return it == strategies.end() ? nullptr : &*it;
}

Error unknown(std::string_view name) {
    std::string known;
    for (const Entry& entry : strategies) known += (known.empty() ? "" : ", ") + std::string(entry.name);
    return refuse("aggregation.strategy: expected one of " + known + ", found \"" + std::string(name) + "\"");
}

}  // namespace

std::vector<std::string> strategy_names() {
    std::vector<std::string> names;
    for (const Entry& entry : strategies) names.emplace_back(entry.name);
    return names;
}

std::span<const StrategyKey> strategy_keys() noexcept { return keys; }

bool uses(std::string_view strategy, const StrategyKey& key) noexcept {
    const Entry* entry = find(strategy);
    for (std::size_t i = 0; entry != nullptr && i < keys.size(); ++i) {
        if (keys[i].member == key.member) return (entry->uses & (1u << i)) != 0;
    }
    return false;
}

Result<StrategyTerms> default_terms(std::string_view name) {
    const Entry* entry = find(name);
    if (entry == nullptr) return unknown(name);
    StrategyTerms terms;
    terms.name = entry->name;
    for (std::size_t i = 0; i < keys.size(); ++i) terms.*keys[i].member = entry->tuned[i];
    return terms;
}

StrategyTraits traits_of(std::string_view name) noexcept {
    const Entry* entry = find(name);
    return entry == nullptr ? StrategyTraits{} : entry->traits;
}

Status check(const StrategyTerms& terms) {
    const Entry* entry = find(terms.name);
    if (entry == nullptr) return unknown(terms.name);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const float value = terms.*keys[i].member;
        const std::string key = "aggregation." + std::string(keys[i].name);
        if ((entry->uses & (1u << i)) == 0) {
            if (value == 0) continue;
            return refuse(key + ": expected none, because " + terms.name + " does not use it, found " + decimal(value));
        }
        if (!ranges[i].holds(value)) {
            return refuse(key + ": expected a number " + ranges[i].words + ", found " + decimal(value));
        }
    }
    return done();
}

Result<std::unique_ptr<Strategy>> make_strategy(const StrategyTerms& terms, std::uint64_t parameters) {
    ENTENTE_TRY(check(terms));
    return find(terms.name)->make(terms, parameters);
}

}  // namespace entente::aggregate
