#include "entente/aggregate/strategy.hpp"

#include <doctest/doctest.h>

using namespace entente;

TEST_CASE("FedAvg adds the mean of the deltas, scaled by the server's rate") {
    auto strategy = aggregate::make_strategy({.name = "fedavg", .server_learning_rate = 0.5f}, 2).value();
    std::vector<float> x{1.0f, -2.0f};
    strategy->step(x, std::vector<float>{4.0f, 2.0f});
    CHECK(x == std::vector<float>{3.0f, -1.0f});
}

TEST_CASE("an unknown strategy is refused with the names that exist") {
    const auto result = aggregate::make_strategy({.name = "fedavgg"}, 1);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().reason == "plan.strategy");
    CHECK(result.error().message.find("fedavg") != std::string::npos);
    CHECK_FALSE(aggregate::make_strategy({.name = "fedavg", .server_learning_rate = 0.0f}, 1).ok());
}
