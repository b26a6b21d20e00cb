// The losses of the reference, written as in docs/models.md. See reference.hpp.
#pragma once

#include "entente/nn/loss.hpp"
#include "entente/nn/reference_value.hpp"

namespace entente::nn::reference {

template <class T>
double cross_entropy(const LossSpec& spec, const T* z, std::size_t classes, std::uint32_t label, T factor, T* gradient) {
    const T weight = spec.class_weights.empty() ? T{1} : static_cast<T>(spec.class_weights[label]);
    T top = z[0];
    for (std::size_t j = 1; j < classes; ++j) top = z[j] > top ? z[j] : top;
    T sum{0};
    for (std::size_t j = 0; j < classes; ++j) sum = sum + exponential(z[j] - top);
    for (std::size_t j = 0; j < classes; ++j) {
        const T p = exponential(z[j] - top) / sum;
        gradient[j] = (j == label ? p - T{1} : p) * (factor * weight);
    }
    return static_cast<double>(weight) * (static_cast<double>(logarithm(sum)) - static_cast<double>(z[label] - top));
}

// log(1 + e^x)
template <class T>
T softplus(T x) {
    return (x > T{0} ? x : T{0}) + logarithm(T{1} + exponential(x > T{0} ? -x : x));
}

// The loss of one output; `slope` is its derivative.
template <class T>
T loss_term(const LossSpec& spec, T z, T y, T& slope) {
    const T d = z - y;
    const T size = d < T{0} ? -d : d;
    switch (spec.kind) {
        case LossKind::binary_cross_entropy: {
            const T w0 = spec.class_weights.empty() ? T{1} : static_cast<T>(spec.class_weights[0]);
            const T w1 = spec.class_weights.empty() ? T{1} : static_cast<T>(spec.class_weights[1]);
            slope = (w1 * y) * (logistic(z) - T{1}) + (w0 * (T{1} - y)) * logistic(z);
            return (w1 * y) * softplus(-z) + (w0 * (T{1} - y)) * softplus(z);
        }
        case LossKind::huber: {
            const T delta = static_cast<T>(spec.delta);
            slope = size <= delta ? d : (d < T{0} ? -delta : delta);
            return size <= delta ? (T(0.5) * d) * d : delta * (size - T(0.5) * delta);
        }
        case LossKind::quantile: {
            const T q = static_cast<T>(spec.quantile);
            slope = d < T{0} ? -q : (d > T{0} ? T{1} - q : T{0});
            return d < T{0} ? q * size : (T{1} - q) * size;
        }
        default: slope = T{2} * d; return d * d;
    }
}

// The sum over the targets, and the gradient of that over `whole`.
template <class T>
double loss_of(const LossSpec& spec, const Value<T>& outputs, std::span<const Target> targets, std::size_t whole, Value<T>& gradient) {
    const std::size_t n = outputs.features();
    const T factor = T{1} / static_cast<T>(whole);
    double sum = 0.0;
    for (std::size_t b = 0; b < targets.size(); ++b) {
        const T* const z = outputs.data.data() + b * n;
        T* const g = gradient.data.data() + b * n;
        const Target& target = targets[b];
        if (spec.kind == LossKind::cross_entropy) {
            sum += cross_entropy(spec, z, n, target.label, factor, g);
            continue;
        }
        double of_example = 0.0;
        for (std::size_t j = 0; j < n; ++j) {
            const T label = n == 1 ? static_cast<T>(target.label) : (j == target.label ? T{1} : T{0});
            of_example += static_cast<double>(
                loss_term(spec, z[j], target.values == nullptr ? label : static_cast<T>(target.values[j]), g[j]));
            g[j] = g[j] * (factor / static_cast<T>(n));
        }
        sum += of_example / static_cast<double>(n);
    }
    return sum;
}

}  // namespace entente::nn::reference
