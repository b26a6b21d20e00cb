// Every layer beside PyTorch, in networks small enough to print.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../golden/nn_layers_golden.hpp"
#include "entente/nn/model.hpp"
#include "entente/nn/reference.hpp"

using namespace entente;
using namespace entente::nn;

namespace {

struct Golden {
    std::span<const float> inputs, parameters, outputs;
    double loss;
    std::span<const float> gradient;
};

void compare(const ModelSpec& spec, const Golden& golden) {
    const auto close = [](double found, double expected) {
        return std::abs(found - expected) <= 1e-5 * std::max(1.0, std::abs(expected));
    };
    Model model = Model::create(spec, 3).value();
    REQUIRE(model.layout().parameter_count == golden.parameters.size());
    REQUIRE(model.load(golden.parameters).ok());
    const auto outputs = model.forward(golden.inputs).value();
    REQUIRE(outputs.size() == golden.outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) CHECK(close(outputs[i], golden.outputs[i]));
    std::vector<float> gradient(golden.gradient.size());
    CHECK(close(model.gradients(golden.inputs, golden::layer_labels, gradient).value() / 3.0, golden.loss));
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        INFO("parameter ", i);
        REQUIRE(close(gradient[i], golden.gradient[i]));
    }
    // In double nothing but the printed digits is between the two.
    const std::vector<double> parameters(golden.parameters.begin(), golden.parameters.end());
    const std::vector<double> inputs(golden.inputs.begin(), golden.inputs.end());
    std::vector<double> exact(gradient.size());
    const double loss = reference_gradients<double>(spec, parameters, inputs, golden::layer_labels, exact).value() / 3.0;
    CHECK(std::abs(loss - golden.loss) < 1e-12);
    for (std::size_t i = 0; i < exact.size(); ++i) REQUIRE(std::abs(exact[i] - static_cast<double>(golden.gradient[i])) < 1e-7);
}

LayerSpec strided(LayerSpec layer) {
    layer.stride = 2;
    return layer;
}

}  // namespace

TEST_CASE("pictures: strided convolution, group norm, tanh, residual, GELU, average pool agree with PyTorch") {
    compare({{8, 9, 2},
             {strided(conv2d("conv1", 4, 3)), group_norm("norm", 2), tanh(), conv2d("conv2", 4, 3), gelu(), residual(2),
              avg_pool2d(2), flatten(), dense("dense", 3)}},
            {golden::pictures_inputs, golden::pictures_parameters, golden::pictures_outputs, golden::pictures_loss,
             golden::pictures_gradient});
}

TEST_CASE("sequences: convolution, sigmoid, layer norm, both pools agree with PyTorch") {
    compare({{11, 3},
             {conv1d("conv1", 5, 3), sigmoid(), layer_norm("norm"), max_pool1d(2), strided(conv1d("conv2", 4, 2, false)),
              avg_pool1d(2), flatten(), dense("dense", 3)}},
            {golden::sequence_inputs, golden::sequence_parameters, golden::sequence_outputs, golden::sequence_loss,
             golden::sequence_gradient});
}

TEST_CASE("words: embedding and two GRUs agree with PyTorch") {
    compare({{6}, {embedding("embedding", 7, 4), gru("gru1", 5, true), gru("gru2", 3), dense("dense", 3)}},
            {golden::words_inputs, golden::words_parameters, golden::words_outputs, golden::words_loss, golden::words_gradient});
}

TEST_CASE("a decoder: transposed convolutions agree with PyTorch") {
    compare({{10, 3},
             {strided(conv1d("conv", 4, 3)), relu(), conv_transpose1d("up1", 5, 4, 2), tanh(),
              conv_transpose1d("up2", 2, 3, 2, false), flatten(), dense("dense", 3)}},
            {golden::decoder_inputs, golden::decoder_parameters, golden::decoder_outputs, golden::decoder_loss,
             golden::decoder_gradient});
}

TEST_CASE("words that are not in the vocabulary are refused, in use and in training") {
    Model model = Model::create({{2}, {embedding("a", 5, 3), flatten(), dense("b", 2)}}, 1).value();
    for (const float word : {-1.0f, 5.0f, 0.5f, 1e30f, std::nanf("")}) {
        const std::vector<float> inputs{0.0f, word};
        CHECK(model.forward(inputs).error().reason == "model.word");
    }
    CHECK(model.forward(std::vector<float>{4.0f, 0.0f}).ok());
}

TEST_CASE("dropout keeps the share that it should, scales it, and draws anew at each step, layer and example") {
    const ModelSpec spec{{1000}, {dropout(0.3f)}};
    const std::vector<float> ones(2000, 1.0f);
    const auto dropped = [&](Dropout draw, std::size_t layer) {
        reference::Value<float> in = reference::make_value<float>({1000}, 2), out = in;
        in.data = ones;
        reference::dropout_pass(spec.layers[0], layer, draw, in, 2, out);
        return out.data;
    };
    const auto first = dropped({{1, 2}, 0}, 0);
    const auto kept = std::count_if(first.begin(), first.end(), [](float x) { return x != 0.0f; });
    CHECK(kept > 1320);
    CHECK(kept < 1480);
    CHECK(*std::max_element(first.begin(), first.end()) == 1.0f / 0.7f);
    CHECK(first != dropped({{1, 2}, 1}, 0));
    CHECK(first != dropped({{1, 2}, 0}, 1));
    CHECK(first != dropped({{2, 2}, 0}, 0));
    CHECK(!std::equal(first.begin(), first.begin() + 1000, first.begin() + 1000));
    Model model = Model::create(spec, 2).value();
    const auto used = model.forward(ones).value();
    CHECK(std::equal(used.begin(), used.end(), ones.begin()));
}
