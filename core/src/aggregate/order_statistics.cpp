#include "entente/aggregate/order_statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace entente::aggregate {
namespace {

// One lane's workspace.
struct Block {
    std::vector<std::uint32_t> values;  // [updates, order_block], from 0 on
    std::vector<std::uint32_t> found;
    std::vector<std::uint32_t> tried;
    std::vector<std::uint32_t> below;
};

// found[j] = the value of rank `rank` (0 is the smallest) in column j, bit by bit from the highest: a bit is set when
// no more than `rank` values lie below what it would make. All columns at once, so that vectors run across them.
void select(Block& block, std::size_t updates, std::size_t count, std::uint32_t rank, unsigned bits) {
    std::fill_n(block.found.begin(), count, 0u);
    for (unsigned bit = bits; bit-- > 0;) {
        for (std::size_t j = 0; j < count; ++j) block.tried[j] = block.found[j] | (1u << bit);
        std::fill_n(block.below.begin(), count, 0u);
        for (std::size_t i = 0; i < updates; ++i) {
            const std::uint32_t* row = block.values.data() + i * order_block;
            for (std::size_t j = 0; j < count; ++j) block.below[j] += row[j] < block.tried[j] ? 1u : 0u;
        }
        for (std::size_t j = 0; j < count; ++j) block.found[j] = block.below[j] <= rank ? block.tried[j] : block.found[j];
    }
}

}  // namespace

Status coordinate_median(std::span<const StoredUpdate* const> updates, const FixedPoint& grid, Executor& executor,
                         std::span<float> median) {
    if (updates.empty()) return Error{Code::invalid_argument, "fold.empty", "median: expected at least one update, found none"};
    const std::int64_t limit = grid.limit();
    // Values from 0 to 2 * limit; with blocks that is more than the grid's own bits.
    const auto bits = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(2 * limit)));
    const std::size_t blocks = (median.size() + order_block - 1) / order_block;
    const auto upper = static_cast<std::uint32_t>(updates.size() / 2);
    const std::uint32_t lower = updates.size() % 2 == 0 ? upper - 1 : upper;
    std::vector<Block> lanes(executor.width());
    for (Block& lane : lanes) {
        lane.values.resize(updates.size() * order_block);
        for (auto* column : {&lane.found, &lane.tried, &lane.below}) column->resize(order_block);
    }
    std::vector<Status> ended(blocks, done());
    executor.run(blocks, [&](std::size_t number, unsigned lane) {
        Block& block = lanes[lane];
        const std::size_t first = number * order_block;
        const std::size_t count = std::min(order_block, median.size() - first);
        std::vector<std::int32_t> row(count);
        for (std::size_t i = 0; i < updates.size(); ++i) {
            if (ended[number] = updates[i]->read(first, row); !ended[number].ok()) return;
            for (std::size_t j = 0; j < count; ++j) {
                if (row[j] < -limit || row[j] > limit) {
                    ended[number] = Error{Code::invalid_argument, "update.range",
                                          "median: expected values within " + std::to_string(limit) + ", found " + std::to_string(row[j])};
                    return;
                }
                block.values[i * order_block + j] = static_cast<std::uint32_t>(row[j] + limit);
            }
        }
        select(block, updates.size(), count, lower, bits);
        std::vector<std::uint32_t> low(block.found.begin(), block.found.begin() + static_cast<std::ptrdiff_t>(count));
        if (upper != lower) select(block, updates.size(), count, upper, bits);
        for (std::size_t j = 0; j < count; ++j) {
            const std::int64_t twice = static_cast<std::int64_t>(low[j]) + block.found[j] - 2 * limit;
            median[first + j] = static_cast<float>(std::ldexp(static_cast<double>(twice), -1 - grid.scale_log2));
        }
    });
    for (const Status& status : ended) ENTENTE_TRY(Status(status));
    return done();
}

}  // namespace entente::aggregate
