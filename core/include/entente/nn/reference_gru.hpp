// The GRU of the reference, in PyTorch's form (Cho et al. 2014, arXiv 1406.1078, with the reset gate behind the
// recurrent product): r = s(xr + hr), z = s(xz + hz), n = tanh(xn + r hn), h' = (1 - z) n + z h, h = 0 at first, where
// x. and h. are the input's and the state's products with their biases. See reference.hpp.
#pragma once

#include "entente/nn/reference_value.hpp"

namespace entente::nn::reference {

// Weights [in, 3 units] and [units, 3 units], biases [3 units]: gates r, z, n.
template <class T>
struct GruTensors {
    T* input_weight;
    T* hidden_weight;
    T* input_bias;
    T* hidden_bias;
};

// What one step of one example leaves behind.
template <class T>
struct GruStep {
    std::vector<T> r, z, n, hn, before, after;
};

template <bool fused, class T>
std::vector<T> affine(const T* w, const T* bias, const T* in, std::size_t inputs, std::size_t outputs) {
    std::vector<T> out(bias, bias + outputs);
    for (std::size_t o = 0; o < outputs; ++o)
        for (std::size_t i = 0; i < inputs; ++i) out[o] = mac<fused>(out[o], in[i], w[i * outputs + o]);
    return out;
}

template <bool fused, class T>
std::vector<GruStep<T>> gru_steps(const GruTensors<const T>& p, const T* x, std::size_t length, std::size_t inputs,
                                  std::size_t units) {
    std::vector<GruStep<T>> steps(length);
    std::vector<T> state(units, T{0});
    for (std::size_t t = 0; t < length; ++t) {
        GruStep<T>& s = steps[t];
        const std::vector<T> from_input = affine<fused>(p.input_weight, p.input_bias, x + t * inputs, inputs, 3 * units);
        const std::vector<T> from_state = affine<fused>(p.hidden_weight, p.hidden_bias, state.data(), units, 3 * units);
        s.before = state;
        for (std::size_t u = 0; u < units; ++u) {
            s.r.push_back(logistic(from_input[u] + from_state[u]));
            s.z.push_back(logistic(from_input[units + u] + from_state[units + u]));
            s.hn.push_back(from_state[2 * units + u]);
            s.n.push_back(hyperbolic_tangent(from_input[2 * units + u] + s.r[u] * s.hn[u]));
            state[u] = (T{1} - s.z[u]) * s.n[u] + s.z[u] * state[u];
        }
        s.after = state;
    }
    return steps;
}

template <bool fused, class T>
void gru_forward(const LayerSpec& layer, const GruTensors<const T>& p, const Value<T>& in, std::size_t batch, Value<T>& out) {
    const std::size_t length = in.pixels();
    const std::size_t units = layer.units;
    for (std::size_t b = 0; b < batch; ++b) {
        const auto steps = gru_steps<fused>(p, in.data.data() + b * in.features(), length, in.shape[2], units);
        for (std::size_t t = layer.sequences ? 0 : length - 1; t < length; ++t)
            std::copy(steps[t].after.begin(), steps[t].after.end(),
                      out.data.begin() + static_cast<std::ptrdiff_t>((layer.sequences ? b * length + t : b) * units));
    }
}

template <bool fused, class T>
void gru_backward(const LayerSpec& layer, const GruTensors<const T>& p, const Value<T>& in, const Value<T>& dout,
                  std::size_t batch, const GruTensors<T>& g, Value<T>& din) {
    const std::size_t length = in.pixels();
    const std::size_t inputs = in.shape[2];
    const std::size_t units = layer.units;
    const std::size_t gates = 3 * units;
    // Of each example and step: the gradients of the input's and of the state's products.
    std::vector<std::vector<T>> of_input(batch * length, std::vector<T>(gates));
    std::vector<std::vector<T>> of_state = of_input;
    std::vector<std::vector<T>> before(batch * length);
    for (std::size_t b = 0; b < batch; ++b) {
        const auto steps = gru_steps<fused>(p, in.data.data() + b * in.features(), length, inputs, units);
        std::vector<T> carried(units, T{0});
        for (std::size_t t = length; t-- > 0;) {
            const GruStep<T>& s = steps[t];
            std::vector<T>& xi = of_input[b * length + t];
            std::vector<T>& hi = of_state[b * length + t];
            before[b * length + t] = s.before;
            for (std::size_t u = 0; u < units; ++u) {
                T dh = carried[u];
                if (layer.sequences) dh = dout.data[(b * length + t) * units + u] + dh;
                else if (t + 1 == length) dh = dout.data[b * units + u];
                const T dn = (dh * (T{1} - s.z[u])) * (T{1} - s.n[u] * s.n[u]);
                const T dz = (dh * (s.before[u] - s.n[u])) * (s.z[u] * (T{1} - s.z[u]));
                const T dr = (dn * s.hn[u]) * (s.r[u] * (T{1} - s.r[u]));
                xi[u] = hi[u] = dr;
                xi[units + u] = hi[units + u] = dz;
                xi[2 * units + u] = dn;
                hi[2 * units + u] = dn * s.r[u];
                carried[u] = dh * s.z[u];
            }
            for (std::size_t u = 0; u < units; ++u)
                for (std::size_t k = 0; k < gates; ++k)
                    carried[u] = mac<fused>(carried[u], hi[k], p.hidden_weight[u * gates + k]);
            for (std::size_t i = 0; i < inputs; ++i) {
                T sum{0};
                for (std::size_t k = 0; k < gates; ++k) sum = mac<fused>(sum, xi[k], p.input_weight[i * gates + k]);
                din.data[(b * length + t) * inputs + i] = sum;
            }
        }
    }
    for (std::size_t k = 0; k < gates; ++k) {
        for (std::size_t i = 0; i < inputs; ++i) {
            T sum{0};
            for (std::size_t s = 0; s < batch * length; ++s) sum = mac<fused>(sum, in.data[s * inputs + i], of_input[s][k]);
            g.input_weight[i * gates + k] = sum;
        }
        for (std::size_t u = 0; u < units; ++u) {
            T sum{0};
            for (std::size_t s = 0; s < batch * length; ++s) sum = mac<fused>(sum, before[s][u], of_state[s][k]);
            g.hidden_weight[u * gates + k] = sum;
        }
        T input_sum{0}, state_sum{0};
        for (std::size_t s = 0; s < batch * length; ++s) {
            input_sum = input_sum + of_input[s][k];
            state_sum = state_sum + of_state[s][k];
        }
        g.input_bias[k] = input_sum;
        g.hidden_bias[k] = state_sum;
    }
}

}  // namespace entente::nn::reference
