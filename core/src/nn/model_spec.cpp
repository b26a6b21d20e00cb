#include "entente/nn/model_spec.hpp"

#include <set>
#include <utility>

namespace entente::nn {

namespace {

constexpr std::uint32_t max_side = 65536;
constexpr std::uint32_t max_pool_side = 15;  // an index in the window fits a byte
constexpr std::uint32_t max_kernel_side = 63;

std::string text_of(const std::vector<std::uint32_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + "]";
}

Error fault(const char* reason, const std::string& message) {
    return {Code::invalid_argument, reason, "model: " + message};
}

std::string label(const LayerSpec& layer, std::size_t number) {
    std::string text = "layer " + std::to_string(number + 1) + " (" + std::string(to_string(layer.kind));
    if (!layer.name.empty()) text += " \"" + layer.name + "\"";
    return text + ")";
}

// The product, or nothing beyond max_parameters: a factor is below 2^32, so one more product cannot overflow.
bool bounded_product(const std::vector<std::uint32_t>& shape, std::uint64_t& product) {
    product = 1;
    for (const std::uint32_t extent : shape) {
        product *= extent;
        if (product > max_parameters) return false;
    }
    return true;
}

bool has_parameters(LayerKind kind) { return kind == LayerKind::dense || kind == LayerKind::conv2d; }

Status check_fields(const LayerSpec& layer, std::size_t number) {
    const auto out_of_range = [&](const char* field, std::uint32_t limit, std::uint32_t found) {
        return fault("model.layer", label(layer, number) + ": expected " + field + " from 1 to " +
                                        std::to_string(limit) + ", found " + std::to_string(found));
    };
    switch (layer.kind) {
        case LayerKind::conv2d:
            if (layer.kernel == 0 || layer.kernel > max_kernel_side) {
                return out_of_range("kernel", max_kernel_side, layer.kernel);
            }
            [[fallthrough]];
        case LayerKind::dense:
            if (layer.units == 0 || layer.units > max_parameters) {
                return out_of_range("units", static_cast<std::uint32_t>(max_parameters), layer.units);
            }
            return done();
        case LayerKind::max_pool2d:
            if (layer.pool == 0 || layer.pool > max_pool_side)
                return out_of_range("pool", max_pool_side, layer.pool);
            return done();
        case LayerKind::relu:
        case LayerKind::flatten: return done();
    }
    return fault("model.layer", "layer " + std::to_string(number + 1) +
                                    ": expected a known kind, found number " +
                                    std::to_string(static_cast<std::uint32_t>(layer.kind)));
}

Result<std::vector<std::uint32_t>> shape_after(const LayerSpec& layer, std::size_t number,
                                               const std::vector<std::uint32_t>& in) {
    const auto mismatch = [&](const std::string& expected) {
        return fault("model.shape", label(layer, number) + ": expected " + expected +
                                        ", found an input of shape " + text_of(in));
    };
    switch (layer.kind) {
        case LayerKind::dense:
            if (in.size() != 1) return mismatch("a flat input [features] (put flatten before it)");
            return std::vector<std::uint32_t>{layer.units};
        case LayerKind::conv2d:
            if (in.size() != 3) return mismatch("an input [height, width, channels]");
            if (layer.same_padding) return std::vector<std::uint32_t>{in[0], in[1], layer.units};
            if (in[0] < layer.kernel || in[1] < layer.kernel) {
                return mismatch("height and width of at least " + std::to_string(layer.kernel));
            }
            return std::vector<std::uint32_t>{in[0] - layer.kernel + 1, in[1] - layer.kernel + 1,
                                              layer.units};
        case LayerKind::max_pool2d:
            if (in.size() != 3) return mismatch("an input [height, width, channels]");
            if (in[0] < layer.pool || in[1] < layer.pool) {
                return mismatch("height and width of at least " + std::to_string(layer.pool));
            }
            return std::vector<std::uint32_t>{in[0] / layer.pool, in[1] / layer.pool, in[2]};
        case LayerKind::relu: return in;
        case LayerKind::flatten: {
            std::uint64_t product = 0;
            bounded_product(in, product);
            return std::vector<std::uint32_t>{static_cast<std::uint32_t>(product)};
        }
    }
    return fault("model.layer", "unknown kind");
}

}  // namespace

std::string_view to_string(LayerKind kind) noexcept {
    switch (kind) {
        case LayerKind::dense: return "dense";
        case LayerKind::conv2d: return "conv2d";
        case LayerKind::max_pool2d: return "max_pool2d";
        case LayerKind::relu: return "relu";
        case LayerKind::flatten: return "flatten";
    }
    return "unknown";
}

std::uint64_t TensorInfo::count() const noexcept {
    std::uint64_t product = 1;
    for (const std::uint32_t extent : shape) product *= extent;
    return product;
}

Result<std::vector<std::vector<std::uint32_t>>> infer_shapes(const ModelSpec& spec) {
    std::uint64_t size = 0;
    if (spec.input_shape.empty() || spec.input_shape.size() > 4) {
        return fault("model.input", "expected an input shape of 1 to 4 extents, found " +
                                        std::to_string(spec.input_shape.size()));
    }
    for (const std::uint32_t extent : spec.input_shape) {
        if (extent == 0 || (spec.input_shape.size() > 1 && extent > max_side)) {
            return fault("model.input", "expected positive extents of at most " + std::to_string(max_side) +
                                            ", found an input of shape " + text_of(spec.input_shape));
        }
    }
    if (!bounded_product(spec.input_shape, size)) {
        return fault("model.too-large", "expected at most " + std::to_string(max_parameters) +
                                            " values per example, found an input of shape " +
                                            text_of(spec.input_shape));
    }
    if (spec.layers.empty()) return fault("model.no-layers", "expected at least one layer, found none");
    if (spec.layers.size() > max_layers) {
        return fault("model.too-large", "expected at most " + std::to_string(max_layers) + " layers, found " +
                                            std::to_string(spec.layers.size()));
    }

    std::vector<std::vector<std::uint32_t>> shapes{spec.input_shape};
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        ENTENTE_TRY(check_fields(spec.layers[i], i));
        ENTENTE_ASSIGN(auto shape, shape_after(spec.layers[i], i, shapes.back()));
        if (!bounded_product(shape, size)) {
            return fault("model.too-large",
                         label(spec.layers[i], i) + ": expected at most " + std::to_string(max_parameters) +
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
        if (!has_parameters(layer.kind)) continue;
        if (layer.name.empty() || layer.name.size() > 64 || !names.insert(layer.name).second) {
            return fault("model.name",
                         label(layer, i) + ": expected a name of 1 to 64 bytes that no other layer has");
        }
        const std::uint32_t inputs = shapes[i].back();
        std::vector<std::uint32_t> weight{inputs, layer.units};
        if (layer.kind == LayerKind::conv2d) weight = {layer.units, layer.kernel, layer.kernel, inputs};
        std::uint64_t count = 0;
        const bool fits = bounded_product(weight, count);
        if (!fits || layout.parameter_count + count + layer.units > max_parameters) {
            return fault("model.too-large",
                         label(layer, i) + ": expected at most " + std::to_string(max_parameters) +
                             " parameters in the model, found a weight of shape " + text_of(weight));
        }
        layout.tensors.push_back({layer.name + ".weight", std::move(weight), layout.parameter_count});
        layout.parameter_count += count;
        layout.tensors.push_back({layer.name + ".bias", {layer.units}, layout.parameter_count});
        layout.parameter_count += layer.units;
    }
    return layout;
}

Result<std::uint32_t> output_classes(const ModelSpec& spec) {
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    const auto& last = shapes.back();
    if (last.size() != 1 || last[0] < 2) {
        return fault(
            "model.shape",
            "expected the last layer to give [classes] with at least 2 classes, found " + text_of(last));
    }
    return last[0];
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

LayerSpec max_pool2d(std::uint32_t pool) {
    LayerSpec layer;
    layer.kind = LayerKind::max_pool2d;
    layer.pool = pool;
    return layer;
}

LayerSpec relu() {
    LayerSpec layer;
    layer.kind = LayerKind::relu;
    return layer;
}

LayerSpec flatten() {
    LayerSpec layer;
    layer.kind = LayerKind::flatten;
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
