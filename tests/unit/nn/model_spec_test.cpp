#include "entente/nn/model_spec.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "entente/nn/initialise.hpp"

using namespace entente;
using namespace entente::nn;

namespace {
std::string reason(const ModelSpec& spec) {
    const Result<Layout> layout = infer_layout(spec);
    return layout.ok() ? "ok" : layout.error().reason;
}
}  // namespace

TEST_CASE("the models of McMahan et al. have the published number of parameters") {
    CHECK(infer_layout(two_nn()).value().parameter_count == 199210);
    CHECK(infer_layout(mcmahan_cnn()).value().parameter_count == 1663370);
    CHECK(output_classes(two_nn()).value() == 10);
    CHECK(output_classes(mcmahan_cnn()).value() == 10);
}

TEST_CASE("a layout is packed in the order of declaration, weight before bias") {
    const Layout layout = infer_layout(mcmahan_cnn()).value();
    REQUIRE(layout.tensors.size() == 8);
    CHECK(layout.tensors[0] == TensorInfo{"conv1.weight", {32, 5, 5, 1}, 0});
    CHECK(layout.tensors[1] == TensorInfo{"conv1.bias", {32}, 800});
    CHECK(layout.tensors[2] == TensorInfo{"conv2.weight", {64, 5, 5, 32}, 832});
    CHECK(layout.tensors[4] == TensorInfo{"hidden.weight", {3136, 512}, 52096});
    std::uint64_t next = 0;
    for (const TensorInfo& tensor : layout.tensors) {
        CHECK(tensor.offset == next);
        next += tensor.count();
    }
    CHECK(next == layout.parameter_count);
}

TEST_CASE("shapes follow the layers, with valid padding and incomplete windows") {
    const ModelSpec spec{{9, 8, 3}, {conv2d("a", 4, 2, false), max_pool2d(3), flatten(), dense("b", 2)}};
    const auto shapes = infer_shapes(spec).value();
    CHECK(shapes[1] == std::vector<std::uint32_t>{8, 7, 4});
    CHECK(shapes[2] == std::vector<std::uint32_t>{2, 2, 4});
    CHECK(shapes[3] == std::vector<std::uint32_t>{16});
}

TEST_CASE("a mistake in a model names the layer, what was expected and what was found") {
    const Result<Layout> layout = infer_layout({{28, 28, 1}, {relu(), dense("out", 10)}});
    REQUIRE_FALSE(layout.ok());
    CHECK(layout.error().reason == "model.shape");
    CHECK(layout.error().message.find("layer 2 (dense \"out\")") != std::string::npos);
    CHECK(layout.error().message.find("expected a flat input") != std::string::npos);
    CHECK(layout.error().message.find("found an input of shape [28, 28, 1]") != std::string::npos);
}

TEST_CASE("models that cannot be are refused with a stable reason") {
    CHECK(reason({{}, {dense("a", 2)}}) == "model.input");
    CHECK(reason({{0}, {dense("a", 2)}}) == "model.input");
    CHECK(reason({{2, 2, 2, 2, 2}, {flatten()}}) == "model.input");
    CHECK(reason({{2}, {}}) == "model.no-layers");
    CHECK(reason({{2}, {dense("a", 0)}}) == "model.layer");
    CHECK(reason({{4, 4, 1}, {conv2d("a", 2, 0)}}) == "model.layer");
    CHECK(reason({{4, 4, 1}, {max_pool2d(0)}}) == "model.layer");
    CHECK(reason({{4, 4, 1}, {max_pool2d(16)}}) == "model.layer");
    CHECK(layer_kind_names().size() == 19);
    CHECK(to_string(LayerKind::conv_transpose1d) == "conv_transpose1d");
    LayerSpec unknown = relu();
    unknown.kind = static_cast<LayerKind>(99);
    CHECK(reason({{4}, {unknown}}) == "model.layer");
    CHECK(reason({{2}, {dense("", 2)}}) == "model.name");
    CHECK(reason({{2}, {dense("a", 2), dense("a", 2)}}) == "model.name");
    CHECK(reason({{4}, {max_pool2d(2)}}) == "model.shape");
    CHECK(reason({{4}, {conv2d("a", 2, 3)}}) == "model.shape");
    CHECK(reason({{2, 2, 1}, {conv2d("a", 2, 3, false)}}) == "model.shape");
    CHECK(reason({{2, 2, 1}, {max_pool2d(3)}}) == "model.shape");
    CHECK(output_classes({{2, 2, 1}, {relu()}}).error().reason == "model.shape");
    CHECK(output_classes({{4}, {dense("a", 1)}}).error().reason == "model.shape");
}

TEST_CASE("each kind has its keys, and no others") {
    const auto broken = [](LayerSpec layer, auto change) {
        change(layer);
        return reason({{8, 8, 4}, {std::move(layer)}});
    };
    CHECK(broken(relu(), [](LayerSpec& l) { l.units = 3; }) == "model.layer");
    CHECK(broken(relu(), [](LayerSpec& l) { l.stride = 2; }) == "model.layer");
    CHECK(broken(relu(), [](LayerSpec& l) { l.same_padding = true; }) == "model.layer");
    CHECK(broken(relu(), [](LayerSpec& l) { l.rate = 0.5f; }) == "model.layer");
    CHECK(broken(relu(), [](LayerSpec& l) { l.skip = 1; }) == "model.layer");
    CHECK(broken(max_pool2d(2), [](LayerSpec& l) { l.kernel = 2; }) == "model.layer");
    CHECK(broken(conv2d("a", 3, 3), [](LayerSpec& l) { l.stride = 0; }) == "model.layer");
    CHECK(broken(conv2d("a", 3, 3), [](LayerSpec& l) { l.sequences = true; }) == "model.layer");
    CHECK(broken(conv2d("a", 3, 3), [](LayerSpec& l) { l.stride = 64; }) == "model.layer");
    for (const float rate : {-0.0f, -0.1f, 1.0f, std::numeric_limits<float>::quiet_NaN()})
        CHECK(broken(dropout(rate), [](LayerSpec&) {}) == "model.layer");
    CHECK(broken(dropout(0.0f), [](LayerSpec&) {}) == "ok");
    CHECK(broken(group_norm("a", 0), [](LayerSpec&) {}) == "model.layer");
    CHECK(broken(group_norm("a", 3), [](LayerSpec&) {}) == "model.shape");
    CHECK(broken(conv1d("a", 3, 3), [](LayerSpec&) {}) == "model.shape");
    CHECK(broken(residual(1), [](LayerSpec&) {}) == "model.layer");
    CHECK(reason({{4}, {embedding("a", 0, 3)}}) == "model.layer");
    CHECK(reason({{4}, {embedding("a", (1u << 24) + 1, 1)}}) == "model.layer");
    CHECK(reason({{4}, {relu(), embedding("a", 5, 3)}}) == "model.shape");
    CHECK(reason({{4, 4}, {embedding("a", 5, 3)}}) == "model.shape");
    CHECK(reason({{4}, {gru("a", 3)}}) == "model.shape");
    CHECK(reason({{4, 2}, {gru("", 3)}}) == "model.name");
    CHECK(reason({{4, 2}, {gru("a", 268435456)}}) == "model.too-large");
    CHECK(reason({{4}, {dense("a", 5), relu(), residual(2)}}) == "model.shape");
    CHECK(reason({{4, 2}, {conv_transpose1d("a", 3, 2, 3)}}) == "model.layer");
    CHECK(reason({{4, 2}, {conv_transpose1d("a", 3, 0, 1)}}) == "model.layer");
    CHECK(reason({{4, 2, 1}, {conv_transpose1d("a", 3, 2, 2)}}) == "model.shape");
    CHECK(reason({{65536, 1}, {conv_transpose1d("a", 1, 63, 63), conv_transpose1d("b", 1, 63, 63),
                               conv_transpose1d("c", 1, 63, 63)}}) != "ok");
    CHECK(reason({{4}, {dense("a", 4), relu(), residual(2)}}) == "ok");
    CHECK(reason({{4}, {dense("a", 4), residual(0)}}) == "model.layer");
}

TEST_CASE("shapes and parameters of sequences") {
    LayerSpec strided = conv1d("a", 6, 4);
    strided.stride = 3;
    const ModelSpec spec{{20, 5}, {strided, avg_pool1d(2), gru("b", 4, true), gru("c", 3), dense("d", 2)}};
    const auto shapes = infer_shapes(spec).value();
    CHECK(shapes[1] == std::vector<std::uint32_t>{7, 6});
    CHECK(shapes[2] == std::vector<std::uint32_t>{3, 6});
    CHECK(shapes[3] == std::vector<std::uint32_t>{3, 4});
    CHECK(shapes[4] == std::vector<std::uint32_t>{3});
    const auto back = infer_shapes({{7, 6}, {conv_transpose1d("a", 3, 4, 2), conv_transpose1d("b", 2, 5, 3, false)}}).value();
    CHECK(back[1] == std::vector<std::uint32_t>{14, 3});
    CHECK(back[2] == std::vector<std::uint32_t>{44, 2});
    const Layout layout = infer_layout(spec).value();
    CHECK(layout.tensors[0] == TensorInfo{"a.weight", {6, 4, 5}, 0});
    CHECK(layout.tensors[2] == TensorInfo{"b.input_weight", {6, 12}, 126});
    CHECK(layout.tensors[5] == TensorInfo{"b.hidden_bias", {12}, 126 + 72 + 48 + 12});
}

TEST_CASE("norms start as the identity, embeddings and GRUs at their scale") {
    const ModelSpec spec{{4}, {embedding("a", 500, 40), layer_norm("b"), gru("c", 30), dense("d", 2)}};
    const auto w = initialise(spec, {1, 2}).value();
    const auto deviation = [&](std::size_t from, std::size_t count) {
        double squares = 0.0;
        for (std::size_t i = from; i < from + count; ++i) squares += static_cast<double>(w[i]) * static_cast<double>(w[i]);
        return std::sqrt(squares / static_cast<double>(count));
    };
    CHECK(deviation(0, 20000) == doctest::Approx(1.0).epsilon(0.02));
    for (std::size_t i = 20000; i < 20040; ++i) CHECK(w[i] == 1.0f);
    for (std::size_t i = 20040; i < 20080; ++i) CHECK(w[i] == 0.0f);
    CHECK(deviation(20080, 40 * 90 + 30 * 90) == doctest::Approx(std::sqrt(1.0 / 90)).epsilon(0.03));
}

TEST_CASE("sizes are bounded before anything is allocated, also where products would overflow") {
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    CHECK(reason({{65536, 65536, 65536, 65536}, {flatten()}}) == "model.too-large");
    CHECK(reason({{most}, {dense("a", 2)}}) == "model.too-large");
    CHECK(reason({{2}, {dense("a", most)}}) == "model.layer");
    CHECK(reason({{1u << 20}, {dense("a", 1u << 20)}}) == "model.too-large");
    CHECK(reason({{16384}, {dense("a", 16383), dense("b", 2)}}) == "model.too-large");
    CHECK(reason({{16384}, {dense("a", 16382)}}) == "ok");
    CHECK(reason({{60000, 1, 60000}, {conv2d("a", 1, 63)}}) == "model.too-large");
    CHECK(reason({{2}, std::vector<LayerSpec>(300, relu())}) == "model.too-large");
}

TEST_CASE("initial weights are He normal and biases are zero") {
    const ModelSpec spec = two_nn();
    const auto parameters = initialise(spec, derive_key(3, 0, "", Purpose::initialise)).value();
    const Layout layout = infer_layout(spec).value();
    REQUIRE(parameters.size() == layout.parameter_count);
    double squares = 0.0;
    double sum = 0.0;
    for (std::size_t i = 0; i < 784 * 200; ++i) {
        sum += static_cast<double>(parameters[i]);
        squares += static_cast<double>(parameters[i]) * static_cast<double>(parameters[i]);
    }
    CHECK(std::sqrt(squares / (784 * 200)) == doctest::Approx(std::sqrt(2.0 / 784)).epsilon(0.01));
    CHECK(std::abs(sum / (784 * 200)) < 0.001);
    for (std::size_t i = 784 * 200; i < 784 * 200 + 200; ++i) CHECK(parameters[i] == 0.0f);
    CHECK(parameters == initialise(spec, derive_key(3, 0, "", Purpose::initialise)).value());
    CHECK(parameters != initialise(spec, derive_key(4, 0, "", Purpose::initialise)).value());
}

TEST_CASE("a convolution's fan-in is its kernel area times its input channels") {
    const ModelSpec spec{{8, 8, 32}, {conv2d("a", 64, 5), flatten(), dense("b", 2)}};
    const auto parameters = initialise(spec, {1, 2}).value();
    double squares = 0.0;
    for (std::size_t i = 0; i < 51200; ++i)
        squares += static_cast<double>(parameters[i]) * static_cast<double>(parameters[i]);
    CHECK(std::sqrt(squares / 51200) == doctest::Approx(std::sqrt(2.0 / 800)).epsilon(0.02));
}
