// One training, one digest: whatever the instruction set, the number of lanes, or the order in which units run.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "entente/nn/initialise.hpp"
#include "entente/nn/model.hpp"
#include "entente/nn/reference.hpp"
#include "entente/nn/training.hpp"
#include "entente/tensor/kernels.hpp"

using namespace entente;
using namespace entente::nn;
using kernels::Numerics;

namespace {

// What a pool of threads may do: any order, any lane.
class Shuffled final : public Executor {
public:
    explicit Shuffled(unsigned width) : width_(width) {}
    [[nodiscard]] unsigned width() const noexcept override { return width_; }
    void run(std::size_t units, Work work) override {
        order_.resize(units);
        std::iota(order_.begin(), order_.end(), 0u);
        Philox({width_, 77}, ++jobs_).shuffle(order_);
        for (const std::uint32_t unit : order_) work(unit, (unit * 7 + static_cast<unsigned>(jobs_)) % width_);
    }

private:
    unsigned width_;
    std::uint64_t jobs_ = 0;
    std::vector<std::uint32_t> order_;
};

data::Dataset pictures(std::vector<std::uint32_t> shape, std::uint32_t count) {
    data::Dataset set;
    set.example_shape = std::move(shape);
    set.classes = 4;
    Philox random({16, 17});
    for (std::uint32_t i = 0; i < count; ++i) {
        set.labels.push_back(random.bounded(4));
        for (std::size_t p = 0; p < set.example_size(); ++p) set.features.push_back(random.uniform() - 0.3f);
    }
    return set;
}

std::uint64_t digest(std::span<const float> values) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::byte b : std::as_bytes(values)) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
    return hash;
}

struct Case {
    const char* name;
    ModelSpec spec;
    float momentum;
    std::uint64_t portable, fused;
};

LayerSpec strided(LayerSpec layer) {
    layer.stride = 2;
    return layer;
}

std::vector<Case> cases() {
    return {
        {"dense", {{29}, {dense("a", 200), relu(), dense("b", 70), relu(), dense("c", 4)}}, 0.0f, 0x52daacdcfa83e46eu, 0xe112f1f654af28c1u},
        {"conv", {{12, 12, 1},
          {conv2d("a", 16, 5), max_pool2d(2), relu(), conv2d("b", 32, 5), relu(), max_pool2d(2), conv2d("c", 8, 3),
           relu(), max_pool2d(3), flatten(), dense("d", 40), relu(), dense("e", 4)}}, 0.5f, 0x777a4a8d597d3a76u, 0x5a0b638380108d41u},
        {"autoencoder's half", {{30, 5},
          {strided(conv1d("a", 16, 5)), relu(), strided(conv1d("b", 8, 3)), tanh(), flatten(), dense("c", 33), layer_norm("d"),
           gelu(), dropout(0.2f), dense("e", 4)}}, 0.0f, 0x18d45037703a0df8u, 0x3463444351d2b1efu},
        {"autoencoder", {{16, 5},
          {strided(conv1d("a", 16, 5)), relu(), strided(conv1d("b", 8, 5)), relu(), conv_transpose1d("c", 16, 4, 2), relu(),
           conv_transpose1d("d", 5, 4, 2), flatten(), dense("e", 4)}}, 0.0f, 0x3fedadbecb284762u, 0x2fd5b74a9da67c40u},
        {"gru", {{12, 6}, {gru("a", 20, true), group_norm("b", 4), gru("c", 17), dense("d", 4)}}, 0.9f, 0xd3ab5918e9414ca1u, 0x9cc6a0418d2b36e8u},
        {"residual", {{9, 8, 3},
          {conv2d("a", 16, 3), relu(), conv2d("b", 16, 3), relu(), residual(2), avg_pool2d(2), sigmoid(), flatten(),
           dense("c", 4)}}, 0.0f, 0xd7a17c9e5605efb4u, 0x60215853f86e7a37u},
    };
}

std::vector<float> parameters(const Case& c, Numerics numerics, Executor& executor, std::uint32_t batch, std::uint32_t slices) {
    const data::Dataset set = pictures(c.spec.input_shape, 60);
    TrainingOptions o;
    o.batch = batch;
    o.slices = slices;
    o.learning_rate = 0.05f;
    o.momentum = c.momentum;
    o.numerics = numerics;
    o.key = derive_key(1, 2, "p", Purpose::shuffle);
    o.dropout_key = derive_key(1, 2, "p", Purpose::dropout);
    auto training = LocalTraining::start(c.spec, o, set, {}, initialise(c.spec, {8, 9}).value(), executor).value();
    while (!training.finished()) REQUIRE(training.step(100).ok());
    return {training.parameters().begin(), training.parameters().end()};
}

// One epoch of batches of 11 with the reference's gradients.
std::vector<float> in_nested_loops(const ModelSpec& spec, float momentum, const data::Dataset& set, std::vector<float> w) {
    std::vector<std::uint32_t> rows(60);
    std::iota(rows.begin(), rows.end(), 0u);
    Philox(derive_key(1, 2, "p", Purpose::shuffle), 0).shuffle(rows);
    std::vector<float> velocity(w.size(), 0.0f);
    std::vector<float> gradient(w.size());
    for (std::size_t first = 0; first < rows.size(); first += 11) {
        std::vector<float> inputs;
        std::vector<std::uint32_t> labels;
        for (std::size_t i = first; i < std::min<std::size_t>(first + 11, rows.size()); ++i) {
            inputs.insert(inputs.end(), set.example(rows[i]).begin(), set.example(rows[i]).end());
            labels.push_back(set.labels[rows[i]]);
        }
        const Dropout draw{derive_key(1, 2, "p", Purpose::dropout), first / 11};
        REQUIRE(reference_gradients<float>(spec, w, inputs, labels, gradient, draw).ok());
        for (std::size_t i = 0; i < w.size(); ++i) {
            velocity[i] = gradient[i] + momentum * velocity[i];
            w[i] = w[i] + -0.05f * velocity[i];
        }
    }
    return w;
}

std::uint64_t train(const Case& c, Numerics numerics, Executor& executor) {
    return digest(parameters(c, numerics, executor, 11, 1));
}

}  // namespace

TEST_CASE("a training in nested loops has the same digest") {
    for (const Case& c : cases()) {
        const data::Dataset set = pictures(c.spec.input_shape, 60);
        const std::vector<float> w = in_nested_loops(c.spec, c.momentum, set, initialise(c.spec, {8, 9}).value());
        INFO(std::string(c.name));
        CHECK(digest(w) == c.portable);
    }
}

TEST_CASE("columns that are zero in a whole batch leave no trace: nested loops, every instruction set") {
    const ModelSpec spec{{600}, {dense("a", 60), relu(), dense("b", 4)}};
    data::Dataset set = pictures(spec.input_shape, 60);
    Philox random({18, 19});
    for (std::size_t i = 0; i < set.features.size(); ++i) {
        // Stripes that nobody has, and pixels that few have.
        const std::size_t column = i % 600;
        if (column % 40 < 15 || random.bounded(8) != 0) set.features[i] = i % 3 == 0 ? -0.0f : 0.0f;
    }
    const std::vector<float> initial = initialise(spec, {8, 9}).value();
    TrainingOptions o;
    o.batch = 11;
    o.learning_rate = 0.05f;
    o.key = derive_key(1, 2, "p", Purpose::shuffle);
    const std::vector<float> w = in_nested_loops(spec, 0.0f, set, initial);
    const std::string before = kernels::active().name;
    for (const kernels::Table* table : kernels::available(Numerics::portable)) {
        REQUIRE(kernels::select(table->name).ok());
        INFO(std::string(table->name));
        Shuffled executor(3);
        auto training = LocalTraining::start(spec, o, set, {}, initial, executor).value();
        while (!training.finished()) REQUIRE(training.step(100).ok());
        CHECK(digest(training.parameters()) == digest(w));
    }
    REQUIRE(kernels::select(before).ok());
}

TEST_CASE("the gradients of a batch's slices are added in order: nested loops, any number of lanes") {
    constexpr std::size_t batch = 20;
    constexpr std::size_t slices = 4;
    constexpr std::size_t size = batch / slices;
    for (const Case& c : cases()) {
        INFO(std::string(c.name));
        const data::Dataset set = pictures(c.spec.input_shape, 60);
        std::vector<std::uint32_t> rows(60);
        std::iota(rows.begin(), rows.end(), 0u);
        Philox(derive_key(1, 2, "p", Purpose::shuffle), 0).shuffle(rows);
        std::vector<float> w = initialise(c.spec, {8, 9}).value();
        std::vector<float> velocity(w.size(), 0.0f);
        for (std::size_t step = 0; step < rows.size() / batch; ++step) {
            std::vector<float> sum(w.size());
            for (std::size_t s = 0; s < slices; ++s) {
                std::vector<float> inputs;
                std::vector<Target> targets;
                for (std::size_t i = 0; i < size; ++i) {
                    const std::uint32_t row = rows[step * batch + s * size + i];
                    inputs.insert(inputs.end(), set.example(row).begin(), set.example(row).end());
                    targets.push_back({.label = set.labels[row]});
                }
                std::vector<float> gradient(w.size());
                const Dropout draw{derive_key(1, 2, "p", Purpose::dropout), step, s * size};
                REQUIRE(reference_gradients<float>(c.spec, w, inputs, LossSpec{}, targets, gradient, draw, batch).ok());
                for (std::size_t i = 0; i < w.size(); ++i) sum[i] = s == 0 ? gradient[i] : sum[i] + gradient[i];
            }
            for (std::size_t i = 0; i < w.size(); ++i) {
                velocity[i] = sum[i] + c.momentum * velocity[i];
                w[i] = w[i] + -0.05f * velocity[i];
            }
        }
        CHECK(parameters(c, Numerics::portable, inline_executor(), batch, slices) == w);
        for (const unsigned width : {2u, 5u}) {
            Shuffled executor(width);
            CHECK(parameters(c, Numerics::portable, executor, batch, slices) == w);
        }
        // Another order of additions, the same gradient.
        const auto whole = parameters(c, Numerics::portable, inline_executor(), batch, 1);
        CHECK(whole != w);
        for (std::size_t i = 0; i < w.size(); ++i) REQUIRE(std::abs(whole[i] - w[i]) < 1e-4f);
    }
}

TEST_CASE("a batch with fewer examples than slices has slices of one") {
    const Case dense = cases()[0];
    const data::Dataset set = pictures(dense.spec.input_shape, 3);
    const auto once = [&](std::uint32_t batch, std::uint32_t slices) {
        TrainingOptions o;
        o.batch = batch;
        o.slices = slices;
        auto training = LocalTraining::start(dense.spec, o, set, {}, initialise(dense.spec, {8, 9}).value()).value();
        REQUIRE(training.step(1).ok());
        return digest(training.parameters());
    };
    CHECK(once(5, 5) == once(3, 3));
    CHECK(once(16, 16) == once(3, 3));
}

TEST_CASE("training has one digest per class: every instruction set, any number of lanes, any order of units") {
    const std::string before = kernels::active().name;
    for (const Case& c : cases()) {
        for (const Numerics numerics : {Numerics::portable, Numerics::fused}) {
            const std::uint64_t expected = numerics == Numerics::portable ? c.portable : c.fused;
            for (const kernels::Table* table : kernels::available(numerics)) {
                REQUIRE(kernels::select(table->name).ok());
                INFO(std::string(c.name), " ", std::string(kernels::to_string(numerics)), " ", std::string(table->name));
                CHECK(train(c, numerics, inline_executor()) == expected);
                for (const unsigned width : {2u, 5u}) {
                    Shuffled executor(width);
                    CHECK(train(c, numerics, executor) == expected);
                }
            }
        }
    }
    REQUIRE(kernels::select(before).ok());
}

TEST_CASE("a plain step, whose gradient goes straight into the weights, has the bits of gradient and step apart") {
    for (const Case& c : cases()) {
        const data::Dataset set = pictures(c.spec.input_shape, 13);
        const auto initial = initialise(c.spec, {18, 9}).value();
        TrainingOptions o;
        o.batch = 13;
        o.learning_rate = 0.07f;
        o.key = derive_key(3, 2, "q", Purpose::shuffle);
        auto training = LocalTraining::start(c.spec, o, set, {}, initial).value();
        REQUIRE(training.step(1).ok());
        // The same order of rows, through Model.
        std::vector<std::uint32_t> rows(13);
        std::iota(rows.begin(), rows.end(), 0u);
        Philox(o.key, 0).shuffle(rows);
        std::vector<float> inputs;
        std::vector<std::uint32_t> labels;
        for (const std::uint32_t row : rows) {
            inputs.insert(inputs.end(), set.example(row).begin(), set.example(row).end());
            labels.push_back(set.labels[row]);
        }
        Model model = Model::create(c.spec, 13).value();
        REQUIRE(model.load(initial).ok());
        std::vector<float> gradient(initial.size());
        REQUIRE(model.gradients(inputs, labels, gradient).ok());
        std::vector<float> stepped = initial;
        kernels::active().sgd(o.learning_rate, gradient.data(), stepped.data(), stepped.size());
        CHECK(std::equal(stepped.begin(), stepped.end(), training.parameters().begin()));
    }
}
