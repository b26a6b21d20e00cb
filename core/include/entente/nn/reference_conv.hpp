// Convolutions of the reference: direct, by Winograd, and the gradients behind a pool. See reference.hpp.
#pragma once

#include <algorithm>

#include "entente/nn/reference_value.hpp"

namespace entente::nn::reference {

// A window over channels-last pictures; one dimension is a picture of height 1.
struct Window {
    std::size_t high = 1;
    std::size_t wide = 1;
    std::size_t top = 0;  // zeros before
    std::size_t left = 0;
    std::size_t step_y = 1;
    std::size_t step_x = 1;
    std::size_t out = 0;  // channels

    // Index of the input's row or column under a tap, or -1 in the padding.
    template <class T>
    [[nodiscard]] std::ptrdiff_t under_y(std::size_t y, std::size_t tap, const Value<T>& in) const {
        return inside(static_cast<std::ptrdiff_t>(y * step_y + tap) - static_cast<std::ptrdiff_t>(top), in.shape[0]);
    }
    template <class T>
    [[nodiscard]] std::ptrdiff_t under_x(std::size_t x, std::size_t tap, const Value<T>& in) const {
        return inside(static_cast<std::ptrdiff_t>(x * step_x + tap) - static_cast<std::ptrdiff_t>(left), in.shape[1]);
    }
    // The other way round: the output whose tap, counted from the last, lies over the input, or -1.
    template <class T>
    [[nodiscard]] std::ptrdiff_t source_y(std::size_t y, std::size_t tap, const Value<T>& out_value) const {
        return source(y + tap, high - 1 - top, step_y, out_value.shape[0]);
    }
    template <class T>
    [[nodiscard]] std::ptrdiff_t source_x(std::size_t x, std::size_t tap, const Value<T>& out_value) const {
        return source(x + tap, wide - 1 - left, step_x, out_value.shape[1]);
    }

private:
    static std::ptrdiff_t inside(std::ptrdiff_t at, std::size_t extent) {
        return at >= 0 && at < static_cast<std::ptrdiff_t>(extent) ? at : -1;
    }
    static std::ptrdiff_t source(std::size_t at, std::size_t behind, std::size_t step, std::size_t extent) {
        if (at < behind || (at - behind) % step != 0) return -1;
        return inside(static_cast<std::ptrdiff_t>((at - behind) / step), extent);
    }
};

inline Window window_of(const LayerSpec& layer) {
    Window w;
    w.wide = layer.kernel;
    w.step_x = layer.stride;
    w.left = layer.same_padding ? (layer.kernel - 1) / 2 : 0;
    if (layer.kind == LayerKind::conv2d) {
        w.high = w.wide;
        w.step_y = w.step_x;
        w.top = w.left;
    }
    if (layer.kind == LayerKind::conv_transpose1d) {
        w.step_x = 1;
        w.left = w.wide - 1 - (layer.same_padding ? (layer.kernel - layer.stride) / 2 : 0);
    }
    w.out = layer.units;
    return w;
}

// conv_transpose1d: a convolution over the input with stride - 1 zeros between neighbours.
template <class T>
Value<T> spread(const Value<T>& in, std::size_t stride, std::size_t batch) {
    Value<T> out;
    out.shape = {1, (in.shape[1] - 1) * stride + 1, in.shape[2]};
    out.data.assign(batch * out.features(), T{0});
    for (std::size_t i = 0; i < in.data.size(); ++i) {
        const std::size_t b = i / in.features(), x = i % in.features() / in.shape[2], c = i % in.shape[2];
        out.data[out.at(b, 0, x * stride, c)] = in.data[i];
    }
    return out;
}
template <class T>
void gather(const Value<T>& spread, std::size_t stride, Value<T>& out) {
    for (std::size_t i = 0; i < out.data.size(); ++i) {
        const std::size_t b = i / out.features(), x = i % out.features() / out.shape[2], c = i % out.shape[2];
        out.data[i] = spread.data[spread.at(b, 0, x * stride, c)];
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
    const LayerSpec& conv = spec.layers[i];
    const LayerKind max_pool = conv.kind == LayerKind::conv2d ? LayerKind::max_pool2d : LayerKind::max_pool1d;
    bool relu = false;
    for (way.last = i; way.last + 1 < spec.layers.size(); ++way.last) {
        const LayerSpec& next = spec.layers[way.last + 1];
        if (starts_residual(spec.layers, way.last + 1)) break;
        if (next.kind == LayerKind::relu && !relu) {
            relu = true;
        } else if (next.kind == max_pool && next.pool > 1 && way.pool == 0) {
            way.pool = way.last + 1;
        } else {
            break;
        }
    }
    const std::uint32_t channels = shapes[i].back();
    const std::vector<std::uint32_t>& out = shapes[i + 1];
    way.spots = way.pool != 0 && relu && conv.kernel * channels % 16 == 0;
    way.winograd = way.spots && conv.kind == LayerKind::conv2d && conv.kernel == 5 && conv.stride == 1 &&
                   spec.layers[way.pool].pool == 2 && channels % 16 == 0 && conv.units % 16 == 0 && out[0] % 2 == 0 &&
                   out[1] % 2 == 0;
    return way;
}

template <bool fused, class T>
void conv_forward(const Window& window, const T* w, const T* bias, const Value<T>& in, std::size_t batch,
                  Value<T>& out) {
    const std::size_t channels = in.shape[2];
    for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t y = 0; y < out.shape[0]; ++y)
            for (std::size_t x = 0; x < out.shape[1]; ++x)
                for (std::size_t o = 0; o < window.out; ++o) {
                    T sum = bias[o];
                    for (std::size_t ky = 0; ky < window.high; ++ky)
                        for (std::size_t kx = 0; kx < window.wide; ++kx)
                            for (std::size_t c = 0; c < channels; ++c)
                                sum = mac<fused>(sum,
                                                 picture(in, b, window.under_y(y, ky, in),
                                                         window.under_x(x, kx, in), c),
                                                 w[((o * window.high + ky) * window.wide + kx) * channels + c]);
                    out.data[out.at(b, y, x, o)] = sum;
                }
}

template <bool fused, class T>
void conv_backward(const Window& window, const T* w, const Value<T>& in, const Value<T>& dout,
                   std::size_t batch, T* dw, T* dbias, Value<T>& din) {
    const std::size_t channels = in.shape[2];
    for (std::size_t o = 0; o < window.out; ++o) {
        T bias_sum{0};
        for (std::size_t i = o; i < batch * dout.shape[0] * dout.shape[1] * window.out; i += window.out)
            bias_sum = bias_sum + dout.data[i];
        dbias[o] = bias_sum;
        for (std::size_t ky = 0; ky < window.high; ++ky)
            for (std::size_t kx = 0; kx < window.wide; ++kx)
                for (std::size_t c = 0; c < channels; ++c) {
                    T sum{0};
                    for (std::size_t b = 0; b < batch; ++b)
                        for (std::size_t y = 0; y < dout.shape[0]; ++y)
                            for (std::size_t x = 0; x < dout.shape[1]; ++x)
                                sum = mac<fused>(sum,
                                                 picture(in, b, window.under_y(y, ky, in),
                                                         window.under_x(x, kx, in), c),
                                                 dout.data[dout.at(b, y, x, o)]);
                    dw[((o * window.high + ky) * window.wide + kx) * channels + c] = sum;
                }
    }
    for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t y = 0; y < in.shape[0]; ++y)
            for (std::size_t x = 0; x < in.shape[1]; ++x)
                for (std::size_t c = 0; c < channels; ++c) {
                    T sum{0};
                    // Source pixels ascending: the taps run backwards.
                    for (std::size_t fy = 0; fy < window.high; ++fy)
                        for (std::size_t fx = 0; fx < window.wide; ++fx)
                            for (std::size_t o = 0; o < window.out; ++o)
                                sum = mac<fused>(
                                    sum,
                                    picture(dout, b, window.source_y(y, fy, dout),
                                            window.source_x(x, fx, dout), o),
                                    w[((o * window.high + window.high - 1 - fy) * window.wide + window.wide - 1 - fx) * channels + c]);
                    din.data[din.at(b, y, x, c)] = sum;
                }
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
void conv_forward_winograd(const Window& window, const T* w, const T* bias, const Value<T>& in, std::size_t batch,
                           Value<T>& out) {
    const std::size_t channels = in.shape[2];
    using Square = std::array<std::array<T, 6>, 6>;
    for (std::size_t o = 0; o < window.out; ++o) {
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
                                pixels[y][x] = picture(in, b, window.under_y(ty, y, in), window.under_x(tx, x, in), c);
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
void conv_backward_spots(const Window& window, const T* w, const Value<T>& in, const Value<T>& dout,
                         const Value<T>& pooled, std::size_t batch, T* dw, T* dbias, Value<T>& din) {
    const std::size_t channels = in.shape[2];
    const std::size_t taps = window.high * window.wide * channels;
    const auto each_spot = [&](std::size_t b, std::size_t o, const auto& visit) {
        for (std::size_t x = 0; x < pooled.shape[1]; ++x)
            for (std::size_t y = 0; y < pooled.shape[0]; ++y) {
                if (!(pooled.data[pooled.at(b, y, x, o)] > T{0})) continue;
                const std::size_t at = pooled.maximum[pooled.at(b, y, x, o)];
                const std::size_t pixel = at / window.out % (std::size_t{dout.shape[0]} * dout.shape[1]);
                visit(pixel / dout.shape[1], pixel % dout.shape[1], dout.data[at]);
            }
    };
    for (std::size_t o = 0; o < window.out; ++o) {
        T* const gradient = dw + o * taps;
        std::fill_n(gradient, taps, T{0});
        dbias[o] = T{0};
        for (std::size_t b = 0; b < batch; ++b)
            each_spot(b, o, [&](std::size_t y, std::size_t x, T value) {
                dbias[o] = dbias[o] + value;
                for (std::size_t ky = 0; ky < window.high; ++ky)
                    for (std::size_t kx = 0; kx < window.wide; ++kx)
                        for (std::size_t c = 0; c < channels; ++c) {
                            T& sum = gradient[(ky * window.wide + kx) * channels + c];
                            sum = mac<fused>(sum, picture(in, b, window.under_y(y, ky, in), window.under_x(x, kx, in), c), value);
                        }
            });
    }
    for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t o = 0; o < window.out; ++o) {
            for (std::size_t y = 0; y < dout.shape[0]; ++y)  // source pixels ascending
                for (std::size_t x = 0; x < dout.shape[1]; ++x) {
                    bool spot = false;
                    each_spot(b, o, [&](std::size_t sy, std::size_t sx, T) { spot = spot || (sy == y && sx == x); });
                    if (!spot) continue;
                    for (std::size_t ky = 0; ky < window.high; ++ky)
                        for (std::size_t kx = 0; kx < window.wide; ++kx) {
                            const std::ptrdiff_t iy = window.under_y(y, ky, in);
                            const std::ptrdiff_t ix = window.under_x(x, kx, in);
                            if (iy < 0 || ix < 0) continue;
                            for (std::size_t c = 0; c < channels; ++c) {
                                T& sum = din.data[din.at(b, static_cast<std::size_t>(iy), static_cast<std::size_t>(ix), c)];
                                sum = mac<fused>(sum, dout.data[dout.at(b, y, x, o)], w[((o * window.high + ky) * window.wide + kx) * channels + c]);
                            }
                        }
                }
        }
}

}  // namespace entente::nn::reference
