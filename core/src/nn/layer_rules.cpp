#include "nn/layer_rules.hpp"

#include <array>
#include <cmath>

#include "entente/base/decimal.hpp"

namespace entente::nn {

namespace {

constexpr std::uint32_t max_pool_side = 15;     // an index in the window fits a byte
constexpr std::uint32_t max_pool_length = 254;  // the same in one dimension
constexpr std::uint32_t max_kernel_side = 63;
constexpr std::uint32_t most = static_cast<std::uint32_t>(max_parameters);

enum Key : unsigned {
    units = 1,
    kernel = 2,  // with stride and same_padding
    pool = 4,
    groups = 8,
    rate = 16,
    vocabulary = 32,
    sequences = 64,
    skip = 128,
};

struct Rule {
    LayerKind kind;
    std::string_view name;
    unsigned keys;
};

constexpr std::array rules{
    Rule{LayerKind::dense, "dense", units},
    Rule{LayerKind::conv2d, "conv2d", units | kernel},
    Rule{LayerKind::max_pool2d, "max_pool2d", pool},
    Rule{LayerKind::relu, "relu", 0},
    Rule{LayerKind::flatten, "flatten", 0},
    Rule{LayerKind::conv1d, "conv1d", units | kernel},
    Rule{LayerKind::max_pool1d, "max_pool1d", pool},
    Rule{LayerKind::avg_pool1d, "avg_pool1d", pool},
    Rule{LayerKind::avg_pool2d, "avg_pool2d", pool},
    Rule{LayerKind::tanh, "tanh", 0},
    Rule{LayerKind::sigmoid, "sigmoid", 0},
    Rule{LayerKind::gelu, "gelu", 0},
    Rule{LayerKind::dropout, "dropout", rate},
    Rule{LayerKind::embedding, "embedding", units | vocabulary},
    Rule{LayerKind::gru, "gru", units | sequences},
    Rule{LayerKind::group_norm, "group_norm", groups},
    Rule{LayerKind::layer_norm, "layer_norm", 0},
    Rule{LayerKind::residual, "residual", skip},
    Rule{LayerKind::conv_transpose1d, "conv_transpose1d", units | kernel},
};

const Rule* find(LayerKind kind) {
    const auto number = static_cast<std::size_t>(kind);
    return number >= 1 && number <= rules.size() ? &rules[number - 1] : nullptr;
}

constexpr auto names_of() {
    std::array<std::string_view, rules.size()> names{};
    for (std::size_t i = 0; i < rules.size(); ++i) names[i] = rules[i].name;
    return names;
}
constexpr auto names = names_of();

bool is_1d(LayerKind kind) {
    return kind == LayerKind::conv1d || kind == LayerKind::max_pool1d || kind == LayerKind::avg_pool1d;
}

// The extents before the channels, after a window of `size` zeros-padded by `padding` in all, moved by `stride`.
Result<Shape> slide(const LayerSpec& layer, std::size_t number, const Shape& in, std::uint32_t size,
                    std::uint32_t padding, std::uint32_t stride, std::uint32_t channels) {
    const bool one = is_1d(layer.kind);
    const auto mismatch = [&](const std::string& expected) {
        return model_fault("model.shape", label(layer, number) + ": expected " + expected +
                                              ", found an input of shape " + text_of(in));
    };
    if (in.size() != (one ? 2u : 3u)) {
        return mismatch(one ? "an input [length, channels]" : "an input [height, width, channels]");
    }
    Shape out;
    for (std::size_t i = 0; i + 1 < in.size(); ++i) {
        if (in[i] + padding < size) {
            return mismatch((one ? "a length of at least " : "height and width of at least ") + std::to_string(size));
        }
        out.push_back((in[i] + padding - size) / stride + 1);
    }
    out.push_back(channels);
    return out;
}

}  // namespace

std::string_view to_string(LayerKind kind) noexcept {
    const Rule* rule = find(kind);
    return rule == nullptr ? "unknown" : rule->name;
}

std::span<const std::string_view> layer_kind_names() noexcept { return names; }

Error model_fault(const char* reason, const std::string& message) {
    return {Code::invalid_argument, reason, "model: " + message};
}

std::string text_of(const Shape& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + "]";
}

std::string label(const LayerSpec& layer, std::size_t number) {
    std::string text = "layer " + std::to_string(number + 1) + " (" + std::string(to_string(layer.kind));
    if (!layer.name.empty()) text += " \"" + layer.name + "\"";
    return text + ")";
}

// A factor is below 2^32, so one more product cannot overflow.
bool bounded_product(const Shape& shape, std::uint64_t& product) {
    product = 1;
    for (const std::uint32_t extent : shape) {
        product *= extent;
        if (product > max_parameters) return false;
    }
    return true;
}

Status check_keys(const LayerSpec& layer, std::size_t number) {
    const Rule* rule = find(layer.kind);
    if (rule == nullptr) {
        return model_fault("model.layer", "layer " + std::to_string(number + 1) +
                                              ": expected a known kind, found number " +
                                              std::to_string(static_cast<std::uint32_t>(layer.kind)));
    }
    const auto check = [&](unsigned key, const char* name, std::uint32_t value, std::uint32_t otherwise,
                           std::uint32_t limit) -> Status {
        if ((rule->keys & key) == 0) {
            if (value == otherwise) return done();
            return model_fault("model.layer", label(layer, number) + ": expected no key " + name +
                                                  ", which this kind does not have, found " + std::to_string(value));
        }
        if (value >= 1 && value <= limit) return done();
        return model_fault("model.layer", label(layer, number) + ": expected " + name + " from 1 to " +
                                              std::to_string(limit) + ", found " + std::to_string(value));
    };
    const auto flag = [&](unsigned key, const char* name, bool value) {
        return (rule->keys & key) != 0 ? done() : check(key, name, value ? 1 : 0, 0, 1);
    };
    ENTENTE_TRY(check(units, "units", layer.units, 0, most));
    ENTENTE_TRY(check(kernel, "kernel", layer.kernel, 0, max_kernel_side));
    ENTENTE_TRY(check(kernel, "stride", layer.stride, 1, max_kernel_side));
    ENTENTE_TRY(flag(kernel, "same_padding", layer.same_padding));
    ENTENTE_TRY(check(pool, "pool", layer.pool, 0, is_1d(layer.kind) ? max_pool_length : max_pool_side));
    ENTENTE_TRY(check(groups, "groups", layer.groups, 0, most));
    ENTENTE_TRY(check(vocabulary, "vocabulary", layer.vocabulary, 0, 1u << 24));  // whole numbers of a float
    ENTENTE_TRY(flag(sequences, "sequences", layer.sequences));
    ENTENTE_TRY(check(skip, "skip", layer.skip, 0, max_layers));
    const bool may_drop = (rule->keys & rate) != 0;
    if (!(layer.rate >= 0.0f && layer.rate < 1.0f) || (!may_drop && layer.rate != 0.0f) || std::signbit(layer.rate)) {
        return model_fault("model.layer", label(layer, number) +
                                              (may_drop ? ": expected rate from 0 to below 1, found "
                                                        : ": expected no key rate, which this kind does not have, found ") +
                                              decimal(layer.rate));
    }
    return done();
}

Result<Shape> shape_after(const LayerSpec& layer, std::size_t number, const std::vector<Shape>& shapes) {
    const Shape& in = shapes[number];
    const auto mismatch = [&](const std::string& expected) {
        return model_fault("model.shape", label(layer, number) + ": expected " + expected +
                                              ", found an input of shape " + text_of(in));
    };
    switch (layer.kind) {
        case LayerKind::dense:
            if (in.size() != 1) return mismatch("a flat input [features] (put flatten before it)");
            return Shape{layer.units};
        case LayerKind::conv1d:
        case LayerKind::conv2d:
            return slide(layer, number, in, layer.kernel, layer.same_padding ? layer.kernel - 1 : 0, layer.stride,
                         layer.units);
        case LayerKind::conv_transpose1d: {
            if (in.size() != 2) return mismatch("an input [length, channels]");
            if (layer.kernel < layer.stride) {
                return model_fault("model.layer", label(layer, number) + ": expected a kernel of at least the stride, " +
                                                      std::to_string(layer.stride) + ", found " + std::to_string(layer.kernel));
            }
            const std::uint64_t length = layer.same_padding ? std::uint64_t{in[0]} * layer.stride
                                                            : (std::uint64_t{in[0]} - 1) * layer.stride + layer.kernel;
            if (length > max_parameters) return mismatch("a length that stays below " + std::to_string(max_parameters));
            return Shape{static_cast<std::uint32_t>(length), layer.units};
        }
        case LayerKind::max_pool1d:
        case LayerKind::max_pool2d:
        case LayerKind::avg_pool1d:
        case LayerKind::avg_pool2d: return slide(layer, number, in, layer.pool, 0, layer.pool, in.back());
        case LayerKind::relu:
        case LayerKind::tanh:
        case LayerKind::sigmoid:
        case LayerKind::gelu:
        case LayerKind::dropout:
        case LayerKind::layer_norm: return in;
        case LayerKind::group_norm:
            if (in.back() % layer.groups != 0) {
                return mismatch("channels that " + std::to_string(layer.groups) + " groups divide");
            }
            return in;
        case LayerKind::flatten: {
            std::uint64_t product = 0;
            bounded_product(in, product);
            return Shape{static_cast<std::uint32_t>(product)};
        }
        case LayerKind::embedding:
            if (number != 0) return mismatch("to be the first layer, since its input are numbers of words");
            if (in.size() != 1) return mismatch("an input [length]");
            return Shape{in[0], layer.units};
        case LayerKind::gru:
            if (in.size() != 2) return mismatch("an input [length, channels]");
            return layer.sequences ? Shape{in[0], layer.units} : Shape{layer.units};
        case LayerKind::residual:
            if (layer.skip > number) {
                return model_fault("model.layer", label(layer, number) + ": expected skip from 1 to the " +
                                                      std::to_string(number) + " layers before it, found " +
                                                      std::to_string(layer.skip));
            }
            if (shapes[number - layer.skip] != in) {
                return mismatch("the shape from " + std::to_string(layer.skip) + " layers before, " +
                                text_of(shapes[number - layer.skip]));
            }
            return in;
    }
    return model_fault("model.layer", "unknown kind");
}

std::vector<TensorRule> tensors_of(const LayerSpec& layer, const Shape& in) {
    const std::uint32_t inputs = in.back();
    const std::uint32_t out = layer.units;
    // He et al. 2015 (arXiv 1502.01852), equation 10.
    const auto he = [](std::uint64_t fan_in) { return std::sqrt(2.0 / static_cast<double>(fan_in)); };
    switch (layer.kind) {
        case LayerKind::dense: return {{"weight", {inputs, out}, he(inputs)}, {"bias", {out}}};
        case LayerKind::conv1d:
        case LayerKind::conv_transpose1d:
            return {{"weight", {out, layer.kernel, inputs}, he(std::uint64_t{layer.kernel} * inputs)}, {"bias", {out}}};
        case LayerKind::conv2d:
            return {{"weight", {out, layer.kernel, layer.kernel, inputs}, he(std::uint64_t{layer.kernel} * layer.kernel * inputs)},
                    {"bias", {out}}};
        case LayerKind::embedding: return {{"weight", {layer.vocabulary, out}, 1.0}};
        case LayerKind::gru: {
            // The variance of PyTorch's uniform(-1 / sqrt(units), 1 / sqrt(units)).
            const double deviation = std::sqrt(1.0 / (3.0 * out));
            const std::uint32_t gates = 3 * out;  // units are at most 2^28
            return {{"input_weight", {inputs, gates}, deviation},
                    {"hidden_weight", {out, gates}, deviation},
                    {"input_bias", {gates}},
                    {"hidden_bias", {gates}}};
        }
        case LayerKind::group_norm:
        case LayerKind::layer_norm: return {{"weight", {inputs}, 0.0, 1.0f}, {"bias", {inputs}}};
        default: return {};
    }
}

}  // namespace entente::nn
