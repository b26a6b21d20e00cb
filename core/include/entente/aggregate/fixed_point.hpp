// An update as integers: what a participant signs is exactly what the coordinator sums.
//
//   FixedPoint grid{.bits = 16, .scale_log2 = 14};          // steps of 2^-14, range about +-2
//   Quantised q = quantise(delta, grid, key);               // delta: [d], float32
//   std::vector<float> back = dequantise(q.values, grid);   // |back - delta| < one step where nothing was clipped
//
// Rounding is stochastic (unbiased) with bits from the project's Philox, one 32-bit draw per coordinate in index
// order, so it is reproducible on every machine and independent of the number of threads.
// Alistarh et al. 2017 (arXiv 1610.02132), equation of Q_s with a fixed instead of a norm-relative grid.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/philox.hpp"
#include "entente/base/result.hpp"

namespace entente::aggregate {

// The grid on which all participants of a plan round. Part of the plan.
struct FixedPoint {
    std::uint8_t bits = 16;        // width of one value on the wire: 32, 16 or 8
    std::uint8_t scale_log2 = 14;  // one unit is 2^-scale_log2

    // The largest magnitude that fits; symmetric, so that -q is always representable.
    [[nodiscard]] std::int32_t limit() const noexcept;
    // The largest float magnitude that is not clipped.
    [[nodiscard]] double clip() const noexcept;
    [[nodiscard]] std::size_t bytes_per_value() const noexcept { return bits / 8u; }

    friend bool operator==(const FixedPoint&, const FixedPoint&) = default;
};

Status check(const FixedPoint& grid);  // invalid_argument "plan.encoding"

struct Quantised {
    std::vector<std::int32_t> values;  // [d]
    std::uint64_t clipped = 0;         // how many coordinates did not fit and were moved to the limit
};

// REQUIRES: check(grid) is ok. Fails with "update.not-finite" when a coordinate is NaN or infinite.
Result<Quantised> quantise(std::span<const float> delta, const FixedPoint& grid, PhiloxKey key);
std::vector<float> dequantise(std::span<const std::int32_t> values, const FixedPoint& grid);

// The canonical content of an update: little-endian two's complement, `bits` wide, no padding.
Bytes pack(std::span<const std::int32_t> values, const FixedPoint& grid);
// Fails with "update.size" when the length is not count * bits/8 and with "update.range" when a value lies beyond
// limit() (the one pattern of two's complement that has no negative).
Status unpack(ByteView content, const FixedPoint& grid, std::span<std::int32_t> values);

}  // namespace entente::aggregate
