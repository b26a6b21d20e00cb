// Mean and deviation of the training rows, and a row scaled with them.
#pragma once

#include "entente/task/prepare.hpp"
#include "task/row_numbers.hpp"

namespace entente::task {

// The regime of each row; empty without regimes. A row whose regime is not known has no_regime.
inline constexpr std::int64_t no_regime = std::numeric_limits<std::int64_t>::min();
std::vector<std::int64_t> regimes_of(const Task& task, const Rows& rows);

Statistics measure(const RowNumbers& numbers, const std::vector<std::uint8_t>& sides, const std::vector<std::int64_t>& regimes);

// All of numbers.dense, in place: (x - mean) / deviation, clipped; 0 where there is no value.
void scale(const Task& task, const Statistics& statistics, const std::vector<std::int64_t>& regimes, RowNumbers& numbers);

}  // namespace entente::task
