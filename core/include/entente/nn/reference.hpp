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

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "entente/base/math.hpp"
#include "entente/nn/model_spec.hpp"

namespace entente::nn {

namespace reference {

// One step of a sum.
template <bool fused, class T>
T mac(T c, T a, T b) {
    if constexpr (fused)
        return std::fma(a, b, c);
    else
        return c + a * b;
}

template <class T>
struct Value {
    std::vector<T> data;               // [batch, shape]
    std::vector<std::uint32_t> shape;  // of one example
    std::vector<std::size_t> maximum;  // max_pool2d: position of the maximum in the layer's input

    [[nodiscard]] std::size_t at(std::size_t b, std::size_t y, std::size_t x, std::size_t c) const {
        return ((b * shape[0] + y) * shape[1] + x) * shape[2] + c;
    }
};

// Index of a picture's row or column under a tap, or -1 in the padding.
inline std::ptrdiff_t under(std::size_t out, std::size_t tap, std::size_t before, std::size_t extent) {
    const auto in = static_cast<std::ptrdiff_t>(out + tap) - static_cast<std::ptrdiff_t>(before);
    return in >= 0 && in < static_cast<std::ptrdiff_t>(extent) ? in : -1;
}

inline std::size_t padding_before(const LayerSpec& layer) {
    return layer.same_padding ? (layer.kernel - 1) / 2 : 0;
}

template <class T>
T picture(const Value<T>& v, std::size_t b, std::ptrdiff_t y, std::ptrdiff_t x, std::size_t c) {
    if (y < 0 || x < 0) return T{0};
    return v.data[v.at(b, static_cast<std::size_t>(y), static_cast<std::size_t>(x), c)];
}

template <bool fused, class T>
void dense_forward(const T* w, const T* bias, const Value<T>& in, std::size_t batch, Value<T>& out) {
    const std::size_t inputs = in.shape[0];
    const std::size_t units = out.shape[0];
    for (std::size_t b = 0; b < batch; ++b) {
        for (std::size_t o = 0; o < units; ++o) {
            T sum = bias[o];
            for (std::size_t i = 0; i < inputs; ++i) sum = mac<fused>(sum, in.data[b * inputs + i], w[i * units + o]);
            out.data[b * units + o] = sum;
        }
    }
}

template <bool fused, class T>
void dense_backward(const T* w, const Value<T>& in, const Value<T>& dout, std::size_t batch, T* dw, T* dbias,
                    Value<T>& din) {
    const std::size_t inputs = in.shape[0];
    const std::size_t units = dout.shape[0];
    for (std::size_t o = 0; o < units; ++o) {
        for (std::size_t i = 0; i < inputs; ++i) {
            T sum{0};
            for (std::size_t b = 0; b < batch; ++b)
                sum = mac<fused>(sum, in.data[b * inputs + i], dout.data[b * units + o]);
            dw[i * units + o] = sum;
        }
        T sum{0};
        for (std::size_t b = 0; b < batch; ++b) sum = sum + dout.data[b * units + o];
        dbias[o] = sum;
    }
    for (std::size_t b = 0; b < batch; ++b) {
        for (std::size_t i = 0; i < inputs; ++i) {
            T sum{0};
            for (std::size_t o = 0; o < units; ++o) sum = mac<fused>(sum, w[i * units + o], dout.data[b * units + o]);
            din.data[b * inputs + i] = sum;
        }
    }
}

template <bool fused, class T>
void conv_forward(const LayerSpec& layer, const T* w, const T* bias, const Value<T>& in, std::size_t batch,
                  Value<T>& out) {
    const std::size_t side = layer.kernel;
    const std::size_t channels = in.shape[2];
    const std::size_t before = padding_before(layer);
    for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t y = 0; y < out.shape[0]; ++y)
            for (std::size_t x = 0; x < out.shape[1]; ++x)
                for (std::size_t o = 0; o < layer.units; ++o) {
                    T sum = bias[o];
                    for (std::size_t ky = 0; ky < side; ++ky)
                        for (std::size_t kx = 0; kx < side; ++kx)
                            for (std::size_t c = 0; c < channels; ++c)
                                sum = mac<fused>(sum,
                                                 picture(in, b, under(y, ky, before, in.shape[0]),
                                                         under(x, kx, before, in.shape[1]), c),
                                                 w[((o * side + ky) * side + kx) * channels + c]);
                    out.data[out.at(b, y, x, o)] = sum;
                }
}

template <bool fused, class T>
void conv_backward(const LayerSpec& layer, const T* w, const Value<T>& in, const Value<T>& dout,
                   std::size_t batch, T* dw, T* dbias, Value<T>& din) {
    const std::size_t side = layer.kernel;
    const std::size_t channels = in.shape[2];
    const std::size_t before = padding_before(layer);
    for (std::size_t o = 0; o < layer.units; ++o) {
        T bias_sum{0};
        for (std::size_t i = o; i < batch * dout.shape[0] * dout.shape[1] * layer.units; i += layer.units)
            bias_sum = bias_sum + dout.data[i];
        dbias[o] = bias_sum;
        for (std::size_t ky = 0; ky < side; ++ky)
            for (std::size_t kx = 0; kx < side; ++kx)
                for (std::size_t c = 0; c < channels; ++c) {
                    T sum{0};
                    for (std::size_t b = 0; b < batch; ++b)
                        for (std::size_t y = 0; y < dout.shape[0]; ++y)
                            for (std::size_t x = 0; x < dout.shape[1]; ++x)
                                sum = mac<fused>(sum,
                                                 picture(in, b, under(y, ky, before, in.shape[0]),
                                                         under(x, kx, before, in.shape[1]), c),
                                                 dout.data[dout.at(b, y, x, o)]);
                    dw[((o * side + ky) * side + kx) * channels + c] = sum;
                }
    }
    const std::size_t behind = side - 1 - before;
    for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t y = 0; y < in.shape[0]; ++y)
            for (std::size_t x = 0; x < in.shape[1]; ++x)
                for (std::size_t c = 0; c < channels; ++c) {
                    T sum{0};
                    // Source pixels ascending: the taps run backwards.
                    for (std::size_t fy = 0; fy < side; ++fy)
                        for (std::size_t fx = 0; fx < side; ++fx)
                            for (std::size_t o = 0; o < layer.units; ++o)
                                sum = mac<fused>(
                                    sum,
                                    picture(dout, b, under(y, fy, behind, dout.shape[0]),
                                            under(x, fx, behind, dout.shape[1]), o),
                                    w[((o * side + side - 1 - fy) * side + side - 1 - fx) * channels + c]);
                    din.data[din.at(b, y, x, c)] = sum;
                }
}

// How a convolution is computed, from its shape and what stands behind it; see model.hpp.
struct ConvWay {
    std::size_t pool = 0;  // layer behind which the spots are known: the max pool
    std::size_t last = 0;  // the last of the layers that count as one
    bool spots = false;
    bool winograd = false;
};

inline ConvWay conv_way(const ModelSpec& spec, const std::vector<std::vector<std::uint32_t>>& shapes, std::size_t i) {
    ConvWay way;
    bool relu = false;
    for (way.last = i; way.last + 1 < spec.layers.size(); ++way.last) {
        const LayerSpec& next = spec.layers[way.last + 1];
        if (next.kind == LayerKind::relu && !relu) {
            relu = true;
        } else if (next.kind == LayerKind::max_pool2d && next.pool > 1 && way.pool == 0) {
            way.pool = way.last + 1;
        } else {
            break;
        }
    }
    const LayerSpec& conv = spec.layers[i];
    const std::uint32_t channels = shapes[i][2];
    way.spots = way.pool != 0 && relu && conv.kernel * channels % 16 == 0;
    way.winograd = way.spots && conv.kernel == 5 && spec.layers[way.pool].pool == 2 && channels % 16 == 0 &&
                   conv.units % 16 == 0 && shapes[i + 1][0] % 2 == 0 && shapes[i + 1][1] % 2 == 0;
    return way;
}

// Lavin and Gray's matrices for F(2, 5), written as polynomials of even and odd parts.
template <class T>
std::array<T, 6> winograd_weights(const std::array<T, 5>& g) {
    const T even = (g[0] + g[2]) + g[4];
    const T odd = g[1] + g[3];
    const T even2 = (g[0] + T(4) * g[2]) + T(16) * g[4];
    const T odd2 = T(2) * g[1] + T(8) * g[3];
    const T sixth = T(-1) / T(6);
    const T small = T(1) / T(24);
    return {T(0.25) * g[0], sixth * (even + odd), sixth * (even - odd), small * (even2 + odd2), small * (even2 - odd2), g[4]};
}
template <class T>
std::array<T, 6> winograd_input(const std::array<T, 6>& d) {
    const T a = d[4] - T(4) * d[2];
    const T b = d[3] - T(4) * d[1];
    const T c = d[4] - d[2];
    const T e = T(2) * (d[3] - d[1]);
    return {(T(4) * d[0] - T(5) * d[2]) + d[4], a + b, a - b, c + e, c - e, (T(4) * d[1] - T(5) * d[3]) + d[5]};
}
template <class T>
std::array<T, 2> winograd_output(const std::array<T, 6>& m) {
    const T d12 = m[1] - m[2];
    const T d34 = m[3] - m[4];
    return {(m[0] + (m[1] + m[2])) + (m[3] + m[4]), (d12 + T(2) * d34) + m[5]};
}
// Both dimensions: first along the columns (y), then along the rows (x).
template <std::size_t n, std::size_t m, class T, class F>
std::array<std::array<T, m>, m> winograd_square(const std::array<std::array<T, n>, n>& in, const F& transform) {
    std::array<std::array<T, n>, m> half{};
    for (std::size_t x = 0; x < n; ++x) {
        std::array<T, n> column{};
        for (std::size_t y = 0; y < n; ++y) column[y] = in[y][x];
        const std::array<T, m> turned = transform(column);
        for (std::size_t y = 0; y < m; ++y) half[y][x] = turned[y];
    }
    std::array<std::array<T, m>, m> out{};
    for (std::size_t y = 0; y < m; ++y) out[y] = transform(half[y]);
    return out;
}

template <bool fused, class T>
void conv_forward_winograd(const LayerSpec& layer, const T* w, const T* bias, const Value<T>& in, std::size_t batch,
                           Value<T>& out) {
    const std::size_t channels = in.shape[2];
    const std::size_t before = padding_before(layer);
    using Square = std::array<std::array<T, 6>, 6>;
    for (std::size_t o = 0; o < layer.units; ++o) {
        std::vector<Square> weights(channels);
        for (std::size_t c = 0; c < channels; ++c) {
            std::array<std::array<T, 5>, 5> taps{};
            for (std::size_t ky = 0; ky < 5; ++ky)
                for (std::size_t kx = 0; kx < 5; ++kx) taps[ky][kx] = w[((o * 5 + ky) * 5 + kx) * channels + c];
            weights[c] = winograd_square<5, 6>(taps, winograd_weights<T>);
        }
        for (std::size_t b = 0; b < batch; ++b)
            for (std::size_t ty = 0; ty < out.shape[0]; ty += 2)
                for (std::size_t tx = 0; tx < out.shape[1]; tx += 2) {
                    Square sum{};
                    for (std::size_t c = 0; c < channels; ++c) {
                        Square pixels{};
                        for (std::size_t y = 0; y < 6; ++y)
                            for (std::size_t x = 0; x < 6; ++x)
                                pixels[y][x] = picture(in, b, under(ty, y, before, in.shape[0]), under(tx, x, before, in.shape[1]), c);
                        const Square turned = winograd_square<6, 6>(pixels, winograd_input<T>);
                        for (std::size_t y = 0; y < 6; ++y)
                            for (std::size_t x = 0; x < 6; ++x) sum[y][x] = mac<fused>(sum[y][x], turned[y][x], weights[c][y][x]);
                    }
                    const auto result = winograd_square<6, 2>(sum, winograd_output<T>);
                    for (std::size_t y = 0; y < 2; ++y)
                        for (std::size_t x = 0; x < 2; ++x) out.data[out.at(b, ty + y, tx + x, o)] = result[y][x] + bias[o];
                }
    }
}

// The gradients of a convolution of which only the maxima of pooled windows count: `maximum` and `pooled` are the
// pool's, dout the gradient of the convolution's output.
template <bool fused, class T>
void conv_backward_spots(const LayerSpec& layer, const T* w, const Value<T>& in, const Value<T>& dout,
                         const Value<T>& pooled, std::size_t batch, T* dw, T* dbias, Value<T>& din) {
    const std::size_t side = layer.kernel;
    const std::size_t channels = in.shape[2];
    const std::size_t before = padding_before(layer);
    const auto each_spot = [&](std::size_t b, std::size_t o, const auto& visit) {
        for (std::size_t x = 0; x < pooled.shape[1]; ++x)
            for (std::size_t y = 0; y < pooled.shape[0]; ++y) {
                if (!(pooled.data[pooled.at(b, y, x, o)] > T{0})) continue;
                const std::size_t at = pooled.maximum[pooled.at(b, y, x, o)];
                const std::size_t pixel = at / layer.units % (std::size_t{dout.shape[0]} * dout.shape[1]);
                visit(pixel / dout.shape[1], pixel % dout.shape[1], dout.data[at]);
            }
    };
    for (std::size_t o = 0; o < layer.units; ++o) {
        T* const gradient = dw + o * side * side * channels;
        std::fill_n(gradient, side * side * channels, T{0});
        dbias[o] = T{0};
        for (std::size_t b = 0; b < batch; ++b)
            each_spot(b, o, [&](std::size_t y, std::size_t x, T value) {
                dbias[o] = dbias[o] + value;
                for (std::size_t ky = 0; ky < side; ++ky)
                    for (std::size_t kx = 0; kx < side; ++kx)
                        for (std::size_t c = 0; c < channels; ++c) {
                            T& sum = gradient[(ky * side + kx) * channels + c];
                            sum = mac<fused>(sum, picture(in, b, under(y, ky, before, in.shape[0]), under(x, kx, before, in.shape[1]), c), value);
                        }
            });
    }
    for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t o = 0; o < layer.units; ++o) {
            for (std::size_t y = 0; y < dout.shape[0]; ++y)  // source pixels ascending
                for (std::size_t x = 0; x < dout.shape[1]; ++x) {
                    bool spot = false;
                    each_spot(b, o, [&](std::size_t sy, std::size_t sx, T) { spot = spot || (sy == y && sx == x); });
                    if (!spot) continue;
                    for (std::size_t ky = 0; ky < side; ++ky)
                        for (std::size_t kx = 0; kx < side; ++kx) {
                            const std::ptrdiff_t iy = under(y, ky, before, in.shape[0]);
                            const std::ptrdiff_t ix = under(x, kx, before, in.shape[1]);
                            if (iy < 0 || ix < 0) continue;
                            for (std::size_t c = 0; c < channels; ++c) {
                                T& sum = din.data[din.at(b, static_cast<std::size_t>(iy), static_cast<std::size_t>(ix), c)];
                                sum = mac<fused>(sum, dout.data[dout.at(b, y, x, o)], w[((o * side + ky) * side + kx) * channels + c]);
                            }
                        }
                }
        }
}

template <class T>
void pool_forward(const LayerSpec& layer, const Value<T>& in, std::size_t batch, Value<T>& out) {
    out.maximum.resize(out.data.size());
    for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t y = 0; y < out.shape[0]; ++y)
            for (std::size_t x = 0; x < out.shape[1]; ++x)
                for (std::size_t c = 0; c < out.shape[2]; ++c) {
                    std::size_t best = in.at(b, y * layer.pool, x * layer.pool, c);
                    for (std::size_t q = 0; q < std::size_t{layer.pool} * layer.pool; ++q) {
                        const std::size_t at =
                            in.at(b, y * layer.pool + q / layer.pool, x * layer.pool + q % layer.pool, c);
                        if (in.data[at] > in.data[best]) best = at;
                    }
                    out.data[out.at(b, y, x, c)] = in.data[best];
                    out.maximum[out.at(b, y, x, c)] = best;
                }
}

// exp and log of the number type: the project's own for float, so that bits agree with Model.
template <class T>
T exponential(T x) {
    if constexpr (std::is_same_v<T, float>)
        return math::exp(x);
    else
        return std::exp(x);
}
template <class T>
T logarithm(T x) {
    if constexpr (std::is_same_v<T, float>)
        return math::log(x);
    else
        return std::log(x);
}

template <class T>
double cross_entropy(const Value<T>& logits, std::span<const std::uint32_t> labels, Value<T>& gradient) {
    const std::size_t classes = logits.shape[0];
    const T factor = T{1} / static_cast<T>(labels.size());
    double loss = 0.0;
    for (std::size_t b = 0; b < labels.size(); ++b) {
        const T* z = logits.data.data() + b * classes;
        T top = z[0];
        for (std::size_t j = 1; j < classes; ++j) top = z[j] > top ? z[j] : top;
        T sum{0};
        for (std::size_t j = 0; j < classes; ++j) sum = sum + exponential(z[j] - top);
        for (std::size_t j = 0; j < classes; ++j) {
            const T p = exponential(z[j] - top) / sum;
            gradient.data[b * classes + j] = (j == labels[b] ? p - T{1} : p) * factor;
        }
        loss += static_cast<double>(logarithm(sum)) - static_cast<double>(z[labels[b]] - top);
    }
    return loss;
}

}  // namespace reference

// As Model::gradients: returns the sum of the losses, `gradient` is that of their mean.
// REQUIRES: sizes that fit the spec, labels in range.
template <class T, bool fused = false>
Result<double> reference_gradients(const ModelSpec& spec, std::span<const T> parameters,
                                   std::span<const T> inputs, std::span<const std::uint32_t> labels,
                                   std::span<T> gradient) {
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    ENTENTE_ASSIGN(const Layout layout, infer_layout(spec));
    const std::size_t batch = labels.size();
    std::vector<reference::Value<T>> values(shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        std::size_t size = batch;
        for (const std::uint32_t extent : shapes[i]) size *= extent;
        values[i].shape = shapes[i];
        values[i].data.resize(size);
    }
    values[0].data.assign(inputs.begin(), inputs.end());

    // Offsets of each layer's weight and bias; layers without parameters get none.
    std::vector<std::size_t> weight(spec.layers.size());
    std::vector<std::size_t> bias(spec.layers.size());
    std::size_t tensor = 0;
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        if (spec.layers[i].kind != LayerKind::dense && spec.layers[i].kind != LayerKind::conv2d) continue;
        weight[i] = static_cast<std::size_t>(layout.tensors[tensor++].offset);
        bias[i] = static_cast<std::size_t>(layout.tensors[tensor++].offset);
    }

    const T* p = parameters.data();
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        const LayerSpec& layer = spec.layers[i];
        const auto& in = values[i];
        auto& out = values[i + 1];
        switch (layer.kind) {
            case LayerKind::dense:
                reference::dense_forward<fused>(p + weight[i], p + bias[i], in, batch, out);
                break;
            case LayerKind::conv2d:
                if (reference::conv_way(spec, shapes, i).winograd)
                    reference::conv_forward_winograd<fused>(layer, p + weight[i], p + bias[i], in, batch, out);
                else
                    reference::conv_forward<fused>(layer, p + weight[i], p + bias[i], in, batch, out);
                break;
            case LayerKind::max_pool2d: reference::pool_forward(layer, in, batch, out); break;
            case LayerKind::relu:
                for (std::size_t x = 0; x < in.data.size(); ++x)
                    out.data[x] = in.data[x] > T{0} ? in.data[x] : T{0};
                break;
            case LayerKind::flatten: out.data = in.data; break;
        }
    }

    auto dout = values.back();
    const double loss = reference::cross_entropy(values.back(), labels, dout);
    T* g = gradient.data();
    for (std::size_t i = spec.layers.size(); i-- > 0;) {
        const LayerSpec& layer = spec.layers[i];
        const auto& in = values[i];
        reference::Value<T> din;
        din.shape = in.shape;
        din.data.assign(in.data.size(), T{0});
        switch (layer.kind) {
            case LayerKind::dense:
                reference::dense_backward<fused>(p + weight[i], in, dout, batch, g + weight[i], g + bias[i], din);
                break;
            case LayerKind::conv2d: {
                const auto way = reference::conv_way(spec, shapes, i);
                if (way.spots) {
                    reference::Value<T> pooled = values[way.last + 1];  // positive or not
                    pooled.maximum = values[way.pool + 1].maximum;
                    reference::conv_backward_spots<fused>(layer, p + weight[i], in, dout, pooled, batch, g + weight[i],
                                                          g + bias[i], din);
                } else {
                    reference::conv_backward<fused>(layer, p + weight[i], in, dout, batch, g + weight[i], g + bias[i], din);
                }
                break;
            }
            case LayerKind::max_pool2d:
                for (std::size_t x = 0; x < dout.data.size(); ++x)
                    din.data[values[i + 1].maximum[x]] = dout.data[x];
                break;
            case LayerKind::relu:
                for (std::size_t x = 0; x < dout.data.size(); ++x)
                    din.data[x] = values[i + 1].data[x] > T{0} ? dout.data[x] : T{0};
                break;
            case LayerKind::flatten: din.data = dout.data; break;
        }
        dout = std::move(din);
    }
    return loss;
}

}  // namespace entente::nn
