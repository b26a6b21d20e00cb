// The only header of the project that includes xtensor (its headers move between releases).
//
//   auto w = matrix_view(parameters.subspan(offset, in * out), in, out);   // borrows, copies nothing
//   float first = w(0, 0);
//
// Use it for shapes, views and readable code outside hot loops; hot loops are kernels over spans.
// Traps: `auto x = a + b` keeps references to a and b (use xt::eval or a named type); `w += y` with a larger
// y silently resizes w: compare shapes first. XTENSOR_USE_XSIMD must never be defined: it does not compile
// for wasm and makes reductions depend on the machine.
#pragma once

#ifdef XTENSOR_USE_XSIMD
#error "XTENSOR_USE_XSIMD changes the order of additions; see core/include/entente/tensor/xt.hpp"
#endif

#include <array>
#include <cstddef>
#include <span>

#include <xtensor/xadapt.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

namespace entente {

template <std::size_t rank>
using Tensor = xt::xtensor<float, rank>;

// Views of row-major float32 storage that somebody else owns and keeps alive.
// REQUIRES: values.size() == the product of `shape`.
template <std::size_t rank>
auto tensor_view(std::span<const float> values, const std::array<std::size_t, rank>& shape) {
    return xt::adapt(values.data(), values.size(), xt::no_ownership(), shape);
}
template <std::size_t rank>
auto tensor_view(std::span<float> values, const std::array<std::size_t, rank>& shape) {
    return xt::adapt(values.data(), values.size(), xt::no_ownership(), shape);
}

inline auto matrix_view(std::span<const float> values, std::size_t rows, std::size_t columns) {
    return tensor_view<2>(values, {rows, columns});
}
inline auto matrix_view(std::span<float> values, std::size_t rows, std::size_t columns) {
    return tensor_view<2>(values, {rows, columns});
}

}  // namespace entente
