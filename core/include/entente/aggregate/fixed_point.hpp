// An update as integers: what a participant signs is exactly what the coordinator sums.
//
//   FixedPoint grid{.bits = 16, .scale_log2 = 14};          // steps of 2^-14, range about +-2
//   Quantised q = quantise(delta, grid, key);               // delta: [d], float32
//   std::vector<float> back = dequantise(q.values, grid);   // |back - delta| < one step where nothing was clipped
//
// Rounding is stochastic (unbiased) with bits from the project's Philox, one 32-bit draw per coordinate in index
// order, so it is reproducible on every machine and independent of the number of threads.
//
// With 8 or 4 bits one step for all is too coarse for small values and too small for large ones. In blocks each run of
// `block` values has its own power of two: a value is q 2^e, an integer of the grid all the same, so the sum stays exact.
// Its range is that of 16 bits.
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
    std::uint8_t bits = 16;        // width of one value on the wire: 32, 16 or 8; 4 in blocks
    std::uint8_t scale_log2 = 14;  // one unit is 2^-scale_log2
    std::uint16_t block = 0;       // values that share an exponent, for 8 and 4 bits: 16 to 4096, even; 0: none

    // The largest magnitude that fits; symmetric, so that -q is always representable.
    [[nodiscard]] std::int32_t limit() const noexcept;
    // The largest float magnitude that is not clipped.
    [[nodiscard]] double clip() const noexcept;
    // Without blocks.
    [[nodiscard]] std::size_t bytes_per_value() const noexcept { return bits / 8u; }
    // The largest exponent of a block.
    [[nodiscard]] unsigned most_shift() const noexcept { return block > 0 ? 16u - bits : 0u; }
    // Values that are packed together, and the bytes of `values` of them.
    [[nodiscard]] std::size_t record_values() const noexcept { return block > 0 ? block : 1u; }
    [[nodiscard]] std::size_t record_bytes(std::size_t values) const noexcept {
        return block > 0 ? 1 + (values * bits + 7) / 8 : values * bytes_per_value();
    }
    // Of a whole update.
    [[nodiscard]] std::uint64_t content_bytes(std::uint64_t values) const noexcept;

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

// The canonical content of an update: little-endian two's complement, `bits` wide, no padding. In blocks: for each block
// its exponent (u8), then its values; of 4 bits two to a byte, the first in the low half.
// REQUIRES: values as quantise() made them.
Bytes pack(std::span<const std::int32_t> values, const FixedPoint& grid);

struct QuantisedContent {
    Bytes bytes;                // of content_bytes(d)
    std::uint64_t clipped = 0;  // as in Quantised
};

// What pack() makes of quantise()'s values, without those in between. Same conditions and errors.
Result<QuantisedContent> quantise_and_pack(std::span<const float> delta, const FixedPoint& grid, PhiloxKey key);

// Fails with "update.size" when the length is not count * bits/8 and with "update.range" when a value lies beyond
// limit() (the one pattern of two's complement that has no negative) or an exponent beyond most_shift().
Status unpack(ByteView content, const FixedPoint& grid, std::span<std::int32_t> values);
// What unpack() would answer, without making the integers.
Status check_packed(ByteView content, const FixedPoint& grid, std::uint64_t values);

}  // namespace entente::aggregate
