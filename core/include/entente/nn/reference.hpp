// The network once more, slow and obvious: nested loops, templated on the number type.
//
//   std::vector<double> gradient(layout.parameter_count);
//   double loss = nn::reference_gradients<double>(spec, parameters, inputs, labels, gradient).value();
//
// With double it is the oracle for gradients (compare it with central differences of its own loss); with
// float it gives the same bits as nn::Model, because every sum runs in the order that model.hpp fixes;
// `fused` chooses the numerics class. For tests: it allocates freely. Shapes and errors are those of nn::Model.
// Thread-safety: pure function.
#pragma once

#include <span>
#include <utility>

#include "entente/nn/reference_conv.hpp"
#include "entente/nn/reference_gru.hpp"
#include "entente/nn/reference_layers.hpp"
#include "entente/nn/reference_loss.hpp"

namespace entente::nn {

namespace reference {

template <bool fused, class T>
void layer_forward(const ModelSpec& spec, const std::vector<std::vector<std::uint32_t>>& shapes, std::size_t i,
                   const std::vector<const T*>& p, const Dropout& draw, std::size_t batch, std::vector<Value<T>>& values) {
    const LayerSpec& layer = spec.layers[i];
    const Value<T>& in = values[i];
    Value<T>& out = values[i + 1];
    switch (layer.kind) {
        case LayerKind::dense: return dense_forward<fused>(p[0], p[1], in, batch, out);
        case LayerKind::conv1d:
        case LayerKind::conv2d:
            if (conv_way(spec, shapes, i).winograd)
                return conv_forward_winograd<fused>(window_of(layer), p[0], p[1], in, batch, out);
            return conv_forward<fused>(window_of(layer), p[0], p[1], in, batch, out);
        case LayerKind::conv_transpose1d:
            return conv_forward<fused>(window_of(layer), p[0], p[1], spread(in, layer.stride, batch), batch, out);
        case LayerKind::max_pool1d:
        case LayerKind::max_pool2d: return max_pool_forward(layer, in, batch, out);
        case LayerKind::avg_pool1d:
        case LayerKind::avg_pool2d: return avg_pool_forward(layer, in, batch, out);
        case LayerKind::relu:
        case LayerKind::tanh:
        case LayerKind::sigmoid:
        case LayerKind::gelu:
            for (std::size_t x = 0; x < in.data.size(); ++x) out.data[x] = activation(layer.kind, in.data[x]);
            return;
        case LayerKind::flatten: out.data = in.data; return;
        case LayerKind::dropout: return dropout_pass(layer, i, draw, in, batch, out);
        case LayerKind::embedding: return embedding_forward(p[0], in, batch, out);
        case LayerKind::gru: return gru_forward<fused>(layer, GruTensors<const T>{p[0], p[1], p[2], p[3]}, in, batch, out);
        case LayerKind::group_norm:
        case LayerKind::layer_norm: return norm_forward(layer, p[0], p[1], in, batch, out);
        case LayerKind::residual:
            for (std::size_t x = 0; x < in.data.size(); ++x) out.data[x] = in.data[x] + values[i - layer.skip].data[x];
            return;
    }
}

template <bool fused, class T>
void conv_gradients(const ModelSpec& spec, const std::vector<std::vector<std::uint32_t>>& shapes, std::size_t i,
                    const std::vector<const T*>& p, const std::vector<T*>& g, std::size_t batch,
                    const std::vector<Value<T>>& values, const Value<T>& in, const Value<T>& dout, Value<T>& din) {
    const Window window = window_of(spec.layers[i]);
    const ConvWay way = conv_way(spec, shapes, i);
    if (!way.spots) return conv_backward<fused>(window, p[0], in, dout, batch, g[0], g[1], din);
    Value<T> pooled = values[way.last + 1];  // positive or not
    pooled.maximum = values[way.pool + 1].maximum;
    conv_backward_spots<fused>(window, p[0], in, dout, pooled, batch, g[0], g[1], din);
}

template <bool fused, class T>
void layer_backward(const ModelSpec& spec, const std::vector<std::vector<std::uint32_t>>& shapes, std::size_t i,
                    const std::vector<const T*>& p, const std::vector<T*>& g, const Dropout& draw, std::size_t batch,
                    const std::vector<Value<T>>& values, const Value<T>& dout, Value<T>& din) {
    const LayerSpec& layer = spec.layers[i];
    const Value<T>& in = values[i];
    const Value<T>& out = values[i + 1];
    switch (layer.kind) {
        case LayerKind::dense: return dense_backward<fused>(p[0], in, dout, batch, g[0], g[1], din);
        case LayerKind::conv1d:
        case LayerKind::conv2d: return conv_gradients<fused>(spec, shapes, i, p, g, batch, values, in, dout, din);
        case LayerKind::conv_transpose1d: {
            const Value<T> wide = spread(in, layer.stride, batch);
            Value<T> dwide = wide;
            std::fill(dwide.data.begin(), dwide.data.end(), T{0});
            conv_gradients<fused>(spec, shapes, i, p, g, batch, values, wide, dout, dwide);
            return gather(dwide, layer.stride, din);
        }
        case LayerKind::max_pool1d:
        case LayerKind::max_pool2d:
            for (std::size_t x = 0; x < dout.data.size(); ++x) din.data[out.maximum[x]] = dout.data[x];
            return;
        case LayerKind::avg_pool1d:
        case LayerKind::avg_pool2d: return avg_pool_backward(layer, dout, batch, din);
        case LayerKind::relu:
        case LayerKind::tanh:
        case LayerKind::sigmoid:
        case LayerKind::gelu:
            for (std::size_t x = 0; x < dout.data.size(); ++x)
                din.data[x] = activation_backward(layer.kind, in.data[x], out.data[x], dout.data[x]);
            return;
        case LayerKind::flatten:
        case LayerKind::residual: din.data = dout.data; return;  // the other branch: reference_gradients
        case LayerKind::dropout: return dropout_pass(layer, i, draw, dout, batch, din);
        case LayerKind::embedding: return embedding_backward(layer, in, dout, batch, g[0]);
        case LayerKind::gru:
            return gru_backward<fused>(layer, GruTensors<const T>{p[0], p[1], p[2], p[3]}, in, dout, batch,
                                       GruTensors<T>{g[0], g[1], g[2], g[3]}, din);
        case LayerKind::group_norm:
        case LayerKind::layer_norm: return norm_backward(layer, p[0], in, dout, batch, g[0], g[1], din);
    }
}

}  // namespace reference

// As Model::gradients: returns the sum of the losses, `gradient` is that of their mean; of a slice (nn/training.hpp), that of
// their sum over `whole`, the size of its batch.
// REQUIRES: sizes that fit the spec, labels and words in range.
template <class T, bool fused = false>
Result<double> reference_gradients(const ModelSpec& spec, std::span<const T> parameters, std::span<const T> inputs,
                                   const LossSpec& loss, std::span<const Target> targets, std::span<T> gradient,
                                   const Dropout& draw = {}, std::size_t whole = 0) {
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    ENTENTE_ASSIGN(const Layout layout, infer_layout(spec));
    const std::size_t batch = targets.size();
    const std::size_t layers = spec.layers.size();
    std::vector<reference::Value<T>> values;
    for (const auto& shape : shapes) values.push_back(reference::make_value<T>(shape, batch));
    values[0].data.assign(inputs.begin(), inputs.end());

    // The tensors of each layer, in order.
    std::vector<std::vector<const T*>> p(layers);
    std::vector<std::vector<T*>> g(layers);
    std::size_t tensor = 0;
    for (std::size_t i = 0; i < layers; ++i) {
        const std::string prefix = spec.layers[i].name + ".";
        for (; tensor < layout.tensors.size() && !spec.layers[i].name.empty(); ++tensor) {
            if (layout.tensors[tensor].name.compare(0, prefix.size(), prefix) != 0) break;
            p[i].push_back(parameters.data() + layout.tensors[tensor].offset);
            g[i].push_back(gradient.data() + layout.tensors[tensor].offset);
        }
    }

    for (std::size_t i = 0; i < layers; ++i) reference::layer_forward<fused>(spec, shapes, i, p[i], draw, batch, values);

    std::vector<reference::Value<T>> grads(layers + 1);  // of each value
    grads[layers] = values.back();
    const double sum = reference::loss_of(loss, values.back(), targets, whole == 0 ? batch : whole, grads[layers]);
    for (std::size_t i = layers; i-- > 0;) {
        reference::Value<T>& din = grads[i];
        din = reference::make_value<T>(shapes[i], batch);
        reference::layer_backward<fused>(spec, shapes, i, p[i], g[i], draw, batch, values, grads[i + 1], din);
        for (std::size_t j = i + 1; j < layers; ++j) {
            if (spec.layers[j].kind != LayerKind::residual || spec.layers[j].skip != j - i) continue;
            for (std::size_t x = 0; x < din.data.size(); ++x) din.data[x] = din.data[x] + grads[j + 1].data[x];
        }
    }
    return sum;
}

// The same with softmax cross-entropy.
template <class T, bool fused = false>
Result<double> reference_gradients(const ModelSpec& spec, std::span<const T> parameters, std::span<const T> inputs,
                                   std::span<const std::uint32_t> labels, std::span<T> gradient, const Dropout& draw = {}) {
    std::vector<Target> targets;
    for (const std::uint32_t label : labels) targets.push_back({.label = label});
    return reference_gradients<T, fused>(spec, parameters, inputs, LossSpec{}, targets, gradient, draw);
}

}  // namespace entente::nn
