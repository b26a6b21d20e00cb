// Slices that others compute: the bits of one training, whoever computes which.
#include "entente/nn/slices.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "entente/nn/initialise.hpp"

using namespace entente;
using namespace entente::nn;

namespace {

const ModelSpec model{{12, 12, 1},
                      {conv2d("a", 16, 5), max_pool2d(2), relu(), conv2d("b", 8, 3), relu(), flatten(), dropout(0.3f),
                       dense("c", 20), relu(), dense("d", 4)}};

data::Dataset pictures(std::uint32_t count) {
    data::Dataset set;
    set.example_shape = {12, 12, 1};
    set.classes = 4;
    Philox random({31, 32});
    for (std::uint32_t i = 0; i < count; ++i) {
        set.labels.push_back(random.bounded(4));
        for (int p = 0; p < 144; ++p) set.features.push_back(random.uniform());
    }
    return set;
}

TrainingOptions options() {
    TrainingOptions o;
    o.epochs = 2;
    o.batch = 10;
    o.slices = 4;
    o.optimiser = Optimiser::adam;
    o.learning_rate = 1e-3f;
    o.clip_norm = 1.0f;
    o.key = derive_key(1, 2, "p", Purpose::shuffle);
    o.dropout_key = derive_key(1, 2, "p", Purpose::dropout);
    return o;
}

LocalTraining start(const data::Dataset& set, const TrainingOptions& o) {
    return LocalTraining::start(model, o, set, {}, initialise(model, {8, 9}).value()).value();
}

std::vector<float> result(const LocalTraining& training) {
    return {training.parameters().begin(), training.parameters().end()};
}

void help(SliceHelper& helper, LocalTraining& training, const data::Dataset& set, std::uint32_t s) {
    const Slice slice = training.slice(s).value();
    if (slice.rows.empty()) return;
    std::vector<float> inputs;
    std::vector<Target> targets;
    for (const std::uint32_t row : slice.rows) {
        inputs.insert(inputs.end(), set.example(row).begin(), set.example(row).end());
        targets.push_back(target_of(set, row));
    }
    std::copy(training.weights().begin(), training.weights().end(), helper.weights().begin());
    const double loss = helper.compute(slice.draw, slice.batch, inputs, targets).value();
    std::copy(helper.gradient().begin(), helper.gradient().end(), training.slice_gradient(s).value().begin());
    REQUIRE(training.take_slice(s, loss).ok());
}

}  // namespace

TEST_CASE("whoever computes a slice, and when, the training has the same bits") {
    const data::Dataset set = pictures(43);  // the last batch of an epoch has 3 examples, and a slice of none
    LocalTraining alone = start(set, options());
    while (!alone.finished()) REQUIRE(alone.step(1).ok());
    SliceHelper helper = SliceHelper::create(model, options()).value();
    SliceHelper another = SliceHelper::create(model, options()).value();
    enum class Way { helped, backwards, some, here };
    for (const Way way : {Way::helped, Way::backwards, Way::some, Way::here}) {
        LocalTraining training = start(set, options());
        double loss = 0.0;
        for (std::uint64_t step = 0; !training.finished(); ++step) {
            for (std::uint32_t s = 0; s < 4; ++s) {
                if (way == Way::helped) help(s % 2 == 0 ? helper : another, training, set, s);
                if (way == Way::backwards) help(helper, training, set, 3 - s);
                if (way == Way::some && (s + step) % 3 == 0) help(helper, training, set, s);
                if (way == Way::here) REQUIRE(training.compute_slice(3 - s).ok());
            }
            loss = training.step(1).value().mean_loss;
        }
        CHECK(result(training) == result(alone));
        CHECK(training.mean_loss() == alone.mean_loss());
        CHECK(loss > 0.0);
    }
}

TEST_CASE("a slice that was given counts, and for one step only") {
    const data::Dataset set = pictures(40);
    LocalTraining alone = start(set, options());
    LocalTraining given = start(set, options());
    REQUIRE(given.compute_slice(2).ok());
    const std::span<float> gradient = given.slice_gradient(2).value();
    for (float& g : gradient) g = -g;
    REQUIRE(given.take_slice(2, 1000.0).ok());
    REQUIRE(alone.step(1).ok());
    REQUIRE(given.step(1).ok());
    CHECK(result(given) != result(alone));
    CHECK(given.mean_loss() > 100.0);
    const double before = given.mean_loss();
    REQUIRE(given.step(1).ok());
    CHECK(given.mean_loss() < 0.6 * before);
}

TEST_CASE("slices that cannot be are refused") {
    const data::Dataset set = pictures(10);
    LocalTraining training = start(set, options());
    CHECK(training.slice(4).error().reason == "training.slice");
    CHECK(training.compute_slice(4).error().reason == "training.slice");
    CHECK(training.slice_gradient(4).error().reason == "training.slice");
    CHECK(training.take_slice(4, 0.0).error().reason == "training.slice");
    CHECK(training.slice(3).value().rows.size() == 3);
    REQUIRE(training.step(2).ok());
    CHECK(training.slice(0).error().reason == "training.slice");
    TrainingOptions whole = options();
    whole.slices = 1;
    LocalTraining single = start(set, whole);
    CHECK(single.slice(0).error().reason == "training.slice");

    SliceHelper helper = SliceHelper::create(model, options()).value();
    const std::vector<float> inputs(4 * 144);
    const auto reason = [&](std::uint32_t batch, std::size_t floats, const std::vector<Target>& targets) {
        const auto loss = helper.compute({}, batch, std::span(inputs).first(floats), targets);
        return loss.ok() ? "ok" : loss.error().reason;
    };
    CHECK(reason(10, 3 * 144, {{1}, {2}, {3}}) == "ok");
    CHECK(reason(10, 4 * 144, {{1}, {2}, {3}, {0}}) == "training.slice");
    CHECK(reason(10, 3 * 144 - 1, {{1}, {2}, {3}}) == "training.slice");
    CHECK(reason(10, 3 * 144, {{1}, {2}, {4}}) == "training.slice");
    CHECK(reason(2, 3 * 144, {{1}, {2}, {3}}) == "training.slice");
    CHECK(reason(10, 0, {}) == "training.slice");
    TrainingOptions bad = options();
    bad.slices = 0;
    CHECK(SliceHelper::create(model, bad).error().reason == "training.options");
}
