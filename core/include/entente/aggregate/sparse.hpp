// A sparse update: of d numbers only the k of largest magnitude cross the border, with their positions, and what was not
// sent stays with the participant and is added to its next update (error feedback).
//
//   SparseForm form{.grid = {}, .parameters = d, .kept = kept_count(d, 0.01f)};
//   for (std::size_t i = 0; i < d; ++i) p[i] = delta[i] + residual[i];
//   ENTENTE_ASSIGN(SparseUpdate update, sparsify(p, form, key));   // p is the next residual now
//   Bytes content = pack(update.numbers, form);                    // form.content_bytes(), whatever the numbers
//   Sparse back;
//   ENTENTE_TRY(unpack(content, form, back));                      // every other byte string is refused
//
// k, and with it the size, follows from the plan. Of equal magnitudes the lower position is taken. Values lie on the plan's
// grid, in blocks too, rounded as a dense update's are; positions that are not sent are zeros of the exact sum.
//
// Stich et al. 2018 (arXiv 1809.07599), algorithm 1 (top_k with memory); with local training and partial participation
// Li and Li 2023 (arXiv 2211.14292), algorithm 1. Positions: Elias 1974 (doi 10.1145/321812.321820), within .6 bits of the
// least that k of d positions can take. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entente/aggregate/fixed_point.hpp"

namespace entente::aggregate {

struct SparseForm {
    FixedPoint grid;               // of the values
    std::uint64_t parameters = 0;  // d, below 2^32
    std::uint64_t kept = 0;        // k, from 1 to d

    // Bits of a position that stand as they are; the rest is told in unary.
    [[nodiscard]] unsigned low_bits() const noexcept;
    [[nodiscard]] std::uint64_t low_bytes() const noexcept { return (kept * low_bits() + 7) / 8; }
    [[nodiscard]] std::uint64_t high_bytes() const noexcept { return (kept + ((parameters - 1) >> low_bits()) + 7) / 8; }
    // Of a whole update.
    [[nodiscard]] std::uint64_t content_bytes() const noexcept { return low_bytes() + high_bytes() + grid.content_bytes(kept); }

    friend bool operator==(const SparseForm&, const SparseForm&) = default;
};

// k = ceil(top d), with `top` taken to the nearest millionth, so that .1 of 1,000 is 100. At least 1.
std::uint64_t kept_count(std::uint64_t parameters, float top) noexcept;

struct Sparse {
    std::vector<std::uint32_t> positions;  // [k], strictly rising
    std::vector<std::int32_t> values;      // [k], in units of the grid

    friend bool operator==(const Sparse&, const Sparse&) = default;
};

struct SparseUpdate {
    Sparse numbers;
    std::uint64_t clipped = 0;  // as in Quantised
};

// The positions of the k largest magnitudes, rising. REQUIRES: finite values; 1 <= k <= values.size() < 2^32.
std::vector<std::uint32_t> largest(std::span<const float> values, std::size_t k);

// p: [d], the difference and what was left of earlier ones; afterwards what is left now, rounding and clipping included:
// p before = what is sent + p after, to the precision of a float. "update.not-finite" as in quantise(), p unchanged.
// REQUIRES: check(form.grid) is ok; p.size() == form.parameters.
Result<SparseUpdate> sparsify(std::span<float> p, const SparseForm& form, PhiloxKey key);

// The canonical content: the low bits of each position, the first in the lowest bits; then a bit string with position i's
// bit at (position >> low_bits()) + i; then the values as pack() of the grid makes them. Each part begins on a byte.
// REQUIRES: numbers of the form.
Bytes pack(const Sparse& numbers, const SparseForm& form);
// "update.size"; "update.positions" for other than k strictly rising positions below d; "update.range" as unpack() of the
// grid; "update.not-canonical" for bytes that pack() would not give. Allocates what the form says, and only for content of
// its size.
Status unpack(ByteView content, const SparseForm& form, Sparse& numbers);

}  // namespace entente::aggregate
