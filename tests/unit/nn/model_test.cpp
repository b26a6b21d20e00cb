#include "entente/nn/model.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "../../golden/nn_golden.hpp"
#include "entente/nn/initialise.hpp"
#include "entente/nn/reference.hpp"
#include "entente/tensor/kernels.hpp"

using namespace entente;
using namespace entente::nn;

namespace {

struct Batch {
    std::vector<float> parameters;
    std::vector<float> inputs;
    std::vector<std::uint32_t> labels;
};

Batch random_batch(const ModelSpec& spec, std::size_t size, std::uint32_t seed) {
    Batch batch;
    batch.parameters = initialise(spec, {seed, 1}).value();
    Philox random({seed, 2});
    for (float& value : batch.parameters) value += 0.05f * static_cast<float>(random.normal());  // biases too
    std::size_t example = size;
    for (const std::uint32_t extent : spec.input_shape) example *= extent;
    const std::uint32_t words = spec.layers.front().vocabulary;
    for (std::size_t i = 0; i < example; ++i)
        batch.inputs.push_back(words > 0 ? static_cast<float>(random.bounded(words)) : static_cast<float>(random.normal()));
    const std::uint32_t classes = output_classes(spec).value();
    for (std::size_t i = 0; i < size; ++i) batch.labels.push_back(random.bounded(classes));
    return batch;
}

// What the dropout layers of these models drop.
constexpr Dropout draw{{5, 6}, 3};

LayerSpec strided(LayerSpec layer, std::uint32_t stride) {
    layer.stride = stride;
    return layer;
}

// Every layer, both paddings, odd and even kernels, an incomplete pool window, relu on either side of the
// pool.
std::vector<ModelSpec> small_models() {
    return {
        {{7}, {dense("a", 5), relu(), dense("b", 3)}},
        {{5}, {relu(), dense("a", 4), flatten(), dense("b", 2)}},
        {{7, 6, 2},
         {conv2d("a", 3, 3), relu(), max_pool2d(2), conv2d("b", 4, 2, false), relu(), flatten(),
          dense("c", 3)}},
        {{6, 7, 3},
         {conv2d("a", 5, 4), max_pool2d(3), relu(), flatten(), dense("b", 4), relu(), dense("c", 3)}},
        {{5, 5, 1}, {max_pool2d(2), conv2d("a", 17, 1), relu(), conv2d("b", 2, 2), flatten(), dense("c", 2)}},
        {{9, 9, 4}, {flatten(), dense("a", 33), relu(), dense("b", 20), relu(), dense("c", 10)}},
        {{6, 6, 2}, {conv2d("a", 18, 5), relu(), conv2d("b", 16, 3), relu(), flatten(), dense("c", 3)}},
        // Behind a pool and a ReLU, whole units: gradients of spots; a direct forward pass and Winograd's.
        {{7, 6, 3}, {conv2d("a", 16, 3), relu(), conv2d("b", 5, 3), max_pool2d(2), relu(), flatten(), dense("c", 3)}},
        {{10, 6, 1},
         {conv2d("a", 32, 3), relu(), conv2d("b", 16, 5), relu(), max_pool2d(2), conv2d("c", 16, 2, false), relu(),
          flatten(), dense("d", 50), dense("e", 3)}},
        {{14, 12, 16}, {conv2d("a", 32, 5, false), max_pool2d(2), relu(), flatten(), dense("b", 3)}},
        {{6, 5, 2}, {conv2d("a", 3, 3), flatten(), relu(), dense("b", 3)}},
        // Activations, the other pools, strides, sequences.
        {{7, 6, 2}, {conv2d("a", 5, 3), tanh(), avg_pool2d(2), sigmoid(), flatten(), dense("b", 4), gelu(), dense("c", 3)}},
        {{9, 8, 3}, {strided(conv2d("a", 4, 3), 2), gelu(), strided(conv2d("b", 3, 2, false), 2), flatten(), dense("c", 2)}},
        {{9, 9, 4},
         {strided(conv2d("a", 16, 3), 2), relu(), strided(conv2d("b", 6, 4), 2), max_pool2d(3), relu(), flatten(), dense("c", 3)}},
        {{11, 3}, {conv1d("a", 6, 4), relu(), avg_pool1d(3), conv1d("b", 20, 3, false), tanh(), flatten(), dense("c", 3)}},
        {{20, 5},
         {strided(conv1d("a", 16, 5), 2), max_pool1d(2), relu(), conv1d("b", 17, 1), max_pool1d(2), relu(), flatten(),
          dense("c", 4)}},
        {{5, 6}, {conv_transpose1d("a", 4, 4, 2), relu(), conv_transpose1d("b", 3, 3, 3), tanh(), flatten(), dense("c", 2)}},
        {{6, 16},
         {conv_transpose1d("a", 16, 5, 2, false), max_pool1d(2), relu(), conv_transpose1d("b", 5, 3, 1), flatten(), dense("c", 3)}},
        {{4, 3}, {strided(conv1d("a", 6, 3), 2), gelu(), conv_transpose1d("b", 3, 5, 2), residual(3), flatten(), dense("c", 2)}},
        // Words and time.
        {{6}, {embedding("a", 9, 5), gru("b", 7), dense("c", 3)}},
        {{5, 3}, {gru("a", 6, true), gru("b", 18, true), conv1d("c", 4, 3), flatten(), dense("d", 2)}},
        {{1, 20}, {conv1d("a", 19, 1), gru("b", 33), dense("c", 2)}},
        // Norms, dropout, residuals: over a ReLU that would otherwise be part of the convolution, over a flatten, nested.
        {{5, 4, 6}, {conv2d("a", 6, 3), group_norm("b", 3), relu(), layer_norm("c"), flatten(), dense("d", 3)}},
        {{6}, {dense("a", 12), layer_norm("b"), gelu(), group_norm("c", 2), dense("d", 3)}},
        {{4, 4, 3}, {conv2d("a", 5, 3), flatten(), layer_norm("b"), relu(), dense("c", 2)}},
        {{6, 6, 4},
         {conv2d("a", 16, 3), conv2d("b", 16, 3), relu(), max_pool2d(2), dropout(0.25f), conv2d("c", 16, 3), relu(), residual(2),
          conv2d("d", 16, 3), residual(4), flatten(), dropout(0.5f), dense("e", 3)}},
        {{8, 4}, {conv1d("a", 4, 3), residual(1), tanh(), conv1d("b", 4, 3), relu(), residual(2), flatten(), dense("c", 2)}},
        {{4, 3, 2}, {conv2d("a", 3, 3), flatten(), dense("b", 36), relu(), residual(2), dense("c", 36), residual(1), relu(), dense("d", 3)}},
    };
}

// Loads the parameters first.
double gradients(Model& model, const std::vector<float>& parameters, std::span<const float> inputs,
                 std::span<const std::uint32_t> labels, std::vector<float>& gradient) {
    REQUIRE(model.load(parameters).ok());
    return model.gradients(inputs, labels, gradient, draw).value();
}

}  // namespace

TEST_CASE("the float reference and the model give the same bits, with every variant of the kernels") {
    const std::string before = kernels::active().name;
    for (const auto numerics : {kernels::Numerics::portable, kernels::Numerics::fused}) {
        std::uint32_t seed = 40;
        for (const ModelSpec& spec : small_models()) {
            const Batch batch = random_batch(spec, 6, ++seed);
            std::vector<float> expected(batch.parameters.size(), 8.0f);
            const bool fused = numerics == kernels::Numerics::fused;
            const double reference =
                (fused ? reference_gradients<float, true>(spec, batch.parameters, batch.inputs, batch.labels, expected, draw)
                       : reference_gradients<float>(spec, batch.parameters, batch.inputs, batch.labels, expected, draw))
                    .value();
            for (const auto* table : kernels::available(numerics)) {
                INFO(std::string(kernels::to_string(numerics)), " ", std::string(table->name), " model ", seed - 41);
                REQUIRE(kernels::select(table->name).ok());
                Model model = Model::create(spec, 9, numerics).value();
                std::vector<float> found(batch.parameters.size(), 7.0f);
                CHECK(gradients(model, batch.parameters, batch.inputs, batch.labels, found) == reference);
                CHECK(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0);
                // A second pass starts from what the first left behind.
                CHECK(model.gradients(batch.inputs, batch.labels, found, draw).value() == reference);
                CHECK(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0);
            }
        }
    }
    REQUIRE(kernels::select(before).ok());
}

TEST_CASE("gradients agree with central differences in double to 1e-6") {
    std::uint32_t seed = 60;
    for (const ModelSpec& spec : small_models()) {
        const Batch batch = random_batch(spec, 4, ++seed);
        std::vector<double> parameters(batch.parameters.begin(), batch.parameters.end());
        const std::vector<double> inputs(batch.inputs.begin(), batch.inputs.end());
        std::vector<double> gradient(parameters.size());
        std::vector<double> ignored(parameters.size());
        const auto loss = [&](std::vector<double>& out) {
            return reference_gradients<double>(spec, parameters, inputs, batch.labels, out, draw).value() / 4.0;
        };
        loss(gradient);
        double largest = 0.0;
        for (const double g : gradient) largest = std::max(largest, std::abs(g));
        REQUIRE(largest > 1e-3);
        const std::size_t stride = std::max<std::size_t>(1, parameters.size() / 30);
        for (std::size_t i = 0; i < parameters.size(); i += stride) {
            // Small enough to cross no kink of relu or pool on these inputs.
            constexpr double h = 1e-6;
            const double kept = parameters[i];
            parameters[i] = kept + h;
            const double above = loss(ignored);
            parameters[i] = kept - h;
            const double below = loss(ignored);
            parameters[i] = kept;
            const double difference = (above - below) / (2.0 * h);
            INFO("model ", seed - 61, " parameter ", i);
            REQUIRE(std::abs(gradient[i] - difference) <=
                    1e-6 * std::max(largest, std::abs(difference)) + 1e-9);
        }
    }
}

TEST_CASE("the float32 gradient predicts the change of the loss along itself within 1 percent") {
    const ModelSpec spec = two_nn();
    Batch batch = random_batch(spec, 8, 80);
    Model model = Model::create(spec, 8).value();
    std::vector<float> gradient(batch.parameters.size());
    std::vector<float> ignored(batch.parameters.size());
    gradients(model, batch.parameters, batch.inputs, batch.labels, gradient);
    const double square = kernels::active().dot(gradient.data(), gradient.data(), gradient.size());
    const float h = static_cast<float>(1e-3 / std::sqrt(square));
    const auto loss_at = [&](float factor) {
        std::vector<float> moved = batch.parameters;
        kernels::active().axpy(factor, gradient.data(), moved.data(), moved.size());
        return gradients(model, moved, batch.inputs, batch.labels, ignored) / 8.0;
    };
    const double change = (loss_at(h) - loss_at(-h)) / (2.0 * static_cast<double>(h));
    CHECK(change == doctest::Approx(square).epsilon(0.01));
}

TEST_CASE("logits of an example do not depend on the batch it sits in") {
    for (const ModelSpec& spec : small_models()) {
        const Batch batch = random_batch(spec, 5, 90);
        Model model = Model::create(spec, 5).value();
        REQUIRE(model.load(batch.parameters).ok());
        const auto all = model.forward(batch.inputs).value();
        const std::vector<float> together(all.begin(), all.end());
        const std::size_t size = batch.inputs.size() / 5;
        for (std::size_t i = 0; i < 5; ++i) {
            const auto one =
                model.forward(std::span(batch.inputs).subspan(i * size, size)).value();
            REQUIRE(std::equal(one.begin(), one.end(),
                               together.begin() + static_cast<std::ptrdiff_t>(i * one.size())));
        }
    }
}

TEST_CASE("forward, loss, gradients and three momentum steps agree with PyTorch to 1e-5") {
    const ModelSpec spec{{7, 6, 2},
                         {conv2d("conv1", 3, 3), relu(), max_pool2d(2), conv2d("conv2", 4, 2, false), relu(),
                          flatten(), dense("dense1", 5), relu(), dense("dense2", 3)}};
    const auto close = [](float found, float expected) {
        return std::abs(found - expected) <= 1e-5f * std::max(1.0f, std::abs(expected));
    };
    Model model = Model::create(spec, 4).value();
    std::vector<float> w(std::begin(golden::initial), std::end(golden::initial));
    REQUIRE(model.layout().parameter_count == w.size());
    REQUIRE(model.load(w).ok());
    const auto logits = model.forward(golden::inputs).value();
    REQUIRE(logits.size() == std::size(golden::logits));
    for (std::size_t i = 0; i < logits.size(); ++i) CHECK(close(logits[i], golden::logits[i]));

    std::vector<float> gradient(w.size());
    std::vector<float> velocity(w.size());
    const kernels::Table& k = kernels::active();
    for (std::size_t step = 0; step < 3; ++step) {
        const double loss = gradients(model, w, golden::inputs, golden::labels, gradient) / 4.0;
        CHECK(close(static_cast<float>(loss), golden::losses[step]));
        if (step == 0) {
            for (std::size_t i = 0; i < w.size(); ++i) REQUIRE(close(gradient[i], golden::gradient[i]));
        }
        k.regularise(golden::decay, 0.0f, w.data(), nullptr, gradient.data(), w.size());
        k.sgd_momentum(golden::rate, golden::momentum, false, gradient.data(), velocity.data(), w.data(), w.size());
    }
    for (std::size_t i = 0; i < w.size(); ++i) REQUIRE(close(w[i], golden::after_three_steps[i]));
}

TEST_CASE("a model refuses wrong sizes and labels") {
    Model model = Model::create(two_nn(), 2).value();
    std::vector<float> w(199210);
    std::vector<float> g(199210);
    const std::vector<float> inputs(784 * 3);
    const std::vector<std::uint32_t> labels{1, 2};
    const auto two = std::span(inputs).first(784 * 2);
    CHECK(model.load(std::span(w).first(5)).error().reason == "model.sizes");
    CHECK(model.forward(inputs).error().reason == "model.sizes");
    CHECK(model.forward({}).error().reason == "model.sizes");
    CHECK(model.forward(two.first(785)).error().reason == "model.sizes");
    CHECK(model.gradients(two, std::span(labels).first(1), g).error().reason == "model.sizes");
    CHECK(model.gradients(two, labels, std::span(g).first(7)).error().reason == "model.sizes");
    const std::vector<std::uint32_t> bad{1, 10};
    CHECK(model.gradients(two, bad, g).error().reason == "model.label");
    CHECK(model.gradients(two, labels, g).ok());
    CHECK(Model::create(two_nn(), 0).error().reason == "model.batch");
    CHECK(Model::create(mcmahan_cnn(), 100000000).error().reason == "model.batch");
    CHECK(Model::create({{2}, {dense("a", 0)}}, 2).error().reason == "model.layer");
}
