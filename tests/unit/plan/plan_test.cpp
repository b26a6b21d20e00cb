#include "entente/plan/plan.hpp"

#include <doctest/doctest.h>

#include "entente/policy/evaluate.hpp"

using namespace entente;
using plan::Plan;

TEST_CASE("the default plan is valid and has the model of the paper") {
    const Plan plan = plan::default_digits_plan();
    REQUIRE(plan::check(plan).ok());
    CHECK(plan::parameter_count(plan) == 199'210);
    CHECK(plan::initial_parameters(plan).size() == 199'210);
    CHECK(plan::update_limits(plan).content_bytes == 2 * 199'210);
    CHECK(plan::model_limits(plan).content_bytes == 4 * 199'210);
}

TEST_CASE("canonical bytes round-trip, and whatever is not exactly them is refused") {
    const Plan plan = plan::default_digits_plan();
    const Bytes bytes = plan::canonical_bytes(plan);
    CHECK(plan::from_canonical_bytes(bytes).value() == plan);
    for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(plan::from_canonical_bytes(ByteView(bytes).first(n)).ok());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Bytes flipped = bytes;
        flipped[i] ^= std::byte{0x40};
        const auto read = plan::from_canonical_bytes(flipped);
        // A flipped byte may give another valid plan, but never the same one under the same digest.
        if (read.ok()) CHECK(plan::digest_of(read.value()) != plan::digest_of(plan));
    }
}

TEST_CASE("each mistake is named by its key") {
    struct Mistake {
        void (*make)(Plan&);
        const char* key;
    };
    const std::vector<Mistake> mistakes{
        {[](Plan& p) { p.federation.id = "Not An Id"; }, "id"},
        {[](Plan& p) { p.task.kind = "weather"; }, "task.kind"},
        {[](Plan& p) { p.task.classes = 11; }, "task.classes"},
        {[](Plan& p) { p.numerics = "sloppy"; }, "numerics"},
        {[](Plan& p) { p.training.epochs = 0; }, "training.epochs"},
        {[](Plan& p) { p.training.batch = 0; }, "training.batch"},
        {[](Plan& p) { p.training.learning_rate = -1; }, "training.learning_rate"},
        {[](Plan& p) { p.training.momentum = 1; }, "training.momentum"},
        {[](Plan& p) { p.aggregation.grid.bits = 7; }, "encoding.bits"},
        {[](Plan& p) { p.aggregation.max_weight = std::uint64_t{1} << 60u; }, "max_weight"},
        {[](Plan& p) { p.aggregation.strategy.name = "magic"; }, "aggregation.strategy"},
        {[](Plan& p) { p.round.rounds = 0; }, "round.rounds"},
        {[](Plan& p) { p.round.min_cohort = 0; }, "round.min_cohort"},
        {[](Plan& p) { p.round.goal = 1; }, "round.goal"},
        {[](Plan& p) { p.contract.max_rounds = 3; }, "contract.max_rounds"},
    };
    for (const Mistake& mistake : mistakes) {
        Plan plan = plan::default_digits_plan();
        mistake.make(plan);
        const Status result = plan::check(plan);
        CAPTURE(mistake.key);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().message.find(mistake.key) != std::string::npos);
    }
}

TEST_CASE("what the plan offers is what this software can enforce") {
    const Plan plan = plan::default_digits_plan();
    CHECK(policy::check_shape(plan::update_policy(plan)).permitted);
    CHECK(policy::check_shape(plan::model_policy(plan)).permitted);
}
