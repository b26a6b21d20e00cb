#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../../golden/nn_training_golden.hpp"
#include "entente/nn/initialise.hpp"
#include "entente/nn/schedule.hpp"
#include "entente/nn/training.hpp"
#include "entente/tensor/kernels.hpp"

using namespace entente;
using namespace entente::nn;

namespace {

const ModelSpec linear{{5}, {dense("a", 3)}};

data::Dataset six() {
    data::Dataset set;
    set.example_shape = {5};
    set.classes = 3;
    set.features.assign(std::begin(golden::step_inputs), std::end(golden::step_inputs));
    set.labels.assign(std::begin(golden::step_labels), std::end(golden::step_labels));
    return set;
}

std::vector<float> train(TrainingOptions o, const ModelSpec& spec, std::span<const float> initial, const data::Dataset& set) {
    auto training = LocalTraining::start(spec, o, set, {}, initial).value();
    while (!training.finished()) REQUIRE(training.step(2).ok());
    return {training.parameters().begin(), training.parameters().end()};
}

TrainingOptions six_steps(float rate) {
    TrainingOptions o;
    o.epochs = 6;
    o.batch = 6;
    o.learning_rate = rate;
    return o;
}

void compare(const TrainingOptions& o, std::span<const float> expected) {
    const data::Dataset set = six();
    const auto w = train(o, linear, golden::step_start, set);
    REQUIRE(w.size() == expected.size());
    for (std::size_t i = 0; i < w.size(); ++i) CHECK(std::abs(w[i] - expected[i]) < 1e-5f);
}

std::string refused(TrainingOptions o) {
    const data::Dataset set = six();
    const auto training = LocalTraining::start(linear, o, set, {}, golden::step_start);
    return training.ok() ? "ok" : training.error().reason;
}

}  // namespace

TEST_CASE("six steps of each optimiser agree with PyTorch") {
    TrainingOptions o = six_steps(0.1f);
    o.momentum = 0.9f;
    o.nesterov = true;
    o.weight_decay = 0.01f;
    compare(o, golden::after_nesterov);

    o = six_steps(0.05f);
    o.optimiser = Optimiser::adam;
    o.beta1 = 0.8f;
    o.beta2 = 0.95f;
    o.epsilon = 1e-6f;
    o.weight_decay = 0.02f;
    compare(o, golden::after_adam);

    o = six_steps(0.05f);
    o.optimiser = Optimiser::adamw;
    o.weight_decay = 0.1f;
    compare(o, golden::after_adamw);

    o = six_steps(0.3f);
    o.clip_norm = 0.2f;
    o.weight_decay = 0.01f;
    compare(o, golden::after_clipped);
}

TEST_CASE("a clipped step of plain SGD is as long as it may be, and no longer than it was") {
    const data::Dataset set = six();
    const auto length = [&](float clip) {
        TrainingOptions o = six_steps(1.0f);
        o.epochs = 1;
        o.clip_norm = clip;
        const auto w = train(o, linear, golden::step_start, set);
        double squares = 0.0;
        for (std::size_t i = 0; i < w.size(); ++i)
            squares += std::pow(static_cast<double>(w[i]) - static_cast<double>(golden::step_start[i]), 2);
        return std::sqrt(squares);
    };
    const double free = length(0.0f);
    CHECK(free > 0.1);
    CHECK(length(0.05f) == doctest::Approx(0.05).epsilon(1e-5));
    CHECK(length(100.0f) == free);
}

TEST_CASE("Adam, AdamW and clipping have one digest per class with every variant of the kernels") {
    const ModelSpec spec{{5}, {dense("a", 21), tanh(), dense("b", 3)}};
    const data::Dataset set = six();
    const auto initial = initialise(spec, {1, 9}).value();
    const std::string before = kernels::active().name;
    for (const auto optimiser : {Optimiser::sgd, Optimiser::adam, Optimiser::adamw}) {
        for (const auto numerics : {kernels::Numerics::portable, kernels::Numerics::fused}) {
            TrainingOptions o = six_steps(0.01f);
            o.batch = 4;
            o.optimiser = optimiser;
            o.numerics = numerics;
            o.weight_decay = 0.01f;
            o.proximal_mu = 0.01f;
            o.clip_norm = 0.3f;
            std::vector<float> first;
            for (const auto* table : kernels::available(numerics)) {
                REQUIRE(kernels::select(table->name).ok());
                const auto w = train(o, spec, initial, set);
                if (first.empty()) first = w;
                CHECK(w == first);
            }
        }
    }
    REQUIRE(kernels::select(before).ok());
}

TEST_CASE("a regression is learned: targets instead of labels") {
    data::Dataset set;
    set.example_shape = {2};
    set.outputs = 1;
    Philox random({3, 1});
    for (int i = 0; i < 200; ++i) {
        const float a = random.uniform(), b = random.uniform();
        set.features.insert(set.features.end(), {a, b});
        set.targets.push_back(2.0f * a - 3.0f * b + 0.5f);
    }
    const ModelSpec spec{{2}, {dense("a", 1)}};
    TrainingOptions o;
    o.epochs = 60;
    o.batch = 20;
    o.optimiser = Optimiser::adam;
    o.learning_rate = 0.05f;
    o.loss.kind = LossKind::mean_squared;
    const auto w = train(o, spec, initialise(spec, {1, 1}).value(), set);
    CHECK(w[0] == doctest::Approx(2.0).epsilon(0.02));
    CHECK(w[1] == doctest::Approx(-3.0).epsilon(0.02));
    CHECK(w[2] == doctest::Approx(0.5).epsilon(0.05));
}

TEST_CASE("options of an optimiser that cannot be are refused") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(refused(six_steps(0.1f)) == "ok");
    const auto with = [](auto change) {
        TrainingOptions o = six_steps(0.1f);
        change(o);
        return refused(o);
    };
    CHECK(with([](TrainingOptions& o) { o.nesterov = true; }) == "training.options");
    CHECK(with([](TrainingOptions& o) { o.optimiser = static_cast<Optimiser>(4); }) == "training.options");
    CHECK(with([](TrainingOptions& o) { o.optimiser = Optimiser::adam, o.momentum = 0.9f; }) == "training.options");
    CHECK(with([&](TrainingOptions& o) { o.beta1 = nan; }) == "training.options");
    CHECK(with([](TrainingOptions& o) { o.beta2 = 1.0f; }) == "training.options");
    CHECK(with([](TrainingOptions& o) { o.epsilon = 0.0f; }) == "training.options");
    CHECK(with([&](TrainingOptions& o) { o.clip_norm = nan; }) == "training.options");
    CHECK(with([](TrainingOptions& o) { o.clip_norm = -1.0f; }) == "training.options");
    CHECK(with([](TrainingOptions& o) { o.loss.kind = LossKind::huber, o.loss.delta = -1.0f; }) == "loss.key");
}

TEST_CASE("schedules: warm-up, steps, cosine") {
    const auto rates = [](const Schedule& s, std::uint64_t rounds) {
        std::vector<float> result;
        for (std::uint64_t r = 1; r <= rounds; ++r) result.push_back(learning_rate(s, 0.8f, r, rounds));
        return result;
    };
    CHECK(rates({}, 3) == std::vector<float>{0.8f, 0.8f, 0.8f});
    CHECK(rates({.warmup_rounds = 4}, 6) == std::vector<float>{0.2f, 0.4f, 0.6f, 0.8f, 0.8f, 0.8f});
    const auto steps = rates({.kind = ScheduleKind::step, .step_rounds = 2, .step_factor = 0.5f}, 6);
    CHECK(steps == std::vector<float>{0.8f, 0.8f, 0.4f, 0.4f, 0.2f, 0.2f});
    const auto cosine = rates({.kind = ScheduleKind::cosine}, 8);
    for (std::size_t r = 0; r < 8; ++r)
        CHECK(cosine[r] == doctest::Approx(0.8 * (1.0 + std::cos(3.14159265358979 * static_cast<double>(r) / 8.0)) / 2.0));
    const Schedule warm{.kind = ScheduleKind::cosine, .warmup_rounds = 2, .floor = 0.25f};
    CHECK(learning_rate(warm, 0.8f, 1, 10) == 0.4f);
    CHECK(learning_rate(warm, 0.8f, 2, 10) == 0.8f);
    CHECK(learning_rate(warm, 0.8f, 6, 9) == doctest::Approx(0.5));
    CHECK(learning_rate(warm, 0.8f, 9999, 10) == learning_rate(warm, 0.8f, 10, 10));
    // Never zero, which training refuses: neither in the last round nor behind it nor after many steps.
    CHECK(learning_rate({.kind = ScheduleKind::cosine}, 0.8f, 9999, 10) > 0.0f);
    CHECK(learning_rate({.kind = ScheduleKind::step, .step_rounds = 1}, 1.0f, std::uint64_t{1} << 60u, 10) > 0.0f);

    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(check(warm).ok());
    CHECK(check({.kind = static_cast<ScheduleKind>(4)}).error().reason == "schedule.kind");
    CHECK_FALSE(check({.warmup_rounds = 2'000'000}).ok());
    CHECK_FALSE(check({.kind = ScheduleKind::step, .step_rounds = 0}).ok());
    CHECK_FALSE(check({.kind = ScheduleKind::step, .step_factor = nan}).ok());
    CHECK_FALSE(check({.kind = ScheduleKind::cosine, .floor = nan}).ok());
    CHECK_FALSE(check({.step_rounds = 3}).ok());
    CHECK_FALSE(check({.floor = 0.5f}).ok());
}
