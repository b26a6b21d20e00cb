#include "entente/nn/training.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../../golden/nn_golden.hpp"
#include "entente/nn/initialise.hpp"
#include "entente/nn/model.hpp"
#include "entente/task/score.hpp"
#include "entente/tensor/kernels.hpp"

using namespace entente;
using namespace entente::nn;

namespace {

// Class c has its blob at c on a line of 12 values.
data::Dataset blobs(std::size_t count, std::uint32_t seed) {
    data::Dataset dataset;
    dataset.example_shape = {12};
    dataset.classes = 3;
    Philox random({seed, 3});
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t label = random.bounded(3);
        dataset.labels.push_back(label);
        for (std::uint32_t x = 0; x < 12; ++x) {
            dataset.features.push_back((x / 4 == label ? 0.8f : 0.0f) +
                                       0.5f * static_cast<float>(random.normal()));
        }
    }
    return dataset;
}

const ModelSpec small{{12}, {dense("a", 16), relu(), dense("b", 3)}};

TrainingOptions options() {
    TrainingOptions o;
    o.epochs = 3;
    o.batch = 16;
    o.learning_rate = 0.1f;
    o.key = derive_key(1, 2, "p", Purpose::shuffle);
    return o;
}

std::vector<float> train(const ModelSpec& spec, const TrainingOptions& o, const data::Dataset& dataset,
                         std::span<const std::uint32_t> rows, std::span<const float> initial,
                         std::uint32_t slice) {
    LocalTraining training = LocalTraining::start(spec, o, dataset, rows, initial).value();
    while (!training.finished()) REQUIRE(training.step(slice).ok());
    return {training.parameters().begin(), training.parameters().end()};
}

std::uint64_t digest(std::span<const float> values) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::byte b : std::as_bytes(values))
        hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
    return hash;
}

}  // namespace

TEST_CASE("training learns a small synthetic task far better than chance") {
    const data::Dataset dataset = blobs(300, 1);
    const data::Dataset fresh = blobs(300, 2);
    const auto initial = initialise(small, {4, 5}).value();
    const auto trained = train(small, options(), dataset, {}, initial, 1000);
    const task::Score before = task::evaluate(small, initial, fresh, {}).value();
    const task::Score after = task::evaluate(small, trained, fresh, {}).value();
    CHECK(before.accuracy() < 0.7);
    CHECK(after.accuracy() > 0.9);
    CHECK(after.mean_loss() < 0.5 * before.mean_loss());
}

TEST_CASE("training gives the same bits again and however it is sliced") {
    const data::Dataset dataset = blobs(101, 1);
    const auto initial = initialise(small, {4, 5}).value();
    TrainingOptions o = options();
    o.momentum = 0.9f;
    o.weight_decay = 0.001f;
    o.proximal_mu = 0.01f;
    const auto whole = train(small, o, dataset, {}, initial, 1000);
    CHECK(whole == train(small, o, dataset, {}, initial, 1000));
    CHECK(whole == train(small, o, dataset, {}, initial, 1));
    CHECK(whole == train(small, o, dataset, {}, initial, 3));
    o.key.k1 ^= 1;
    CHECK(whole != train(small, o, dataset, {}, initial, 1000));
}

TEST_CASE("training gives the recorded bits with every variant of the kernels, natively and in wasm") {
    data::Dataset pictures;
    pictures.example_shape = {12, 12, 1};
    pictures.classes = 4;
    Philox random({6, 7});
    for (std::uint32_t i = 0; i < 40; ++i) {
        pictures.labels.push_back(i % 4);
        for (int p = 0; p < 144; ++p) pictures.features.push_back(random.uniform());
    }
    const ModelSpec spec{{12, 12, 1},
                         {conv2d("a", 6, 5), max_pool2d(2), relu(), conv2d("b", 20, 3, false), relu(),
                          flatten(), dense("c", 30), relu(), dense("d", 4)}};
    const auto initial = initialise(spec, {8, 9}).value();
    TrainingOptions o = options();
    o.batch = 7;
    o.momentum = 0.5f;
    const std::string before = kernels::active().name;
    for (const auto* table : kernels::available()) {
        REQUIRE(kernels::select(table->name).ok());
        INFO("variant ", std::string(table->name));
        CHECK(digest(train(spec, o, pictures, {}, initial, 5)) == 0xcc5768f6c2d4521cu);
    }
    REQUIRE(kernels::select(before).ok());
}

TEST_CASE("progress counts batches and examples, and the last batch of an epoch is short") {
    const data::Dataset dataset = blobs(50, 1);
    const auto initial = initialise(small, {4, 5}).value();
    LocalTraining training = LocalTraining::start(small, options(), dataset, {}, initial).value();
    CHECK(training.total_steps() == 12);
    CHECK(training.progress() == 0.0);
    StepReport report = training.step(4).value();
    CHECK(report.batches == 4);
    CHECK(report.examples == 50);
    CHECK(report.mean_loss > 0.0);
    CHECK(training.progress() == doctest::Approx(1.0 / 3.0));
    LocalTraining moved = std::move(training);
    report = moved.step(1000).value();
    CHECK(report.batches == 8);
    CHECK(moved.finished());
    CHECK(moved.steps() == 12);
    CHECK(moved.examples() == 150);
    CHECK(moved.rows() == 50);
    CHECK(moved.progress() == 1.0);
    report = moved.step(5).value();
    CHECK(report.batches == 0);
    CHECK(report.mean_loss == 0.0);
}

TEST_CASE("every epoch visits every chosen row once, in an order of its own") {
    // With a zero-information model the loss of a row is log 3; so record visits through a one-row-at-a-time
    // training whose inputs are one-hot: the first update of weight row i happens when row i is seen.
    data::Dataset one_hot;
    one_hot.example_shape = {8};
    one_hot.classes = 2;
    for (std::uint32_t i = 0; i < 8; ++i) {
        one_hot.labels.push_back(i % 2);
        for (std::uint32_t j = 0; j < 8; ++j) one_hot.features.push_back(i == j ? 1.0f : 0.0f);
    }
    const ModelSpec linear{{8}, {dense("a", 2)}};
    const std::vector<float> initial(18, 0.0f);
    const std::vector<std::uint32_t> rows{1, 3, 4, 6, 7};
    TrainingOptions o = options();
    o.batch = 1;
    o.epochs = 2;
    LocalTraining training = LocalTraining::start(linear, o, one_hot, rows, initial).value();
    std::vector<std::uint32_t> orders[2];
    for (auto& order : orders) {
        for (int i = 0; i < 5; ++i) {
            const std::vector<float> before(training.parameters().begin(), training.parameters().end());
            REQUIRE(training.step(1).ok());
            for (std::uint32_t row = 0; row < 8; ++row) {
                if (training.parameters()[row * 2] != before[row * 2]) order.push_back(row);
            }
        }
    }
    for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
        std::vector<std::uint32_t> expected = rows;
        Philox(o.key, epoch).shuffle(expected);
        CHECK(orders[epoch] == expected);
    }
    CHECK(orders[0] != orders[1]);
}

TEST_CASE("three full-batch epochs agree with three steps of PyTorch's SGD") {
    const ModelSpec spec{{7, 6, 2},
                         {conv2d("conv1", 3, 3), relu(), max_pool2d(2), conv2d("conv2", 4, 2, false), relu(),
                          flatten(), dense("dense1", 5), relu(), dense("dense2", 3)}};
    data::Dataset dataset;
    dataset.example_shape = {7, 6, 2};
    dataset.classes = 3;
    dataset.features.assign(std::begin(golden::inputs), std::end(golden::inputs));
    dataset.labels.assign(std::begin(golden::labels), std::end(golden::labels));
    TrainingOptions o = options();
    o.batch = 4;
    o.learning_rate = golden::rate;
    o.momentum = golden::momentum;
    o.weight_decay = golden::decay;
    const auto w = train(spec, o, dataset, {}, golden::initial, 1);
    for (std::size_t i = 0; i < w.size(); ++i) {
        REQUIRE(std::abs(w[i] - golden::after_three_steps[i]) <= 1e-5f);
    }
}

TEST_CASE("the proximal term pulls towards the initial parameters") {
    const data::Dataset dataset = blobs(100, 1);
    const auto initial = initialise(small, {4, 5}).value();
    const auto distance = [&](const std::vector<float>& w) {
        double sum = 0.0;
        for (std::size_t i = 0; i < w.size(); ++i) sum += std::pow(static_cast<double>(w[i] - initial[i]), 2);
        return sum;
    };
    TrainingOptions o = options();
    const double free = distance(train(small, o, dataset, {}, initial, 10));
    o.proximal_mu = 1.0f;
    CHECK(distance(train(small, o, dataset, {}, initial, 10)) < 0.5 * free);
}

TEST_CASE("a correction is added to the gradient of every step") {
    const data::Dataset dataset = blobs(100, 1);
    const auto initial = initialise(small, {4, 5}).value();
    TrainingOptions o = options();
    o.epochs = 1;
    o.batch = 100;
    const auto walked = [&](std::span<const float> correction) {
        LocalTraining training = LocalTraining::start(small, o, dataset, {}, initial).value();
        REQUIRE(training.correct(correction).ok());
        REQUIRE(training.step(1).ok());
        const auto w = training.parameters();
        return std::vector<float>(w.begin(), w.end());
    };
    std::vector<float> correction(initial.size());
    for (std::size_t i = 0; i < correction.size(); ++i) correction[i] = 0.01f * static_cast<float>(i % 7);
    const auto plain = train(small, o, dataset, {}, initial, 1);
    const auto zero = walked(std::vector<float>(initial.size(), 0.0f));
    const auto moved = walked(correction);
    for (std::size_t i = 0; i < initial.size(); ++i) {
        CHECK(std::abs(zero[i] - plain[i]) < 1e-6f);
        CHECK(std::abs(moved[i] - (plain[i] - o.learning_rate * correction[i])) < 1e-6f);
    }
    LocalTraining training = LocalTraining::start(small, o, dataset, {}, initial).value();
    CHECK_FALSE(training.correct(std::vector<float>(3)).ok());
    correction[2] = std::numeric_limits<float>::quiet_NaN();
    CHECK(training.correct(correction).error().reason == "training.initial");
    REQUIRE(training.step(1).ok());
    CHECK_FALSE(training.correct(std::vector<float>(initial.size())).ok());
}

TEST_CASE("a diverging training ends with an error and keeps it") {
    const data::Dataset dataset = blobs(100, 1);
    const auto initial = initialise(small, {4, 5}).value();
    TrainingOptions o = options();
    o.learning_rate = 1e30f;
    LocalTraining training = LocalTraining::start(small, o, dataset, {}, initial).value();
    const Result<StepReport> report = training.step(1000);
    REQUIRE_FALSE(report.ok());
    CHECK(report.error().reason == "training.non-finite");
    CHECK(report.error().message.find("at step ") != std::string::npos);
    CHECK(training.finished());
    CHECK(training.steps() < training.total_steps());  // at once, not at the end
    CHECK(training.step(1).error().reason == "training.non-finite");
}

TEST_CASE("an overflow in the very last update is found too") {
    const data::Dataset dataset = blobs(4, 1);
    const auto initial = initialise(small, {4, 5}).value();
    TrainingOptions o = options();
    o.epochs = 1;
    o.learning_rate = 3e38f;
    o.weight_decay = 3e38f;
    LocalTraining training = LocalTraining::start(small, o, dataset, {}, initial).value();
    CHECK(training.step(1).error().reason == "training.non-finite");
}

TEST_CASE("what a ReLU hides from the loss is found at the end of its epoch") {
    // The second step's hidden units are not numbers, their ReLU makes them zero, and every loss is finite.
    data::Dataset dataset;
    dataset.example_shape = {1};
    dataset.classes = 2;
    dataset.features = {1e30f, 1e30f, 1e30f};
    dataset.labels = {0, 0, 0};
    const ModelSpec spec{{1}, {dense("a", 1), relu(), dense("b", 2)}};
    TrainingOptions o = options();
    o.batch = 1;
    o.epochs = 5;
    o.learning_rate = 1e10f;
    const std::vector<float> initial{1e-30f, 0.0f, -1.0f, 1.0f, 0.0f, 0.0f};
    LocalTraining training = LocalTraining::start(spec, o, dataset, {}, initial).value();
    const Result<StepReport> report = training.step(1000);
    REQUIRE_FALSE(report.ok());
    CHECK(report.error().message.find("found others at step 3") != std::string::npos);
}

TEST_CASE("training refuses what it cannot use") {
    const data::Dataset dataset = blobs(20, 1);
    const auto initial = initialise(small, {4, 5}).value();
    const auto reason = [&](const ModelSpec& spec, const TrainingOptions& o, const data::Dataset& d,
                            std::vector<std::uint32_t> rows, const std::vector<float>& w) {
        const auto training = LocalTraining::start(spec, o, d, rows, w);
        return training.ok() ? "ok" : training.error().reason;
    };
    CHECK(reason(small, options(), dataset, {}, initial) == "ok");
    for (int field = 0; field < 12; ++field) {
        TrainingOptions o = options();
        if (field == 0) o.epochs = 0;
        if (field == 1) o.batch = 0;
        if (field == 2) o.learning_rate = 0.0f;
        if (field == 3) o.learning_rate = std::numeric_limits<float>::quiet_NaN();
        if (field == 4) o.momentum = 1.0f;
        if (field == 5) o.momentum = -0.1f;
        if (field == 6) o.weight_decay = -1.0f;
        if (field == 7) o.proximal_mu = -1.0f;
        if (field == 8) o.learning_rate = std::numeric_limits<float>::infinity();
        if (field == 9) o.slices = 0;
        if (field == 10) o.slices = max_slices + 1, o.batch = 100;
        if (field == 11) o.slices = 3, o.batch = 2;
        INFO("field ", field);
        CHECK(reason(small, o, dataset, {}, initial) == "training.options");
    }
    CHECK(reason({{13}, {dense("a", 3)}}, options(), dataset, {}, initial) == "training.shape");
    CHECK(reason({{12}, {dense("a", 2)}}, options(), dataset, {}, initial) == "loss.labels");
    CHECK(reason(small, options(), dataset, {20}, initial) == "training.rows");
    data::Dataset empty = dataset;
    empty.features.clear();
    empty.labels.clear();
    CHECK(reason(small, options(), empty, {}, initial) == "training.rows");
    CHECK(reason(small, options(), dataset, {}, std::vector<float>(5)) == "training.initial");
    std::vector<float> broken = initial;
    broken[7] = std::numeric_limits<float>::infinity();
    CHECK(reason(small, options(), dataset, {}, broken) == "training.initial");
    data::Dataset damaged = dataset;
    damaged.features[3] = std::numeric_limits<float>::quiet_NaN();
    CHECK(reason(small, options(), damaged, {}, initial) == "data.non-finite");
    damaged = dataset;
    damaged.labels[3] = 3;
    CHECK(reason(small, options(), damaged, {}, initial) == "data.labels");
    damaged = dataset;
    damaged.features.pop_back();
    CHECK(reason(small, options(), damaged, {}, initial) == "data.shape");
}
