// What a federation scales with, from sums that are exact: each partner's statistics as whole numbers, which add up like an
// update, in any order and on any machine to the same.
//
//   ENTENTE_ASSIGN(const std::vector<std::int32_t> mine, task::sums_of(late, rows));  // what a partner gives: [sum_count, sum_digits]
//   const std::vector<float> all = task::carried(added);                              // everybody's, added digit by digit
//   ENTENTE_ASSIGN(const task::Shared shared, task::read_sums(late, all));
//   task::prepare(late, rows, &shared.statistics);
//
// With q = round(2^20 x), |x| taken as at most 2^28, of the rows to train on: for each number of a row that is scaled how many
// there are, sum q, sum q^2; then the same of each regime from the one of its column's `least` to that of its `most`; last how
// many rows there are and how many of them have label 1 (0 where labels are no classes). Mean and deviation
// (population) follow in double from whole numbers: what a large mean would hide cancels exactly, as long as sum (q - mean)^2 stays
// below 2^127.
// A sum is nine digits of base 2^15, low first, all of one sign. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entente/task/prepare.hpp"

namespace entente::task {

inline constexpr std::size_t sum_digits = 9;
inline constexpr std::size_t most_regimes = 64;

struct Shared {
    Statistics statistics;
    std::uint64_t rows = 0;      // to train on
    std::uint64_t positive = 0;  // of these with label 1
};

// Does a federation of this task scale with everybody's statistics?
bool shares_statistics(const Task& task) noexcept;
// REQUIRES of all below: check(task) is ok and shares_statistics(task). invalid_argument "task.scaling": a regime's column without
// a range, or with more than most_regimes; a floor finer than the sums.
Status check_sums(const Task& task);
// REQUIRES of all below: check_sums(task) is ok.
std::size_t sum_count(const Task& task);

// Errors of prepare() about labels and splits.
Result<std::vector<std::int32_t>> sums_of(const Task& task, const Rows& rows);
// The same sums, each of whose digits is below 2^15 again, but for the last. Exact in float32.
std::vector<float> carried(std::span<const std::int64_t> added);
// Is there any?
bool has_sums(std::span<const float> digits) noexcept;
// invalid_argument "task.sums": another length, a digit that is not whole, fewer than no rows.
Result<Shared> read_sums(const Task& task, std::span<const float> digits);

}  // namespace entente::task
