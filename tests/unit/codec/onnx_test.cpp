#include "entente/codec/onnx.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <limits>

#include "entente/base/philox.hpp"
#include "entente/codec/npz.hpp"
#include "entente/nn/model.hpp"

using namespace entente;

namespace {

struct Sample {
    const char* name;
    nn::ModelSpec model;
    std::uint32_t vocabulary = 0;  // inputs are whole numbers below it
};

std::vector<Sample> samples() {
    nn::LayerSpec strided = nn::conv2d("strided", 6, 3);
    strided.stride = 2;
    nn::LayerSpec widened = nn::conv_transpose1d("widened", 6, 5, 2);
    widened.same_padding = true;
    nn::LayerSpec whole = nn::conv_transpose1d("whole", 4, 3, 1);
    whole.same_padding = false;
    nn::LayerSpec all_steps = nn::gru("all", 5);
    all_steps.sequences = true;
    return {{"two_nn", nn::two_nn()},
            {"cnn", nn::mcmahan_cnn()},
            {"pictures",
             {{9, 11, 2},
              {nn::conv2d("even", 5, 4), nn::tanh(), nn::avg_pool2d(2), strided, nn::dropout(0.5f), nn::relu(), nn::flatten(),
               nn::dense("out", 3)}}},
            {"sequence",
             {{20, 3},
              {nn::conv1d("first", 8, 5), nn::layer_norm("norm"), nn::relu(), nn::conv1d("second", 8, 3), nn::residual(2),
               nn::max_pool1d(2), nn::sigmoid(), nn::avg_pool1d(5), nn::flatten(), nn::dense("out", 4)}}},
            {"groups",
             {{6, 5, 4},
              {nn::group_norm("one", 2), nn::gelu(), nn::conv2d("turned", 6, 3), nn::group_norm("two", 3), nn::flatten(),
               nn::group_norm("flat", 10), nn::dense("out", 3)}}},
            {"transposed", {{9, 3}, {widened, nn::gelu(), whole, nn::relu(), nn::flatten(), nn::dense("out", 2)}}},
            {"memory", {{8, 3}, {nn::conv1d("before", 4, 3), all_steps, nn::gru("last", 6), nn::dense("out", 2)}}},
            {"sentence", {{7}, {nn::embedding("table", 12, 6), nn::gru("reads", 4), nn::dense("out", 2)}}, 12},
            {"words", {{7}, {nn::embedding("table", 12, 6), nn::flatten(), nn::dense("out", 2)}}, 12}};
}

std::vector<float> draw(std::size_t count, std::uint64_t seed, float scale) {
    Philox random(derive_key(seed, 0, {}, Purpose::test));
    std::vector<float> values(count);
    for (float& value : values) value = scale * (2 * random.uniform() - 1);
    return values;
}

bool contains(const Bytes& bytes, std::string_view text) {
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return all.find(text) != std::string_view::npos;
}

}  // namespace

// What is written is judged by the onnx checker and by ONNX Runtime: tests/e2e/onnx_export.py names a folder here.
TEST_CASE("every layer is written as ONNX") {
    const char* folder = std::getenv("ENTENTE_ONNX_DIR");
    for (const Sample& sample : samples()) {
        CAPTURE(sample.name);
        const nn::Layout layout = nn::infer_layout(sample.model).value();
        const auto parameters = draw(static_cast<std::size_t>(layout.parameter_count), 3, 0.1f);
        const Bytes file = codec::write_onnx(sample.model, parameters, {{"plan_digest", "abc"}}).value();
        CHECK(file.size() > 4 * parameters.size());
        CHECK(file.size() < 4 * parameters.size() + 4096);
        CHECK(contains(file, "plan_digest"));
        if (folder == nullptr) continue;
        constexpr std::uint32_t batch = 5;
        nn::Model model = nn::Model::create(sample.model, batch).value();
        REQUIRE(model.load(parameters).ok());
        std::vector<float> inputs = draw(static_cast<std::size_t>(batch * model.example_size()), 4, 1.0f);
        for (float& x : inputs) {
            if (sample.vocabulary > 0) x = static_cast<float>(static_cast<std::uint32_t>((x + 1) / 2 * static_cast<float>(sample.vocabulary)) % sample.vocabulary);
        }
        const auto outputs = model.forward(inputs).value();
        std::vector<std::uint32_t> shape{batch};
        shape.insert(shape.end(), sample.model.input_shape.begin(), sample.model.input_shape.end());
        std::vector<float> both = inputs;
        both.insert(both.end(), outputs.begin(), outputs.end());
        const std::vector<codec::TensorShape> tensors{{"input", shape}, {"output", {batch, static_cast<std::uint32_t>(outputs.size() / batch)}}};
        const Bytes expected = codec::write_npz(tensors, both).value();
        const auto write = [&](const char* suffix, const Bytes& bytes) {
            std::ofstream(std::string(folder) + "/" + sample.name + suffix, std::ios::binary)
                .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        };
        write(".onnx", file);
        write(".npz", expected);
    }
}

TEST_CASE("what cannot be exported is said") {
    const std::vector<float> parameters(7);
    CHECK(codec::write_onnx(nn::two_nn(), parameters).error().reason == "onnx.sizes");
    std::vector<float> bad(199'210);
    bad[7] = std::numeric_limits<float>::infinity();
    CHECK(codec::write_onnx(nn::two_nn(), bad).error().reason == "onnx.not-finite");
}
