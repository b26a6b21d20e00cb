// The IDX files of MNIST (already decompressed), as bytes.
//
//   ENTENTE_ASSIGN(data::Dataset digits, data::read_idx_pair(images, labels));   // example_shape [28, 28, 1]
//
// Images: big-endian 0x00000803, count, rows, columns, then one byte per pixel. Labels: 0x00000801, count,
// then one byte each. Pixels become byte / 255. Every length is checked before anything is allocated.
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "entente/base/bytes.hpp"
#include "entente/data/dataset.hpp"
#include "entente/data/examples.hpp"

namespace entente::data {

inline constexpr std::uint64_t max_idx_pixels = std::uint64_t{1} << 27;  // 512 MiB once they are floats

// Errors, invalid_argument unless said: "idx.magic", "idx.truncated", "idx.trailing" (bytes behind the end),
// "idx.count-mismatch", "idx.empty" (no examples, or no pixels), "idx.too-large" (too_large),
// "idx.label-range" (a label >= classes).
Result<Dataset> read_idx_pair(ByteView images, ByteView labels, std::uint32_t classes = 10);

// The same examples, kept as the bytes they came in: a quarter of the memory. Same errors.
Result<Examples> read_idx_examples(Bytes images, ByteView labels, std::uint32_t classes = 10);

struct IdxPair {
    Bytes images;
    Bytes labels;
};

// The inverse, for the rows given (empty = all), in their order; features are rounded to the nearest of 256
// levels and clamped to [0, 1]. invalid_argument "idx.shape" if examples are not [rows, columns, 1],
// "idx.rows" if a row is out of range, "idx.label-range" if a label exceeds 255.
Result<IdxPair> write_idx_pair(const Dataset& dataset, std::span<const std::uint32_t> rows = {});

}  // namespace entente::data
