#include "entente/plan/plan.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "entente/policy/evaluate.hpp"
#include "entente/tensor/kernels.hpp"

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
        {[](Plan& p) { p.training.slices = 0; }, "training.slices"},
        {[](Plan& p) { p.training.slices = 17; }, "training.slices"},
        {[](Plan& p) { p.training.batch = 3, p.training.slices = 4; }, "training.slices: expected 1 to 3, found 4"},
        {[](Plan& p) { p.training.learning_rate = -1; }, "training.learning_rate"},
        {[](Plan& p) { p.training.momentum = 1; }, "training.momentum"},
        {[](Plan& p) { p.training.nesterov = true; }, "training.nesterov"},
        {[](Plan& p) { p.training.beta1 = 0.5f; }, "training.beta1"},
        {[](Plan& p) { p.training.optimiser = nn::Optimiser::adam, p.training.momentum = 0.9f; }, "training.momentum"},
        {[](Plan& p) { p.training.optimiser = nn::Optimiser::adam, p.training.beta2 = std::nanf(""); }, "training.beta2"},
        {[](Plan& p) { p.training.optimiser = nn::Optimiser::adamw, p.training.epsilon = 0; }, "training.epsilon"},
        {[](Plan& p) { p.training.clip_norm = std::nanf(""); }, "training.clip_norm"},
        {[](Plan& p) { p.training.schedule.step_factor = 0.5f; }, "training.schedule"},
        {[](Plan& p) { p.training.schedule = {.kind = nn::ScheduleKind::step, .step_rounds = 0}; }, "step_rounds"},
        {[](Plan& p) { p.task.loss.class_weights = {1, 2}; }, "task.loss"},
        {[](Plan& p) { p.task.loss.delta = std::nanf(""); }, "task.loss"},
        {[](Plan& p) { p.task.model.layers.back().units = 1; }, "task.loss"},
        {[](Plan& p) { p.task.model.layers[1].units = 100'000'000; }, "parameters in the model"},
        {[](Plan& p) { p.task.model = {{20000, 1000}, {nn::conv1d("a", 1, 1), nn::tanh(), nn::tanh(), nn::tanh(), nn::tanh(),
                                        nn::tanh(), nn::tanh(), nn::tanh(), nn::tanh(), nn::tanh(), nn::tanh(), nn::tanh(),
                                        nn::tanh(), nn::conv1d("b", 8000, 1), nn::tanh(), nn::flatten(), nn::dense("c", 10)}}; },
         "model"},
        {[](Plan& p) { p.aggregation.grid.bits = 7; }, "encoding.bits"},
        {[](Plan& p) { p.aggregation.max_weight = std::uint64_t{1} << 60u; }, "max_weight"},
        {[](Plan& p) { p.aggregation.strategy.name = "magic"; }, "aggregation.strategy"},
        {[](Plan& p) { p.round.rounds = 0; }, "round.rounds"},
        {[](Plan& p) { p.round.min_cohort = 0; }, "round.min_cohort"},
        {[](Plan& p) { p.round.goal = 1; }, "round.goal"},
        {[](Plan& p) { p.round.fraction = 0; }, "round.fraction"},
        {[](Plan& p) { p.round.over_selection = 0.5f; }, "round.over_selection"},
        {[](Plan& p) { p.round.max_staleness = 101; }, "round.max_staleness"},
        {[](Plan& p) { p.round.staleness_exponent = -1; }, "round.staleness_exponent"},
        {[](Plan& p) { p.round.witnesses = 100'001; }, "round.witnesses"},
        {[](Plan& p) { p.aggregation.strategy.server_momentum = 0.9f; }, "aggregation.server_momentum"},
        {[](Plan& p) { static_cast<void>(plan::use_strategy(p, "scaffold")), p.training.momentum = 0.9f; }, "training.momentum"},
        {[](Plan& p) { static_cast<void>(plan::use_strategy(p, "scaffold")), p.training.optimiser = nn::Optimiser::adamw; }, "training.optimiser"},
        {[](Plan& p) { static_cast<void>(plan::use_strategy(p, "scaffold")), p.round.max_staleness = 1; }, "round.max_staleness"},
        {[](Plan& p) { p.aggregation.strategy.name = "fedbuff"; }, "round.goal"},
        {[](Plan& p) { static_cast<void>(plan::use_strategy(p, "fednova")), p.round.max_staleness = 1; }, "round.max_staleness"},
        {[](Plan& p) { static_cast<void>(plan::use_strategy(p, "fednova")), p.training.optimiser = nn::Optimiser::adam; }, "training.optimiser"},
        {[](Plan& p) {
             static_cast<void>(plan::use_strategy(p, "fednova"));
             p.training.momentum = 0.9f;
             p.training.proximal_mu = 0.1f;
         },
         "training.momentum"},
        {[](Plan& p) { p.contract.max_rounds = 3; }, "policy.max_rounds"},
        {[](Plan& p) { p.contract.valid_from = "tomorrow"; }, "policy.valid_from"},
        {[](Plan& p) { p.contract.valid_until = "2026-02-30T00:00:00Z"; }, "policy.valid_until"},
        {[](Plan& p) { p.contract.valid_from = p.contract.valid_until = "2026-02-03T00:00:00Z"; }, "policy.valid_until"},
        {[](Plan& p) { p.contract.updates_may = policy::operation::evaluate; }, "policy.updates_may"},
        {[](Plan& p) { p.contract.updates_may |= policy::operation::export_model; }, "policy.updates_may"},
        {[](Plan& p) { p.contract.model_may = policy::operation::train; }, "policy.model_may"},
        {[](Plan& p) { p.contract.model_may |= policy::operation::distribute; }, "policy.model_may"},
        {[](Plan& p) { p.contract.delete_after_days = 36'501; }, "policy.delete_after_days"},
        {[](Plan& p) { p.aggregation.top = 0.6f; }, "aggregation.top"},
        {[](Plan& p) { p.aggregation.top = std::nanf(""); }, "aggregation.top"},
        {[](Plan& p) { static_cast<void>(plan::use_strategy(p, "scaffold")), p.aggregation.top = 0.01f; }, "aggregation.top"},
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

TEST_CASE("one output is two classes under binary cross-entropy, and otherwise a number") {
    Plan plan = plan::default_digits_plan();
    plan.task.model.layers.back().units = 1;
    plan.task.loss.kind = nn::LossKind::binary_cross_entropy;
    CHECK(plan::check(plan).error().message.find("task.classes: expected 2") != std::string::npos);
    plan.task.classes = 2;
    CHECK(plan::check(plan).ok());
    plan.task.classes = 10;
    plan.task.loss.kind = nn::LossKind::huber;
    CHECK(plan::check(plan).ok());
}

TEST_CASE("the options of a round are the plan's, its rate that of the schedule") {
    Plan plan = plan::default_digits_plan();
    plan.numerics = "fused";
    plan.training.optimiser = nn::Optimiser::adamw;
    plan.training.beta1 = 0.8f;
    plan.training.clip_norm = 3.0f;
    plan.training.schedule = {.kind = nn::ScheduleKind::step, .step_rounds = 4, .step_factor = 0.5f};
    plan.task.loss = {.kind = nn::LossKind::huber, .delta = 2.0f};
    REQUIRE(plan::check(plan).ok());
    const nn::TrainingOptions o = plan::training_options(plan, 5, "a");
    CHECK(o.learning_rate == 0.05f);
    CHECK(plan::training_options(plan, 4, "a").learning_rate == 0.1f);
    CHECK(o.optimiser == nn::Optimiser::adamw);
    CHECK(o.beta1 == 0.8f);
    CHECK(o.clip_norm == 3.0f);
    CHECK(o.loss == plan.task.loss);
    CHECK(o.numerics == kernels::Numerics::fused);
    CHECK(o.dropout_key != o.key);
}

TEST_CASE("a machine without fused multiply-add says that it cannot train a fused plan") {
    Plan plan = plan::default_digits_plan();
    CHECK(plan::check_machine(plan).ok());
    plan.numerics = "fused";
    REQUIRE(plan::check(plan).ok());
    CHECK(plan::check_machine(plan).ok() == (kernels::find(kernels::Numerics::fused) != nullptr));
#ifdef __EMSCRIPTEN__
    CHECK(plan::check_machine(plan).error().reason == "plan.numerics");
#endif
}

TEST_CASE("what the plan offers is what this software can enforce") {
    const Plan plan = plan::default_digits_plan();
    CHECK(policy::check_shape(plan::update_policy(plan)).permitted);
    CHECK(policy::check_shape(plan::model_policy(plan)).permitted);
}

TEST_CASE("fractions of updates are as fine as the sum has room for") {
    Plan plan = plan::default_digits_plan();
    CHECK(plan::fold_bounds(plan).factor_log2 == 0);
    REQUIRE(plan::use_strategy(plan, "fednova").ok());
    const auto bounds = plan::fold_bounds(plan);
    CHECK(bounds.factor_log2 >= 12);
    CHECK(aggregate::check(bounds).ok());
    auto finer = bounds;
    ++finer.factor_log2;
    CHECK_FALSE(aggregate::check(finer).ok());
    plan.aggregation.grid.bits = 32;
    CHECK(plan::check(plan).error().reason == "plan.overflow");
}

TEST_CASE("a sparse update's size is the plan's, whatever is in it") {
    Plan plan = plan::default_digits_plan();
    plan.aggregation.top = 0.01f;
    REQUIRE(plan::check(plan).ok());
    CHECK(plan::update_encoding(plan) == codec::Encoding::sparse);
    CHECK(plan::sparse_form(plan).kept == 1'993);
    // Six low bits and 1,993 + 3,112 bits of unary, then two bytes a value.
    CHECK(plan::update_limits(plan).content_bytes == 1'495 + 639 + 2 * 1'993);
    CHECK(plan::state_length(plan) == 199'210);
}
