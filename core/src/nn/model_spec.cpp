#include "entente/nn/model_spec.hpp"

#include <set>
#include <utility>

#include "nn/layer_rules.hpp"

namespace entente::nn {

namespace {
constexpr std::uint32_t max_side = 65536;
}

std::uint64_t TensorInfo::count() const noexcept {
    std::uint64_t product = 1;
    for (const std::uint32_t extent : shape) product *= extent;
    return product;
}

Result<std::vector<Shape>> infer_shapes(const ModelSpec& spec) {
    std::uint64_t size = 0;
    if (spec.input_shape.empty() || spec.input_shape.size() > 4) {
        return model_fault("model.input", "expected an input shape of 1 to 4 extents, found " +
                                              std::to_string(spec.input_shape.size()));
    }
    for (const std::uint32_t extent : spec.input_shape) {
        if (extent == 0 || (spec.input_shape.size() > 1 && extent > max_side)) {
            return model_fault("model.input", "expected positive extents of at most " + std::to_string(max_side) +
                                                  ", found an input of shape " + text_of(spec.input_shape));
        }
    }
    if (!bounded_product(spec.input_shape, size)) {
        return model_fault("model.too-large", "expected at most " + std::to_string(max_parameters) +
                                                  " values per example, found an input of shape " +
                                                  text_of(spec.input_shape));
    }
    if (spec.layers.empty()) return model_fault("model.no-layers", "expected at least one layer, found none");
    if (spec.layers.size() > max_layers) {
        return model_fault("model.too-large", "expected at most " + std::to_string(max_layers) + " layers, found " +
                                                  std::to_string(spec.layers.size()));
    }

    std::vector<Shape> shapes{spec.input_shape};
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        ENTENTE_TRY(check_keys(spec.layers[i], i));
        ENTENTE_ASSIGN(auto shape, shape_after(spec.layers[i], i, shapes));
        if (!bounded_product(shape, size)) {
            return model_fault("model.too-large", label(spec.layers[i], i) + ": expected at most " +
                                                      std::to_string(max_parameters) +
                                                      " values per example, found an output of shape " + text_of(shape));
        }
        shapes.push_back(std::move(shape));
    }
    return shapes;
}

Result<Layout> infer_layout(const ModelSpec& spec) {
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    Layout layout;
    std::set<std::string> names;
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        const LayerSpec& layer = spec.layers[i];
        const std::vector<TensorRule> tensors = tensors_of(layer, shapes[i]);
        if (tensors.empty()) continue;
        if (layer.name.empty() || layer.name.size() > 64 || !names.insert(layer.name).second) {
            return model_fault("model.name",
                               label(layer, i) + ": expected a name of 1 to 64 bytes that no other layer has");
        }
        for (const TensorRule& tensor : tensors) {
            std::uint64_t count = 0;
            if (!bounded_product(tensor.shape, count) || layout.parameter_count + count > max_parameters) {
                return model_fault("model.too-large", label(layer, i) + ": expected at most " +
                                                          std::to_string(max_parameters) +
                                                          " parameters in the model, found a " + tensor.suffix +
                                                          " of shape " + text_of(tensor.shape));
            }
            layout.tensors.push_back({layer.name + "." + tensor.suffix, tensor.shape, layout.parameter_count});
            layout.parameter_count += count;
        }
    }
    return layout;
}

Result<std::uint32_t> output_count(const ModelSpec& spec) {
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    const Shape& last = shapes.back();
    if (last.size() != 1) {
        return model_fault("model.shape", "expected the last layer to give [outputs], found " + text_of(last));
    }
    return last[0];
}

Result<std::uint32_t> output_classes(const ModelSpec& spec) {
    ENTENTE_ASSIGN(const std::uint32_t outputs, output_count(spec));
    if (outputs < 2) {
        return model_fault("model.shape",
                           "expected the last layer to give [classes] with at least 2 classes, found " + text_of({outputs}));
    }
    return outputs;
}

bool starts_residual(const std::vector<LayerSpec>& layers, std::size_t i) noexcept {
    for (std::size_t j = i + 1; j < layers.size(); ++j)
        if (layers[j].kind == LayerKind::residual && layers[j].skip == j - i) return true;
    return false;
}

LayerSpec dense(std::string name, std::uint32_t units) {
    LayerSpec layer;
    layer.name = std::move(name);
    layer.kind = LayerKind::dense;
    layer.units = units;
    return layer;
}

LayerSpec conv2d(std::string name, std::uint32_t channels, std::uint32_t kernel, bool same_padding) {
    LayerSpec layer;
    layer.name = std::move(name);
    layer.kind = LayerKind::conv2d;
    layer.units = channels;
    layer.kernel = kernel;
    layer.same_padding = same_padding;
    return layer;
}

namespace {

LayerSpec plain(LayerKind kind) {
    LayerSpec layer;
    layer.kind = kind;
    return layer;
}

LayerSpec pooling(LayerKind kind, std::uint32_t pool) {
    LayerSpec layer = plain(kind);
    layer.pool = pool;
    return layer;
}

LayerSpec named(LayerKind kind, std::string name) {
    LayerSpec layer = plain(kind);
    layer.name = std::move(name);
    return layer;
}

}  // namespace

LayerSpec relu() { return plain(LayerKind::relu); }
LayerSpec tanh() { return plain(LayerKind::tanh); }
LayerSpec sigmoid() { return plain(LayerKind::sigmoid); }
LayerSpec gelu() { return plain(LayerKind::gelu); }
LayerSpec flatten() { return plain(LayerKind::flatten); }
LayerSpec max_pool1d(std::uint32_t pool) { return pooling(LayerKind::max_pool1d, pool); }
LayerSpec max_pool2d(std::uint32_t pool) { return pooling(LayerKind::max_pool2d, pool); }
LayerSpec avg_pool1d(std::uint32_t pool) { return pooling(LayerKind::avg_pool1d, pool); }
LayerSpec avg_pool2d(std::uint32_t pool) { return pooling(LayerKind::avg_pool2d, pool); }
LayerSpec layer_norm(std::string name) { return named(LayerKind::layer_norm, std::move(name)); }

LayerSpec conv1d(std::string name, std::uint32_t channels, std::uint32_t kernel, bool same_padding) {
    LayerSpec layer = conv2d(std::move(name), channels, kernel, same_padding);
    layer.kind = LayerKind::conv1d;
    return layer;
}

LayerSpec conv_transpose1d(std::string name, std::uint32_t channels, std::uint32_t kernel, std::uint32_t stride,
                           bool same_padding) {
    LayerSpec layer = conv2d(std::move(name), channels, kernel, same_padding);
    layer.kind = LayerKind::conv_transpose1d;
    layer.stride = stride;
    return layer;
}

LayerSpec dropout(float rate) {
    LayerSpec layer = plain(LayerKind::dropout);
    layer.rate = rate;
    return layer;
}

LayerSpec embedding(std::string name, std::uint32_t vocabulary, std::uint32_t units) {
    LayerSpec layer = named(LayerKind::embedding, std::move(name));
    layer.vocabulary = vocabulary;
    layer.units = units;
    return layer;
}

LayerSpec gru(std::string name, std::uint32_t units, bool sequences) {
    LayerSpec layer = named(LayerKind::gru, std::move(name));
    layer.units = units;
    layer.sequences = sequences;
    return layer;
}

LayerSpec group_norm(std::string name, std::uint32_t groups) {
    LayerSpec layer = named(LayerKind::group_norm, std::move(name));
    layer.groups = groups;
    return layer;
}

LayerSpec residual(std::uint32_t skip) {
    LayerSpec layer = plain(LayerKind::residual);
    layer.skip = skip;
    return layer;
}

ModelSpec two_nn() {
    return {{28, 28, 1},
            {flatten(), dense("hidden1", 200), relu(), dense("hidden2", 200), relu(), dense("output", 10)}};
}

ModelSpec mcmahan_cnn() {
    return {{28, 28, 1},
            {conv2d("conv1", 32, 5), max_pool2d(2), relu(), conv2d("conv2", 64, 5), max_pool2d(2), relu(),
             flatten(), dense("hidden", 512), relu(), dense("output", 10)}};
}

}  // namespace entente::nn
