#include "entente/codec/onnx.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "codec/frame_parts.hpp"
#include "codec/protobuf_writer.hpp"

// Field numbers as in onnx.proto (onnx/onnx, IR version 8).
namespace entente::codec {

namespace {

constexpr std::uint64_t ir_version = 8;
constexpr std::uint64_t opset = 17;
constexpr std::uint64_t type_float = 1;
constexpr std::uint64_t type_int64 = 7;
constexpr std::uint64_t attribute_float = 1;
constexpr std::uint64_t attribute_int = 2;
constexpr std::uint64_t attribute_ints = 7;
constexpr float norm_epsilon = 1e-5f;

struct Value {
    std::string name;
    bool channels_first = false;
};

class Node {
public:
    Node(std::string_view op, const std::vector<std::string>& inputs, const std::string& output) {
        for (const std::string& input : inputs) node_.text(1, input);
        node_.text(2, output);
        node_.text(3, "make_" + output);
        node_.text(4, op);
    }
    Node& whole(std::string_view name, std::uint64_t value) {
        ProtobufWriter attribute;
        attribute.text(1, name);
        attribute.whole(3, value);
        attribute.whole(20, attribute_int);
        node_.message(5, attribute);
        return *this;
    }
    // Two's complement, as Protocol Buffers write a negative int64.
    Node& last_axis() { return whole("axis", ~std::uint64_t{0}); }
    Node& real(std::string_view name, float value) {
        ProtobufWriter attribute;
        attribute.text(1, name);
        attribute.real(2, value);
        attribute.whole(20, attribute_float);
        node_.message(5, attribute);
        return *this;
    }
    Node& list(std::string_view name, const std::vector<std::uint64_t>& values) {
        ProtobufWriter attribute;
        attribute.text(1, name);
        for (const std::uint64_t value : values) attribute.whole(8, value);
        attribute.whole(20, attribute_ints);
        node_.message(5, attribute);
        return *this;
    }
    Node& also_gives(const std::string& output) {
        node_.text(2, output);
        return *this;
    }
    [[nodiscard]] const ProtobufWriter& proto() const noexcept { return node_; }

private:
    ProtobufWriter node_;
};

// [out, space..., in] -> [out, in, space...]
std::vector<float> channels_first(std::span<const float> weight, std::size_t out, std::size_t space, std::size_t in) {
    std::vector<float> turned(weight.size());
    for (std::size_t o = 0; o < out; ++o) {
        for (std::size_t s = 0; s < space; ++s) {
            for (std::size_t i = 0; i < in; ++i) turned[(o * in + i) * space + s] = weight[(o * space + s) * in + i];
        }
    }
    return turned;
}

// [out, kernel, in] of a convolution over the stretched input -> [in, out, kernel] of its transpose: the mirror image
std::vector<float> mirrored(std::span<const float> weight, std::size_t out, std::size_t kernel, std::size_t in) {
    std::vector<float> turned(weight.size());
    for (std::size_t o = 0; o < out; ++o) {
        for (std::size_t k = 0; k < kernel; ++k) {
            for (std::size_t i = 0; i < in; ++i) turned[(i * out + o) * kernel + kernel - 1 - k] = weight[(o * kernel + k) * in + i];
        }
    }
    return turned;
}

// Gates reset, update, new beside each other, [rows, 3 units] -> update, reset, new below each other, [3 units, rows].
std::vector<float> gates_below(std::span<const float> weight, std::size_t rows, std::size_t units) {
    constexpr std::array<std::size_t, 3> place{1, 0, 2};
    std::vector<float> turned(weight.size());
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t gate = 0; gate < 3; ++gate) {
            for (std::size_t u = 0; u < units; ++u) {
                turned[(place[gate] * units + u) * rows + row] = weight[(row * 3 + gate) * units + u];
            }
        }
    }
    return turned;
}

class Graph {
public:
    Graph(const nn::ModelSpec& model, const nn::Layout& layout, const std::vector<std::vector<std::uint32_t>>& shapes,
          std::span<const float> parameters)
        : model_(model), layout_(layout), shapes_(shapes), parameters_(parameters) {}

    Result<ProtobufWriter> write() {
        graph_.text(2, "entente");
        values_.push_back({"input", false});
        for (std::size_t i = 0; i < model_.layers.size(); ++i) {
            ENTENTE_ASSIGN(Value after, layer(i, values_.back()));
            values_.push_back(std::move(after));
        }
        add(Node("Identity", {last(values_.back()).name}, "output"));
        describe(11, "input", shapes_.front());
        describe(12, "output", shapes_.back());
        return std::move(graph_);
    }

private:
    Result<Value> layer(std::size_t i, const Value& in) {
        const nn::LayerSpec& spec = model_.layers[i];
        switch (spec.kind) {
            case nn::LayerKind::dense: return dense(spec, last(in));
            case nn::LayerKind::conv1d:
            case nn::LayerKind::conv2d: return conv(spec, first(in, shapes_[i].size()), shapes_[i]);
            case nn::LayerKind::max_pool1d:
            case nn::LayerKind::max_pool2d: return pool("MaxPool", spec, first(in, shapes_[i].size()), shapes_[i].size());
            case nn::LayerKind::avg_pool1d:
            case nn::LayerKind::avg_pool2d: return pool("AveragePool", spec, first(in, shapes_[i].size()), shapes_[i].size());
            case nn::LayerKind::conv_transpose1d: return conv_transpose(spec, first(in, 2), shapes_[i]);
            case nn::LayerKind::gelu: return gelu(in);
            case nn::LayerKind::gru: return gru(spec, last(in), shapes_[i].back());
            case nn::LayerKind::group_norm: return group_norm(spec, first(in, shapes_[i].size()), shapes_[i]);
            case nn::LayerKind::relu: return Value{op("Relu", {in.name}), in.channels_first};
            case nn::LayerKind::tanh: return Value{op("Tanh", {in.name}), in.channels_first};
            case nn::LayerKind::sigmoid: return Value{op("Sigmoid", {in.name}), in.channels_first};
            case nn::LayerKind::dropout: return in;
            case nn::LayerKind::flatten: {
                const std::string output = fresh();
                add(Node("Flatten", {last(in).name}, output).whole("axis", 1));
                return Value{output, false};
            }
            case nn::LayerKind::embedding: return embedding(spec, in);
            case nn::LayerKind::layer_norm: {
                const std::string output = fresh();
                add(Node("LayerNormalization", {last(in).name, stored(spec.name + ".weight"), stored(spec.name + ".bias")}, output)
                        .last_axis()
                        .real("epsilon", norm_epsilon));
                return Value{output, false};
            }
            case nn::LayerKind::residual: {
                const Value before = last(values_[i - spec.skip]);
                return Value{op("Add", {last(in).name, before.name}), false};
            }
            default: break;
        }
        return Error{Code::internal, "onnx.layer",
                     "onnx: expected a known layer, found " + std::string(nn::to_string(spec.kind)) + " as layer " + std::to_string(i + 1)};
    }

    Value dense(const nn::LayerSpec& spec, const Value& in) {
        return {op("Gemm", {in.name, stored(spec.name + ".weight"), stored(spec.name + ".bias")}), false};
    }

    Value conv(const nn::LayerSpec& spec, const Value& in, const std::vector<std::uint32_t>& shape) {
        const std::size_t axes = shape.size() - 1;
        const std::size_t space = axes == 1 ? spec.kernel : std::size_t{spec.kernel} * spec.kernel;
        const std::string name = spec.name + ".weight";
        std::vector<std::uint32_t> dimensions{spec.units, shape.back()};
        dimensions.insert(dimensions.end(), axes, spec.kernel);
        store(name, dimensions, channels_first(tensor(name), spec.units, space, shape.back()));
        const std::uint64_t before = spec.same_padding ? (spec.kernel - 1) / 2 : 0;
        const std::uint64_t after = spec.same_padding ? spec.kernel - 1 - before : 0;
        std::vector<std::uint64_t> pads(axes, before);
        pads.insert(pads.end(), axes, after);
        const std::string output = fresh();
        add(Node("Conv", {in.name, name, stored(spec.name + ".bias")}, output)
                .list("kernel_shape", std::vector<std::uint64_t>(axes, spec.kernel))
                .list("strides", std::vector<std::uint64_t>(axes, spec.stride))
                .list("pads", pads));
        return {output, true};
    }

    Value conv_transpose(const nn::LayerSpec& spec, const Value& in, const std::vector<std::uint32_t>& shape) {
        const std::string name = spec.name + ".weight";
        store(name, {shape.back(), spec.units, spec.kernel}, mirrored(tensor(name), spec.units, spec.kernel, shape.back()));
        const std::uint64_t cut = spec.same_padding ? spec.kernel - spec.stride : 0;
        const std::string output = fresh();
        add(Node("ConvTranspose", {in.name, name, stored(spec.name + ".bias")}, output)
                .list("kernel_shape", {spec.kernel})
                .list("strides", {spec.stride})
                .list("pads", {cut / 2, cut - cut / 2}));
        return {output, true};
    }

    // Opset 17 has no Gelu: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
    Value gelu(const Value& in) {
        const std::string cube = op("Mul", {op("Mul", {in.name, in.name}), in.name});
        const std::string inner = op("Add", {in.name, op("Mul", {cube, number(0.044715f)})});
        const std::string bent = op("Tanh", {op("Mul", {inner, number(0.79788456f)})});
        return {op("Mul", {op("Mul", {in.name, number(0.5f)}), op("Add", {bent, number(1.0f)})}), in.channels_first};
    }

    // [batch, length, in] -> [length, batch, in] and back. Gates update, reset, new; the reset gate behind the recurrent
    // product is ONNX's linear_before_reset.
    Value gru(const nn::LayerSpec& spec, const Value& in, std::uint32_t inputs) {
        const std::uint32_t units = spec.units;
        const std::uint32_t gates = 3 * units;
        const auto turned = [&](const char* which, std::uint32_t rows) {
            return gates_below(tensor(spec.name + "." + which), rows, units);
        };
        store(spec.name + ".W", {1, gates, inputs}, turned("input_weight", inputs));
        store(spec.name + ".R", {1, gates, units}, turned("hidden_weight", units));
        std::vector<float> bias = turned("input_bias", 1);
        const std::vector<float> hidden = turned("hidden_bias", 1);
        bias.insert(bias.end(), hidden.begin(), hidden.end());
        store(spec.name + ".B", {1, 2 * gates}, bias);

        const std::string steps = fresh();
        add(Node("Transpose", {in.name}, steps).list("perm", {1, 0, 2}));
        const std::string all = fresh();
        const std::string final_state = fresh();
        add(Node("GRU", {steps, spec.name + ".W", spec.name + ".R", spec.name + ".B"}, all)
                .also_gives(final_state)
                .whole("hidden_size", units)
                .whole("linear_before_reset", 1));
        if (!spec.sequences) return {op("Squeeze", {final_state, shape_constant({0})}), false};
        const std::string output = fresh();  // [length, directions, batch, units]
        add(Node("Transpose", {op("Squeeze", {all, shape_constant({1})})}, output).list("perm", {1, 0, 2}));
        return {output, false};
    }

    // ONNX normalises whole channels: the group's channels and pixels are made one.
    Value group_norm(const nn::LayerSpec& spec, const Value& in, const std::vector<std::uint32_t>& shape) {
        const std::uint32_t channels = shape.back();
        store(spec.name + ".ones", {spec.groups}, std::vector<float>(spec.groups, 1.0f));
        store(spec.name + ".zeros", {spec.groups}, std::vector<float>(spec.groups, 0.0f));
        std::vector<std::int64_t> whole{0, channels};
        std::vector<std::uint32_t> each_channel{channels};
        for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis) {
            whole.push_back(shape[axis]);
            each_channel.push_back(1);
        }
        const std::string grouped = op("Reshape", {in.name, shape_constant({0, static_cast<std::int64_t>(spec.groups), -1})});
        const std::string normal = fresh();
        add(Node("InstanceNormalization", {grouped, spec.name + ".ones", spec.name + ".zeros"}, normal).real("epsilon", norm_epsilon));
        const std::string back = op("Reshape", {normal, shape_constant(whole)});
        const auto spread = [&](const char* which) {
            const std::string name = spec.name + "." + which;
            const auto values = tensor(name);
            store(name, each_channel, {values.begin(), values.end()});
            return name;
        };
        const std::string scaled = op("Mul", {back, spread("weight")});
        return {op("Add", {scaled, spread("bias")}), shape.size() > 1};
    }

    Value pool(std::string_view what, const nn::LayerSpec& spec, const Value& in, std::size_t rank) {
        const std::vector<std::uint64_t> window(rank - 1, spec.pool);
        const std::string output = fresh();
        add(Node(what, {in.name}, output).list("kernel_shape", window).list("strides", window));
        return {output, true};
    }

    Value embedding(const nn::LayerSpec& spec, const Value& in) {
        const std::string whole = fresh();
        add(Node("Cast", {in.name}, whole).whole("to", type_int64));
        return {op("Gather", {stored(spec.name + ".weight"), whole}), false};
    }

    // The value with channels where they are wanted. Turned once, even if several read it.
    Value first(const Value& in, std::size_t rank) {
        if (in.channels_first || rank < 2) return in;
        std::vector<std::uint64_t> order{0, rank};
        for (std::uint64_t axis = 1; axis < rank; ++axis) order.push_back(axis);
        const std::string output = fresh();
        add(Node("Transpose", {in.name}, output).list("perm", order));
        ranks_[output] = rank;
        return {output, true};
    }
    Value last(const Value& in) {
        if (!in.channels_first) return in;
        const std::size_t rank = rank_of(in);
        std::vector<std::uint64_t> order{0};
        for (std::uint64_t axis = 2; axis <= rank; ++axis) order.push_back(axis);
        order.push_back(1);
        const std::string output = fresh();
        add(Node("Transpose", {in.name}, output).list("perm", order));
        return {output, false};
    }
    [[nodiscard]] std::size_t rank_of(const Value& value) const {
        if (const auto it = ranks_.find(value.name); it != ranks_.end()) return it->second;
        const auto at = std::find_if(values_.begin(), values_.end(), [&](const Value& v) { return v.name == value.name; });
        return shapes_[static_cast<std::size_t>(at - values_.begin())].size();
    }

    std::string fresh() { return "value" + std::to_string(++made_); }
    std::string op(std::string_view what, const std::vector<std::string>& inputs) {
        const std::string output = fresh();
        add(Node(what, inputs, output));
        return output;
    }
    void add(const Node& node) { graph_.message(1, node.proto()); }

    [[nodiscard]] const nn::TensorInfo& info(const std::string& name) const {
        return *std::find_if(layout_.tensors.begin(), layout_.tensors.end(), [&](const auto& t) { return t.name == name; });
    }
    [[nodiscard]] std::span<const float> tensor(const std::string& name) const {
        const nn::TensorInfo& t = info(name);
        return parameters_.subspan(static_cast<std::size_t>(t.offset), static_cast<std::size_t>(t.count()));
    }
    std::string stored(const std::string& name) {
        const auto values = tensor(name);
        store(name, info(name).shape, {values.begin(), values.end()});
        return name;
    }
    void store(const std::string& name, const std::vector<std::uint32_t>& shape, const std::vector<float>& values) {
        ProtobufWriter t;
        for (const std::uint32_t extent : shape) t.whole(1, extent);
        t.whole(2, type_float);
        t.text(8, name);
        t.bytes(9, as_bytes(std::span<const float>(values)));
        graph_.message(5, t);
    }
    std::string number(float value) {
        const std::string name = fresh();
        store(name, {}, {value});
        return name;
    }
    std::string shape_constant(const std::vector<std::int64_t>& values) {
        const std::string name = fresh();
        ProtobufWriter t;
        t.whole(1, values.size());
        t.whole(2, type_int64);
        t.text(8, name);
        t.bytes(9, as_bytes(std::span<const std::int64_t>(values)));
        graph_.message(5, t);
        return name;
    }
    void describe(std::uint32_t field, std::string_view name, const std::vector<std::uint32_t>& shape) {
        ProtobufWriter dimensions;
        ProtobufWriter batch;
        batch.text(2, "batch");
        dimensions.message(1, batch);
        for (const std::uint32_t extent : shape) {
            ProtobufWriter dimension;
            dimension.whole(1, extent);
            dimensions.message(1, dimension);
        }
        ProtobufWriter tensor_type;
        tensor_type.whole(1, type_float);
        tensor_type.message(2, dimensions);
        ProtobufWriter type;
        type.message(1, tensor_type);
        ProtobufWriter value;
        value.text(1, name);
        value.message(2, type);
        graph_.message(field, value);
    }

    const nn::ModelSpec& model_;
    const nn::Layout& layout_;
    const std::vector<std::vector<std::uint32_t>>& shapes_;
    std::span<const float> parameters_;
    ProtobufWriter graph_;
    std::vector<Value> values_;  // before each layer, and after the last
    std::map<std::string, std::size_t> ranks_;
    std::size_t made_ = 0;
};

}  // namespace

Result<Bytes> write_onnx(const nn::ModelSpec& model, std::span<const float> parameters,
                         const std::map<std::string, std::string>& metadata) {
    ENTENTE_ASSIGN(const nn::Layout layout, nn::infer_layout(model));
    ENTENTE_ASSIGN(const auto shapes, nn::infer_shapes(model));
    if (layout.parameter_count != parameters.size()) {
        return Error{Code::invalid_argument, "onnx.sizes",
                     "onnx: expected " + std::to_string(layout.parameter_count) + " parameters, found " +
                         std::to_string(parameters.size())};
    }
    if (!all_finite(as_bytes(parameters))) return Error{Code::invalid_argument, "onnx.not-finite", "onnx: expected finite parameters"};
    Graph graph(model, layout, shapes, parameters);
    ENTENTE_ASSIGN(const ProtobufWriter written, graph.write());

    ProtobufWriter version;
    version.text(1, "");
    version.whole(2, opset);
    ProtobufWriter file;
    file.whole(1, ir_version);
    file.text(2, "entente");
    file.message(7, written);
    file.message(8, version);
    for (const auto& [key, value] : metadata) {
        ProtobufWriter entry;
        entry.text(1, key);
        entry.text(2, value);
        file.message(14, entry);
    }
    return file.take();
}

}  // namespace entente::codec
