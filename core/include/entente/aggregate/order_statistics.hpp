// Rules that need every update of a coordinate at once (median, trimmed mean), without holding every update.
//
//   std::vector<const StoredUpdate*> round = ...;              // where each accepted update lies
//   ENTENTE_TRY(coordinate_median(round, grid, d, executor, median));   // [d], float32
//
// Updates stay where they are stored (a file, a mapped column); a block of coordinates of all of them is read, the
// order statistic of each coordinate is taken, the next block follows. Memory: width() * 4 bytes * block * updates,
// whatever the model's size. Each block is one unit of the executor.
//
// The median of n values is the middle one, or the mean of the two middle ones (Yin et al. 2018, arXiv 1803.01498,
// definition 1). Weights do not count. Integers are compared, so that the bits depend neither on the order of the
// updates nor on the machine.
#pragma once

#include <cstdint>
#include <span>

#include "entente/aggregate/fixed_point.hpp"
#include "entente/base/executor.hpp"

namespace entente::aggregate {

class StoredUpdate {
public:
    virtual ~StoredUpdate() = default;
    // Coordinates [first, first + values.size()) in units of the grid. May be called from several threads.
    [[nodiscard]] virtual Status read(std::uint64_t first, std::span<std::int32_t> values) const = 0;
};

inline constexpr std::size_t order_block = 2'048;  // coordinates that are looked at together

// median: [parameters], overwritten. "fold.empty" without updates, "update.range" for a value beyond the grid, and
// what read() says (of the first block that fails).
Status coordinate_median(std::span<const StoredUpdate* const> updates, const FixedPoint& grid, Executor& executor,
                         std::span<float> median);

}  // namespace entente::aggregate
