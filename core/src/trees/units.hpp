// Derivatives and labels as integers: multiples of 2^-20.
#pragma once

#include <cmath>
#include <cstdint>

#include "entente/trees/grow.hpp"

namespace entente::trees {

inline constexpr double unit = 1048576.0;

// Halves go up, whatever the sign: std::round would lean away from zero.
inline std::int64_t in_units(double x) { return static_cast<std::int64_t>(std::floor(x * unit + 0.5)); }
inline double from_units(std::int64_t n) { return static_cast<double>(n) / unit; }

inline std::size_t bins_of(const Edges& edges, std::uint32_t feature) { return edges[feature].size() + 1; }

}  // namespace entente::trees
