// The layers of the reference without windows' weights: dense, embedding, pools, activations, dropout, norms. See
// reference.hpp; docs/models.md has the equations.
#pragma once

#include <algorithm>

#include "entente/base/philox.hpp"
#include "entente/nn/dropout.hpp"
#include "entente/nn/reference_value.hpp"

namespace entente::nn::reference {

template <bool fused, class T>
void dense_forward(const T* w, const T* bias, const Value<T>& in, std::size_t batch, Value<T>& out) {
    const std::size_t inputs = in.features();
    const std::size_t units = out.features();
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
    const std::size_t inputs = in.features();
    const std::size_t units = dout.features();
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

template <class T>
void embedding_forward(const T* w, const Value<T>& in, std::size_t batch, Value<T>& out) {
    const std::size_t units = out.shape[2];
    for (std::size_t i = 0; i < batch * in.features(); ++i)
        for (std::size_t c = 0; c < units; ++c) out.data[i * units + c] = w[static_cast<std::size_t>(in.data[i]) * units + c];
}

template <class T>
void embedding_backward(const LayerSpec& layer, const Value<T>& in, const Value<T>& dout, std::size_t batch, T* dw) {
    const std::size_t units = dout.shape[2];
    std::fill_n(dw, std::size_t{layer.vocabulary} * units, T{0});
    for (std::size_t i = 0; i < batch * in.features(); ++i)
        for (std::size_t c = 0; c < units; ++c) {
            T& sum = dw[static_cast<std::size_t>(in.data[i]) * units + c];
            sum = sum + dout.data[i * units + c];
        }
}

// Visits the pixels of the window over output pixel (y, x), row-major: of a sequence, along its length alone.
template <class T, class Visit>
void each_in_window(const LayerSpec& layer, const Value<T>& in, std::size_t b, std::size_t y, std::size_t x, std::size_t c,
                    const Visit& visit) {
    const bool one = layer.kind == LayerKind::max_pool1d || layer.kind == LayerKind::avg_pool1d;
    const std::size_t high = one ? 1 : layer.pool;
    for (std::size_t v = 0; v < high; ++v)
        for (std::size_t u = 0; u < layer.pool; ++u) visit(in.at(b, y * high + v, x * layer.pool + u, c));
}

template <class T, class Visit>
void each_output(const Value<T>& out, std::size_t batch, const Visit& visit) {
    for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t y = 0; y < out.shape[0]; ++y)
            for (std::size_t x = 0; x < out.shape[1]; ++x)
                for (std::size_t c = 0; c < out.shape[2]; ++c) visit(b, y, x, c);
}

template <class T>
void max_pool_forward(const LayerSpec& layer, const Value<T>& in, std::size_t batch, Value<T>& out) {
    out.maximum.resize(out.data.size());
    each_output(out, batch, [&](std::size_t b, std::size_t y, std::size_t x, std::size_t c) {
        std::size_t best = static_cast<std::size_t>(-1);
        each_in_window(layer, in, b, y, x, c, [&](std::size_t at) {
            if (best == static_cast<std::size_t>(-1) || in.data[at] > in.data[best]) best = at;
        });
        out.data[out.at(b, y, x, c)] = in.data[best];
        out.maximum[out.at(b, y, x, c)] = best;
    });
}

// The share of one pixel of a window.
template <class T>
T window_share(const LayerSpec& layer) {
    const std::size_t pixels = std::size_t{layer.pool} * (layer.kind == LayerKind::avg_pool1d ? 1 : layer.pool);
    return T{1} / static_cast<T>(pixels);
}

template <class T>
void avg_pool_forward(const LayerSpec& layer, const Value<T>& in, std::size_t batch, Value<T>& out) {
    each_output(out, batch, [&](std::size_t b, std::size_t y, std::size_t x, std::size_t c) {
        T sum{0};
        each_in_window(layer, in, b, y, x, c, [&](std::size_t at) { sum = sum + in.data[at]; });
        out.data[out.at(b, y, x, c)] = sum * window_share<T>(layer);
    });
}

template <class T>
void avg_pool_backward(const LayerSpec& layer, const Value<T>& dout, std::size_t batch, Value<T>& din) {
    each_output(dout, batch, [&](std::size_t b, std::size_t y, std::size_t x, std::size_t c) {
        const T share = dout.data[dout.at(b, y, x, c)] * window_share<T>(layer);
        each_in_window(layer, din, b, y, x, c, [&](std::size_t at) { din.data[at] = share; });
    });
}

// The tanh form of Hendrycks and Gimpel 2016 (arXiv 1606.08415, section 2).
template <class T>
T gelu_tanh(T x) {
    return hyperbolic_tangent(T(0.7978845608028654) * (x + T(0.044715) * (x * x * x)));
}
template <class T>
T activation(LayerKind kind, T x) {
    switch (kind) {
        case LayerKind::tanh: return hyperbolic_tangent(x);
        case LayerKind::sigmoid: return logistic(x);
        case LayerKind::gelu: return (T(0.5) * x) * (T{1} + gelu_tanh(x));
        default: return x > T{0} ? x : T{0};
    }
}
// dy times the derivative at x, y being the activation.
template <class T>
T activation_backward(LayerKind kind, T x, T y, T dy) {
    switch (kind) {
        case LayerKind::tanh: return dy * (T{1} - y * y);
        case LayerKind::sigmoid: return dy * (y * (T{1} - y));
        case LayerKind::gelu: {
            const T t = gelu_tanh(x);
            const T slope = T(0.7978845608028654) * (T{1} + T(0.134145) * (x * x));
            return dy * (T(0.5) * (T{1} + t) + (T(0.5) * x) * ((T{1} - t * t) * slope));
        }
        default: return y > T{0} ? dy : T{0};
    }
}

// Backward is forward on the gradient.
template <class T>
void dropout_pass(const LayerSpec& layer, std::size_t number, const Dropout& draw, const Value<T>& in, std::size_t batch,
                  Value<T>& out) {
    const T scale = T{1} / (T{1} - static_cast<T>(layer.rate));
    const std::size_t features = in.features();
    for (std::size_t b = 0; b < batch; ++b) {
        Philox random = dropout_bits(draw, number, b, features);
        for (std::size_t i = 0; i < features; ++i) {
            const bool kept = random.uniform() >= layer.rate;
            out.data[b * features + i] = kept ? in.data[b * features + i] * scale : T{0};
        }
    }
}

inline constexpr double norm_epsilon = 1e-5;

// Visits the sets of an example that are normalised together: layer_norm the channels of a pixel, group_norm all
// pixels of a group of channels. `one(visit)` calls visit(position in data, channel), pixels outside.
template <class T, class Set>
void each_norm_set(const LayerSpec& layer, const Value<T>& v, std::size_t b, const Set& set) {
    const std::size_t channels = v.shape[2];
    const bool by_pixel = layer.kind == LayerKind::layer_norm;
    const std::size_t sets = by_pixel ? v.pixels() : layer.groups;
    const std::size_t width = by_pixel ? channels : channels / layer.groups;
    for (std::size_t s = 0; s < sets; ++s)
        set([&](const auto& visit) {
            for (std::size_t p = by_pixel ? s : 0; p < (by_pixel ? s + 1 : v.pixels()); ++p)
                for (std::size_t c = by_pixel ? 0 : s * width; c < (by_pixel ? channels : (s + 1) * width); ++c)
                    visit((b * v.pixels() + p) * channels + c, c);
        });
}

// Mean and 1 / sqrt(variance + epsilon): sums in double, elements in order.
template <class T, class Each>
std::array<T, 2> moments(const Value<T>& in, const Each& each) {
    double sum = 0.0, squares = 0.0, count = 0.0;
    each([&](std::size_t i, std::size_t) {
        sum += static_cast<double>(in.data[i]);
        count += 1.0;
    });
    const T mean = static_cast<T>(sum / count);
    each([&](std::size_t i, std::size_t) {
        const auto d = static_cast<double>(in.data[i] - mean);
        squares += d * d;
    });
    return {mean, static_cast<T>(1.0 / std::sqrt(squares / count + norm_epsilon))};
}

template <class T>
void norm_forward(const LayerSpec& layer, const T* w, const T* bias, const Value<T>& in, std::size_t batch, Value<T>& out) {
    for (std::size_t b = 0; b < batch; ++b)
        each_norm_set(layer, in, b, [&](const auto& each) {
            const auto [mean, inverse] = moments(in, each);
            each([&, m = mean, r = inverse](std::size_t i, std::size_t c) {
                out.data[i] = ((in.data[i] - m) * r) * w[c] + bias[c];
            });
        });
}

template <class T>
void norm_backward(const LayerSpec& layer, const T* w, const Value<T>& in, const Value<T>& dout, std::size_t batch, T* dw,
                   T* dbias, Value<T>& din) {
    const std::size_t channels = in.shape[2];
    std::fill_n(dw, channels, T{0});
    std::fill_n(dbias, channels, T{0});
    Value<T> normal = in;
    for (std::size_t b = 0; b < batch; ++b)
        each_norm_set(layer, in, b, [&](const auto& each) {
            const auto [m, r] = moments(in, each);
            const T mean = m, inverse = r;
            double sum = 0.0, product = 0.0, count = 0.0;
            each([&](std::size_t i, std::size_t c) {
                const T x = (in.data[i] - mean) * inverse;
                normal.data[i] = x;
                const T g = dout.data[i] * w[c];
                sum += static_cast<double>(g);
                product += static_cast<double>(g) * static_cast<double>(x);
                count += 1.0;
            });
            const T first = static_cast<T>(sum / count);
            const T second = static_cast<T>(product / count);
            each([&](std::size_t i, std::size_t c) {
                din.data[i] = inverse * ((dout.data[i] * w[c] - first) - normal.data[i] * second);
            });
        });
    for (std::size_t i = 0; i < in.data.size(); ++i) {
        const std::size_t c = i % channels;
        dw[c] = dw[c] + dout.data[i] * normal.data[i];
        dbias[c] = dbias[c] + dout.data[i];
    }
}

}  // namespace entente::nn::reference
