#include "entente/aggregate/local_work.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using namespace entente::aggregate;

TEST_CASE("the weight of the gradients is what the local solver's recursion gives") {
    for (const std::uint64_t steps : {1u, 2u, 3u, 10u, 57u}) {
        // Unit gradients: what is walked in all, step by step.
        double velocity = 0;
        double with_momentum = 0;
        double with_pull = 0;
        for (std::uint64_t k = 0; k < steps; ++k) {
            velocity = 0.9 * velocity + 1;
            with_momentum += velocity;
            with_pull = (1 - 0.1 * 0.5) * with_pull + 1;
        }
        CHECK(gradient_weight({.steps = steps}) == static_cast<double>(steps));
        CHECK(std::abs(gradient_weight({.steps = steps, .momentum = 0.9}) / with_momentum - 1) < 1e-12);
        CHECK(std::abs(gradient_weight({.steps = steps, .learning_rate = 0.1, .proximal_mu = 0.5}) / with_pull - 1) < 1e-12);
    }
}

TEST_CASE("a stale update counts for 1 / sqrt(1 + s), a fresh one whole") {
    CHECK(staleness_weight(0, 0.5) == 1.0);
    for (const std::uint64_t s : {1u, 2u, 3u, 8u, 100u}) {
        CHECK(std::abs(staleness_weight(s, 0.5) - 1 / std::sqrt(1.0 + static_cast<double>(s))) < 1e-15);
    }
    CHECK(staleness_weight(5, 0) == 1.0);
}

TEST_CASE("a factor is never nothing and never more than the whole") {
    CHECK(to_factor(1.0, 20) == 1u << 20u);
    CHECK(to_factor(0.5, 20) == 1u << 19u);
    CHECK(to_factor(1e-12, 20) == 1);
    CHECK(to_factor(7.0, 20) == 1u << 20u);
    CHECK(to_factor(1.0, 0) == 1);
}
