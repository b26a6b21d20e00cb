// What a network looks like, as plain data: part of a task, sent to partners, hashed with it.
//
//   nn::ModelSpec spec{{784}, {nn::dense("hidden", 200), nn::relu(), nn::dense("out", 10)}};
//   ENTENTE_ASSIGN(nn::Layout layout, nn::infer_layout(spec));   // names, shapes, offsets: 159,010 floats
//
// Shapes: activations are row-major, channels last: a picture is [height, width, channels], a sequence
// [length, channels]. Parameters are one flat float32 vector, packed without padding in the order of declaration:
//   dense       "<name>.weight" [in, out]                    "<name>.bias" [out]
//   conv1d, conv_transpose1d  "<name>.weight" [out, kernel, in]  "<name>.bias" [out]
//   conv2d      "<name>.weight" [out, kernel, kernel, in]    "<name>.bias" [out]
//   embedding   "<name>.weight" [vocabulary, units]
//   gru         "<name>.input_weight" [in, 3 units], "<name>.hidden_weight" [units, 3 units],
//               "<name>.input_bias" [3 units], "<name>.hidden_bias" [3 units]: gates reset, update, new, as PyTorch
//   group_norm, layer_norm  "<name>.weight" [channels]       "<name>.bias" [channels]
// docs/models.md says what each layer computes. Thread-safety: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::nn {

// The values are part of a plan's bytes: append, never renumber.
enum class LayerKind : std::uint32_t {
    dense = 1,
    conv2d = 2,
    max_pool2d = 3,
    relu = 4,
    flatten = 5,
    conv1d = 6,
    max_pool1d = 7,
    avg_pool1d = 8,
    avg_pool2d = 9,
    tanh = 10,
    sigmoid = 11,
    gelu = 12,
    dropout = 13,
    embedding = 14,
    gru = 15,
    group_norm = 16,
    layer_norm = 17,
    residual = 18,
    conv_transpose1d = 19,
};

std::string_view to_string(LayerKind kind) noexcept;
// Every kind, in the order of its number from 1.
std::span<const std::string_view> layer_kind_names() noexcept;

// A key that the kind does not have stays at its default.
struct LayerSpec {
    std::string name;  // required and unique for layers with parameters; used in messages for the others
    LayerKind kind = LayerKind::relu;
    std::uint32_t units = 0;   // dense, embedding, gru: outputs; conv: output channels
    std::uint32_t kernel = 0;  // conv: length, or side of the square
    // conv: (kernel - 1) zeros around in all, (kernel - 1) / 2 of them before; otherwise none. conv_transpose1d: the
    // output is stride times as long, (kernel - stride) / 2 of the whole one are cut off before
    bool same_padding = false;
    std::uint32_t pool = 0;        // pools: side of the window and stride; an incomplete window is dropped
    std::uint32_t stride = 1;      // conv
    std::uint32_t groups = 0;      // group_norm: divides the channels
    float rate = 0.0f;             // dropout: the share that is set to zero, [0, 1)
    std::uint32_t vocabulary = 0;  // embedding: inputs are whole numbers below it
    bool sequences = false;        // gru: the states of all steps [length, units] instead of the last [units]
    std::uint32_t skip = 0;        // residual: adds the input of the layer so many layers before it

    friend bool operator==(const LayerSpec&, const LayerSpec&) = default;
};

struct ModelSpec {
    std::vector<std::uint32_t> input_shape;  // of one example
    std::vector<LayerSpec> layers;           // the last one's output is the model's: [outputs]

    friend bool operator==(const ModelSpec&, const ModelSpec&) = default;
};

struct TensorInfo {
    std::string name;
    std::vector<std::uint32_t> shape;
    std::uint64_t offset = 0;  // in floats, from the start of the flat vector

    [[nodiscard]] std::uint64_t count() const noexcept;  // product of shape
    friend bool operator==(const TensorInfo&, const TensorInfo&) = default;
};

struct Layout {
    std::vector<TensorInfo> tensors;
    std::uint64_t parameter_count = 0;

    friend bool operator==(const Layout&, const Layout&) = default;
};

inline constexpr std::uint64_t max_parameters = std::uint64_t{1} << 28;  // also the bound of one activation
inline constexpr std::uint32_t max_layers = 256;

// Checks the whole model and says where its parameters lie. Nothing proportional to a size in the spec is
// allocated. Errors, all invalid_argument; messages name the layer, what was expected and what was found:
//   "model.input" empty or zero input shape · "model.no-layers" · "model.layer" a key of a layer is out of
//   range, or not one of its kind's · "model.name" missing or repeated · "model.shape" a layer cannot take its input's shape ·
//   "model.too-large" more than max_parameters, or an activation as large
Result<Layout> infer_layout(const ModelSpec& spec);

// The shape of one example before each layer and after the last: layers.size() + 1 shapes. Same errors.
Result<std::vector<std::vector<std::uint32_t>>> infer_shapes(const ModelSpec& spec);

// Number of outputs. Same errors; "model.shape" if the last shape is not [outputs].
Result<std::uint32_t> output_count(const ModelSpec& spec);
// The same for a classifier: "model.shape" if there are fewer than 2.
Result<std::uint32_t> output_classes(const ModelSpec& spec);

// The value before layer i is wanted by a residual layer behind it, and therefore stands by itself.
bool starts_residual(const std::vector<LayerSpec>& layers, std::size_t i) noexcept;

LayerSpec dense(std::string name, std::uint32_t units);
LayerSpec conv2d(std::string name, std::uint32_t channels, std::uint32_t kernel, bool same_padding = true);
LayerSpec max_pool2d(std::uint32_t pool);
LayerSpec relu();
LayerSpec flatten();
LayerSpec conv1d(std::string name, std::uint32_t channels, std::uint32_t kernel, bool same_padding = true);
LayerSpec conv_transpose1d(std::string name, std::uint32_t channels, std::uint32_t kernel, std::uint32_t stride,
                           bool same_padding = true);
LayerSpec max_pool1d(std::uint32_t pool);
LayerSpec avg_pool1d(std::uint32_t pool);
LayerSpec avg_pool2d(std::uint32_t pool);
LayerSpec tanh();
LayerSpec sigmoid();
LayerSpec gelu();
LayerSpec dropout(float rate);
LayerSpec embedding(std::string name, std::uint32_t vocabulary, std::uint32_t units);
LayerSpec gru(std::string name, std::uint32_t units, bool sequences = false);
LayerSpec group_norm(std::string name, std::uint32_t groups);
LayerSpec layer_norm(std::string name);
LayerSpec residual(std::uint32_t skip);

// The two MNIST models of McMahan et al. 2017 (arXiv 1602.05629, section 3) on pictures [28, 28, 1].
// 784-200-200-10, 199,210 parameters.
ModelSpec two_nn();
// conv 5x5x32, pool, conv 5x5x64, pool, dense 512, dense 10, 'same' padding: 1,663,370 parameters. ReLU
// stands behind the pool instead of before it: the same values and gradients for a quarter of the work.
ModelSpec mcmahan_cnn();

}  // namespace entente::nn
