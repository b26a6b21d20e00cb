#include "entente/nn/model.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "entente/tensor/kernels.hpp"

namespace entente::nn {

namespace {

using kernels::Gemm;
using kernels::Table;

constexpr std::uint64_t max_workspace = std::uint64_t{1} << 29;

// A layer as it runs: resolved sizes, its place in the flat vector, its part of the workspace.
struct Layer {
    LayerKind kind = LayerKind::relu;
    std::size_t in_size = 0;  // floats per example
    std::size_t out_size = 0;
    std::size_t in_channels = 0;  // of a picture; the inputs of a dense layer
    std::size_t in_height = 0;
    std::size_t in_width = 0;
    std::size_t out_height = 0;
    std::size_t out_width = 0;
    std::size_t units = 0;
    std::size_t kernel = 0;
    std::size_t before = 0;  // rows and columns of padding before the picture
    std::size_t pool = 0;
    std::size_t weight = 0;  // offsets in the flat vector
    std::size_t bias = 0;
    bool in_place = false;  // output and input share storage: relu and flatten behind another layer
    bool wants_input_gradient = false;

    std::vector<float> output;           // [batch, out_size], unless in_place
    std::vector<float> output_gradient;  // the same
    std::vector<float> padded;  // conv2d: input with its border, [batch, height + k - 1, width + k - 1, in]
    std::vector<float> padded_gradient;  // conv2d: one example's output gradient with its border
    std::vector<float> weight_forward;   // conv2d: [ky, kx, in, out]
    std::vector<float> weight_backward;  // conv2d: [k - 1 - ky, k - 1 - kx, out, in]; then reused by dW
    std::vector<float> turned_output;    // dense: output gradient transposed
    std::vector<float> turned_input;     // dense: input gradient transposed
    std::vector<std::uint8_t> index;     // max_pool2d

    [[nodiscard]] std::size_t padded_height() const { return in_height + pad_total(); }
    [[nodiscard]] std::size_t padded_width() const { return in_width + pad_total(); }
    [[nodiscard]] std::size_t pad_total() const { return out_height + kernel - 1 - in_height; }
};

void dense_forward(const Table& k, const Layer& layer, const float* parameters, const float* in,
                   std::size_t batch, float* out) {
    k.gemm({.rows = batch,
            .columns = layer.units,
            .depth = layer.in_size,
            .a = in,
            .a_row = layer.in_size,
            .b = parameters + layer.weight,
            .b_row = layer.units,
            .c = out,
            .c_row = layer.units,
            .bias = parameters + layer.bias});
}

void dense_backward(const Table& k, Layer& layer, const float* parameters, const float* in, const float* dout,
                    std::size_t batch, float* gradient, float* din) {
    k.gemm({.rows = layer.in_size,
            .columns = layer.units,
            .depth = batch,
            .a = in,
            .a_row = 1,
            .a_step = layer.in_size,
            .b = dout,
            .b_row = layer.units,
            .c = gradient + layer.weight,
            .c_row = layer.units});
    k.column_sums(dout, batch, layer.units, gradient + layer.bias);
    if (din == nullptr) return;
    // dX^T = W dY^T: lanes run over the batch and W is read as it lies.
    k.transpose(dout, batch, layer.units, layer.turned_output.data());
    k.gemm({.rows = layer.in_size,
            .columns = batch,
            .depth = layer.units,
            .a = parameters + layer.weight,
            .a_row = layer.units,
            .b = layer.turned_output.data(),
            .b_row = batch,
            .c = layer.turned_input.data(),
            .c_row = batch});
    k.transpose(layer.turned_input.data(), layer.in_size, batch, din);
}

// Copies a picture into the middle of a larger one whose border is zero already.
void pad(const float* in, std::size_t height, std::size_t row, float* out, std::size_t top, std::size_t left,
         std::size_t out_row) {
    for (std::size_t y = 0; y < height; ++y) {
        std::copy(in + y * row, in + (y + 1) * row, out + (y + top) * out_row + left);
    }
}

// A k x k convolution of one picture that has its border: one product per output row, one segment per ky. The
// k * in values that one output pixel needs of one ky are contiguous, and those of the next pixel start `in`
// floats further: nothing is copied.
void convolve_padded(const Table& table, const float* padded, std::size_t padded_width, std::size_t in,
                     std::size_t kernel, const float* weight, const float* bias, std::size_t height,
                     std::size_t width, std::size_t out, float* result) {
    for (std::size_t y = 0; y < height; ++y) {
        table.gemm({.rows = width,
                    .columns = out,
                    .depth = kernel * in,
                    .segments = kernel,
                    .a = padded + y * padded_width * in,
                    .a_row = in,
                    .a_segment = padded_width * in,
                    .b = weight,
                    .b_row = out,
                    .b_segment = kernel * in * out,
                    .c = result + y * width * out,
                    .c_row = out,
                    .bias = bias});
    }
}

void conv_forward(const Table& k, Layer& layer, const float* parameters, const float* in, std::size_t batch,
                  float* out) {
    const std::size_t taps = layer.kernel * layer.kernel * layer.in_channels;
    const std::size_t padded_size = layer.padded_height() * layer.padded_width() * layer.in_channels;
    k.transpose(parameters + layer.weight, layer.units, taps, layer.weight_forward.data());
    for (std::size_t b = 0; b < batch; ++b) {
        float* padded = layer.padded.data() + b * padded_size;
        pad(in + b * layer.in_size, layer.in_height, layer.in_width * layer.in_channels, padded, layer.before,
            layer.before * layer.in_channels, layer.padded_width() * layer.in_channels);
        convolve_padded(k, padded, layer.padded_width(), layer.in_channels, layer.kernel,
                        layer.weight_forward.data(), parameters + layer.bias, layer.out_height,
                        layer.out_width, layer.units, out + b * layer.out_size);
    }
}

void conv_input_gradient(const Table& k, Layer& layer, const float* parameters, const float* dout,
                         std::size_t batch, float* din) {
    const std::size_t side = layer.kernel;
    const std::size_t in = layer.in_channels;
    const float* weight = parameters + layer.weight;
    for (std::size_t o = 0; o < layer.units; ++o) {
        for (std::size_t tap = 0; tap < side * side; ++tap, weight += in) {
            float* to = layer.weight_backward.data() + ((side * side - 1 - tap) * layer.units + o) * in;
            std::copy(weight, weight + in, to);
        }
    }
    const std::size_t before = side - 1 - layer.before;
    const std::size_t width = layer.in_width + side - 1;
    for (std::size_t b = 0; b < batch; ++b) {
        pad(dout + b * layer.out_size, layer.out_height, layer.out_width * layer.units,
            layer.padded_gradient.data(), before, before * layer.units, width * layer.units);
        convolve_padded(k, layer.padded_gradient.data(), width, layer.units, side,
                        layer.weight_backward.data(), nullptr, layer.in_height, layer.in_width, in,
                        din + b * layer.in_size);
    }
}

void conv_weight_gradient(const Table& k, Layer& layer, const float* dout, std::size_t batch,
                          float* gradient) {
    // Lanes over the output channels, so into [ky, kx, in, out] first.
    const std::size_t in = layer.in_channels;
    const std::size_t row = layer.padded_width() * in;
    const std::size_t padded_size = layer.padded_height() * row;
    const std::size_t per_ky = layer.kernel * in;
    float* turned = layer.weight_backward.data();
    for (std::size_t b = 0; b < batch; ++b) {
        for (std::size_t ky = 0; ky < layer.kernel; ++ky) {
            k.gemm({.rows = per_ky,
                    .columns = layer.units,
                    .depth = layer.out_width,
                    .segments = layer.out_height,
                    .a = layer.padded.data() + b * padded_size + ky * row,
                    .a_row = 1,
                    .a_step = in,
                    .a_segment = row,
                    .b = dout + b * layer.out_size,
                    .b_row = layer.units,
                    .b_segment = layer.out_width * layer.units,
                    .c = turned + ky * per_ky * layer.units,
                    .c_row = layer.units,
                    .accumulate = b != 0});
        }
    }
    k.transpose(turned, layer.kernel * per_ky, layer.units, gradient + layer.weight);
    k.column_sums(dout, batch * layer.out_height * layer.out_width, layer.units, gradient + layer.bias);
}

}  // namespace

struct Model::State {
    ModelSpec spec;
    Layout layout;
    std::uint32_t max_batch = 0;
    std::uint32_t classes = 0;
    std::size_t example_size = 0;
    std::vector<Layer> layers;

    // Storage of the value that enters layer i; null for i = 0: the caller's inputs.
    std::vector<float>* storage_before(std::size_t i) {
        while (i > 0 && layers[i - 1].in_place) --i;
        return i == 0 ? nullptr : &layers[i - 1].output;
    }
    std::vector<float>* gradient_before(std::size_t i) {
        while (i > 0 && layers[i - 1].in_place) --i;
        return i == 0 ? nullptr : &layers[i - 1].output_gradient;
    }

    void run_forward(const float* parameters, const float* inputs, std::size_t batch);
    void run_backward(const float* parameters, const float* inputs, std::size_t batch, float* gradient);
};

void Model::State::run_forward(const float* parameters, const float* inputs, std::size_t batch) {
    const Table& k = kernels::active();
    for (std::size_t i = 0; i < layers.size(); ++i) {
        Layer& layer = layers[i];
        const std::vector<float>* before = storage_before(i);
        const float* in = before != nullptr ? before->data() : inputs;
        float* out = storage_before(i + 1)->data();
        switch (layer.kind) {
            case LayerKind::dense: dense_forward(k, layer, parameters, in, batch, out); break;
            case LayerKind::conv2d: conv_forward(k, layer, parameters, in, batch, out); break;
            case LayerKind::max_pool2d:
                for (std::size_t b = 0; b < batch; ++b) {
                    k.max_pool({layer.in_height, layer.in_width, layer.in_channels, layer.pool},
                               in + b * layer.in_size, out + b * layer.out_size,
                               layer.index.data() + b * layer.out_size);
                }
                break;
            case LayerKind::relu:
                if (!layer.in_place) std::copy(in, in + batch * layer.in_size, out);
                k.relu(out, batch * layer.out_size);
                break;
            case LayerKind::flatten:
                if (!layer.in_place) std::copy(in, in + batch * layer.in_size, out);
                break;
        }
    }
}

void Model::State::run_backward(const float* parameters, const float* inputs, std::size_t batch,
                                float* gradient) {
    const Table& k = kernels::active();
    for (std::size_t i = layers.size(); i-- > 0;) {
        Layer& layer = layers[i];
        const std::vector<float>* before = storage_before(i);
        const float* in = before != nullptr ? before->data() : inputs;
        float* dout = gradient_before(i + 1)->data();
        float* din = layer.wants_input_gradient ? gradient_before(i)->data() : nullptr;
        switch (layer.kind) {
            case LayerKind::dense:
                dense_backward(k, layer, parameters, in, dout, batch, gradient, din);
                break;
            case LayerKind::conv2d:
                if (din != nullptr) conv_input_gradient(k, layer, parameters, dout, batch, din);
                conv_weight_gradient(k, layer, dout, batch, gradient);
                break;
            case LayerKind::max_pool2d:
                if (din == nullptr) break;
                for (std::size_t b = 0; b < batch; ++b) {
                    k.max_pool_backward({layer.in_height, layer.in_width, layer.in_channels, layer.pool},
                                        dout + b * layer.out_size, layer.index.data() + b * layer.out_size,
                                        din + b * layer.in_size);
                }
                break;
            case LayerKind::relu:
                if (layer.in_place)
                    k.relu_backward(storage_before(i + 1)->data(), dout, batch * layer.out_size);
                break;
            case LayerKind::flatten: break;
        }
    }
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const ModelSpec& Model::spec() const noexcept { return state_->spec; }
const Layout& Model::layout() const noexcept { return state_->layout; }
std::uint32_t Model::max_batch() const noexcept { return state_->max_batch; }
std::uint64_t Model::example_size() const noexcept { return state_->example_size; }
std::uint32_t Model::classes() const noexcept { return state_->classes; }

namespace {

std::size_t product(const std::vector<std::uint32_t>& shape) {
    std::size_t result = 1;
    for (const std::uint32_t extent : shape) result *= extent;
    return result;
}

Layer describe(const LayerSpec& spec, const std::vector<std::uint32_t>& in,
               const std::vector<std::uint32_t>& out) {
    Layer layer;
    layer.kind = spec.kind;
    layer.in_size = product(in);
    layer.out_size = product(out);
    layer.in_channels = in.back();
    layer.units = spec.units;
    layer.kernel = spec.kernel;
    layer.pool = spec.pool;
    if (spec.kind == LayerKind::conv2d || spec.kind == LayerKind::max_pool2d) {
        layer.in_height = in[0];
        layer.in_width = in[1];
        layer.out_height = out[0];
        layer.out_width = out[1];
    }
    if (spec.kind == LayerKind::conv2d && spec.same_padding) layer.before = (layer.kernel - 1) / 2;
    return layer;
}

// Sizes of everything that allocate() makes, in floats.
std::uint64_t workspace(const Layer& layer, std::uint64_t batch) {
    std::uint64_t floats = layer.in_place ? 0 : 2 * batch * layer.out_size;
    if (layer.kind == LayerKind::conv2d) {
        const std::uint64_t weights = layer.kernel * layer.kernel * layer.in_channels * layer.units;
        floats += 2 * weights + batch * layer.padded_height() * layer.padded_width() * layer.in_channels +
                  (layer.in_height + layer.kernel) * (layer.in_width + layer.kernel) * layer.units;
    }
    if (layer.kind == LayerKind::dense) floats += batch * (layer.units + layer.in_size);
    if (layer.kind == LayerKind::max_pool2d) floats += batch * layer.out_size / 4;
    return floats;
}

void allocate(Layer& layer, std::size_t batch) {
    if (!layer.in_place) {
        layer.output.resize(batch * layer.out_size);
        layer.output_gradient.resize(batch * layer.out_size);
    }
    if (layer.kind == LayerKind::conv2d) {
        const std::size_t weights = layer.kernel * layer.kernel * layer.in_channels * layer.units;
        layer.weight_forward.resize(weights);
        layer.weight_backward.resize(weights);
        layer.padded.resize(batch * layer.padded_height() * layer.padded_width() * layer.in_channels);
        layer.padded_gradient.resize((layer.in_height + layer.kernel - 1) *
                                     (layer.in_width + layer.kernel - 1) * layer.units);
    }
    if (layer.kind == LayerKind::dense && layer.wants_input_gradient) {
        layer.turned_output.resize(batch * layer.units);
        layer.turned_input.resize(batch * layer.in_size);
    }
    if (layer.kind == LayerKind::max_pool2d) layer.index.resize(batch * layer.out_size);
}

Error wrong_size(const char* what, std::uint64_t expected, std::uint64_t found) {
    return {Code::invalid_argument, "model.sizes",
            std::string("Model: expected ") + what + " of " + std::to_string(expected) + " floats, found " +
                std::to_string(found)};
}

}  // namespace

Result<Model> Model::create(const ModelSpec& spec, std::uint32_t max_batch) {
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    ENTENTE_ASSIGN(Layout layout, infer_layout(spec));
    ENTENTE_ASSIGN(const std::uint32_t classes, output_classes(spec));
    if (max_batch == 0)
        return Error{Code::invalid_argument, "model.batch", "Model: expected a batch >= 1, found 0"};

    auto state = std::make_unique<State>();
    std::size_t tensor = 0;
    std::uint64_t floats = 0;
    bool trainable_before = false;
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        Layer layer = describe(spec.layers[i], shapes[i], shapes[i + 1]);
        layer.wants_input_gradient = trainable_before;
        layer.in_place = i > 0 && (layer.kind == LayerKind::relu || layer.kind == LayerKind::flatten);
        if (layer.kind == LayerKind::dense || layer.kind == LayerKind::conv2d) {
            layer.weight = static_cast<std::size_t>(layout.tensors[tensor].offset);
            layer.bias = static_cast<std::size_t>(layout.tensors[tensor + 1].offset);
            tensor += 2;
            trainable_before = true;
        }
        floats += workspace(layer, max_batch);
        if (floats > max_workspace) {
            return Error{Code::invalid_argument, "model.batch",
                         "Model: expected a workspace of at most " + std::to_string(max_workspace) +
                             " floats, found more for a batch of " + std::to_string(max_batch)};
        }
        state->layers.push_back(std::move(layer));
    }
    for (Layer& layer : state->layers) allocate(layer, max_batch);
    state->spec = spec;
    state->layout = std::move(layout);
    state->max_batch = max_batch;
    state->classes = classes;
    state->example_size = product(spec.input_shape);
    return Model(std::move(state));
}

Result<std::span<const float>> Model::forward(std::span<const float> parameters,
                                              std::span<const float> inputs) {
    State& s = *state_;
    if (parameters.size() != s.layout.parameter_count) {
        return wrong_size("parameters", s.layout.parameter_count, parameters.size());
    }
    const std::size_t batch = inputs.size() / s.example_size;
    if (batch == 0 || batch > s.max_batch || batch * s.example_size != inputs.size()) {
        return Error{Code::invalid_argument, "model.sizes",
                     "Model: expected 1 to " + std::to_string(s.max_batch) + " examples of " +
                         std::to_string(s.example_size) + " floats, found " + std::to_string(inputs.size()) +
                         " floats"};
    }
    s.run_forward(parameters.data(), inputs.data(), batch);
    return std::span<const float>(s.storage_before(s.layers.size())->data(), batch * s.classes);
}

Result<double> Model::gradients(std::span<const float> parameters, std::span<const float> inputs,
                                std::span<const std::uint32_t> labels, std::span<float> gradient) {
    State& s = *state_;
    if (gradient.size() != s.layout.parameter_count) {
        return wrong_size("a gradient", s.layout.parameter_count, gradient.size());
    }
    if (labels.size() * s.example_size != inputs.size()) {
        return wrong_size("inputs", labels.size() * s.example_size, inputs.size());
    }
    for (const std::uint32_t label : labels) {
        if (label >= s.classes) {
            return Error{Code::invalid_argument, "model.label",
                         "Model: expected labels below " + std::to_string(s.classes) + ", found " +
                             std::to_string(label)};
        }
    }
    ENTENTE_ASSIGN(const std::span<const float> logits, forward(parameters, inputs));
    const std::size_t batch = labels.size();
    const double loss = kernels::softmax_cross_entropy(logits.data(), labels.data(), batch, s.classes,
                                                       1.0f / static_cast<float>(batch),
                                                       s.gradient_before(s.layers.size())->data());
    s.run_backward(parameters.data(), inputs.data(), batch, gradient.data());
    return loss;
}

}  // namespace entente::nn
