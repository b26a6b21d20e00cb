// What the parts of the reference share: activations and the elementary functions of the number type. See reference.hpp.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "entente/base/math.hpp"
#include "entente/nn/model_spec.hpp"

namespace entente::nn::reference {

// One step of a sum.
template <bool fused, class T>
T mac(T c, T a, T b) {
    if constexpr (fused)
        return std::fma(a, b, c);
    else
        return c + a * b;
}

// An activation of the whole batch as pictures, channels last: [batch, shape]. A vector is one pixel, a sequence one row.
template <class T>
struct Value {
    std::vector<T> data;
    std::array<std::size_t, 3> shape{1, 1, 1};  // height, width, channels
    std::vector<std::size_t> maximum;           // max pools: position of the maximum in the layer's input

    [[nodiscard]] std::size_t at(std::size_t b, std::size_t y, std::size_t x, std::size_t c) const {
        return ((b * shape[0] + y) * shape[1] + x) * shape[2] + c;
    }
    [[nodiscard]] std::size_t pixels() const { return shape[0] * shape[1]; }
    [[nodiscard]] std::size_t features() const { return pixels() * shape[2]; }
};

template <class T>
Value<T> make_value(const std::vector<std::uint32_t>& shape, std::size_t batch) {
    Value<T> v;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const std::size_t behind = shape.size() - 1 - i;
        v.shape[behind >= 2 ? 0 : 2 - behind] *= shape[i];
    }
    v.data.assign(batch * v.features(), T{0});
    return v;
}

template <class T>
T picture(const Value<T>& v, std::size_t b, std::ptrdiff_t y, std::ptrdiff_t x, std::size_t c) {
    if (y < 0 || x < 0) return T{0};
    return v.data[v.at(b, static_cast<std::size_t>(y), static_cast<std::size_t>(x), c)];
}

// The project's own functions for float, so that bits agree with Model.
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
T hyperbolic_tangent(T x) {
    if constexpr (std::is_same_v<T, float>)
        return math::tanh(x);
    else
        return std::tanh(x);
}
template <class T>
T logistic(T x) {
    if constexpr (std::is_same_v<T, float>)
        return math::sigmoid(x);
    else
        return T{1} / (T{1} + std::exp(-x));
}

}  // namespace entente::nn::reference
