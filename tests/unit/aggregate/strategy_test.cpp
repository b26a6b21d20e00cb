#include "entente/aggregate/strategy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "golden/strategies_golden.hpp"

using namespace entente;
using namespace entente::aggregate;

namespace {

constexpr std::size_t d = std::size(golden::strategy_start);

std::unique_ptr<Strategy> tuned(const std::string& name, std::size_t parameters) {
    return make_strategy(default_terms(name).value(), parameters).value();
}

std::span<const float> delta_of(int round) { return std::span(golden::strategy_deltas).subspan(d * static_cast<std::size_t>(round), d); }

// Of as many parts as the strategy's updates have.
std::vector<float> update_of(const std::string& name, int round) {
    const auto delta = delta_of(round);
    std::vector<float> update(delta.begin(), delta.end());
    if (traits_of(name).control) update.insert(update.end(), delta.begin(), delta.end());
    return update;
}

std::vector<float> start() { return {std::begin(golden::strategy_start), std::end(golden::strategy_start)}; }

}  // namespace

TEST_CASE("FedAvg adds the mean, scaled by the server's learning rate") {
    auto strategy = make_strategy({.name = "fedavg", .server_learning_rate = 0.5f}, 2).value();
    std::vector<float> x{1.0f, -2.0f};
    strategy->step(x, std::vector<float>{4.0f, 2.0f});
    CHECK(x == std::vector<float>{3.0f, -1.0f});
}

TEST_CASE("the server optimisers follow their papers, in numpy's numbers") {
    struct Rule {
        const char* name;
        const double* expected;
    };
    const Rule rules[] = {{"fedavgm", golden::fedavgm},
                          {"fedadagrad", golden::fedadagrad},
                          {"fedadam", golden::fedadam},
                          {"fedyogi", golden::fedyogi}};
    for (const Rule& rule : rules) {
        auto strategy = tuned(rule.name, d);
        std::vector<float> x = start();
        for (int round = 0; round < golden::strategy_rounds; ++round) strategy->step(x, delta_of(round));
        for (std::size_t i = 0; i < d; ++i) {
            CAPTURE(rule.name);
            CHECK(std::abs(static_cast<double>(x[i]) - rule.expected[i]) < 2e-6);
        }
    }
}

TEST_CASE("every strategy that is saved and loaded between any two rounds goes on with the same bits") {
    for (const std::string& name : strategy_names()) {
        CAPTURE(name);
        auto straight = tuned(name, d);
        auto broken = tuned(name, d);
        std::vector<float> x = start();
        std::vector<float> y = start();
        for (int round = 0; round < golden::strategy_rounds; ++round) {
            straight->step(x, update_of(name, round));
            auto next = tuned(name, d);
            REQUIRE(next->load(broken->save()).ok());
            broken = std::move(next);
            broken->step(y, update_of(name, round));
            CHECK(broken->save() == straight->save());
        }
        CHECK(x == y);
    }
}

TEST_CASE("a memory that is not whole is refused and changes nothing") {
    auto strategy = tuned("fedadam", 3);
    std::vector<float> x{1, 2, 3};
    strategy->step(x, std::vector<float>{0.1f, 0.2f, 0.3f});
    const Bytes good = strategy->save();
    Bytes nan = good;
    nan[nan.size() - 2] = nan[nan.size() - 1] = std::byte{0xff};
    Bytes other = good;
    other[0] ^= std::byte{2};
    Bytes longer = good;
    longer.push_back(std::byte{0});
    for (const Bytes& bad : {Bytes{}, Bytes(good.begin(), good.end() - 1), longer, nan, other, tuned("fedavgm", 3)->save(),
                             tuned("fedadam", 4)->save()}) {
        CHECK(strategy->load(bad).error().reason == "strategy.malformed");
        CHECK(strategy->save() == good);
    }
    CHECK_FALSE(tuned("fedavg", 3)->load(good).ok());
    CHECK(tuned("fedavg", 3)->save().empty());
}

TEST_CASE("defaults are the papers' tuned values: no strategy's key parameter does nothing") {
    CHECK(default_terms("fedavgm").value().server_momentum == 0.9f);
    CHECK(default_terms("fedadagrad").value().server_learning_rate == 0.1f);
    CHECK(default_terms("fedadam").value().server_second_moment == 0.99f);
    CHECK(default_terms("fedyogi").value().server_adaptivity == 1e-4f);
    CHECK(default_terms("fedavg").value() == StrategyTerms{});
    CHECK(default_terms("fedavgg").error().reason == "plan.strategy");
}

TEST_CASE("terms out of range, or of no use to the strategy, are refused by name") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    struct Wrong {
        const char* strategy;
        float StrategyTerms::*member;
        float value;
        const char* key;
    };
    const Wrong wrongs[] = {
        {"fedavg", &StrategyTerms::server_learning_rate, 0.0f, "server_learning_rate"},
        {"fedavg", &StrategyTerms::server_learning_rate, nan, "server_learning_rate"},
        {"fedavg", &StrategyTerms::server_momentum, 0.5f, "server_momentum"},
        {"fedavgm", &StrategyTerms::server_momentum, 1.0f, "server_momentum"},
        {"fedadam", &StrategyTerms::server_second_moment, -0.1f, "server_second_moment"},
        {"fedadam", &StrategyTerms::server_adaptivity, 0.0f, "server_adaptivity"},
        {"fedadagrad", &StrategyTerms::server_second_moment, 0.9f, "server_second_moment"},
        {"fedyogi", &StrategyTerms::server_learning_rate, 1001.0f, "server_learning_rate"},
    };
    for (const Wrong& wrong : wrongs) {
        StrategyTerms terms = default_terms(wrong.strategy).value();
        terms.*wrong.member = wrong.value;
        const Status result = check(terms);
        CAPTURE(wrong.key);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().reason == "plan.strategy");
        CHECK(result.error().message.find(wrong.key) != std::string::npos);
        CHECK_FALSE(make_strategy(terms, 1).ok());
    }
}

TEST_CASE("an unknown strategy is refused with the names that exist") {
    const auto result = make_strategy({.name = "fedavgg"}, 1);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().reason == "plan.strategy");
    for (const std::string& name : strategy_names()) CHECK(result.error().message.find(name) != std::string::npos);
}
