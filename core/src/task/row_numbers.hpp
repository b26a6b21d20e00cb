// The numbers of each row before scaling, and where they lie in an example.
#pragma once

#include <cstdint>
#include <vector>

#include "entente/task/rows.hpp"
#include "entente/task/task.hpp"

namespace entente::task {

constexpr std::uint8_t side_train = 0, side_test = 1, side_none = 2;

// The group of each row in the first group column that the file has; without one, all rows are one group.
std::vector<std::uint32_t> groups_of(const Task& task, const Rows& rows);
// In which order the rows of a group follow each other: by time where there is one, otherwise as in the file.
std::vector<std::uint32_t> row_order(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups);

// label.kind later, flag, value: of each row, NaN where there is none. remaining: rows to come. none: 0, or the column.
Result<std::vector<double>> labels_of(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& order);
// side_train, side_test, or side_none for a row that is neither: by the split alone, whatever its label.
std::vector<std::uint8_t> split_of(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& order);
// The same, side_none where there is no label. Refuses an id on both sides.
Result<std::vector<std::uint8_t>> sides_of(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups,
                                           const std::vector<std::uint32_t>& order, const std::vector<double>& labels);

struct RowNumbers {
    std::size_t width = 0;                    // numbers of a row
    std::vector<std::size_t> dense_at;        // of each scaled number: where it lies in a row
    std::vector<double> dense;                // [rows, dense_at.size()], NaN: missing
    std::vector<std::size_t> hot_at;          // of each one-hot feature: where it begins in a row
    std::vector<std::vector<std::uint32_t>> hot;  // [feature][row]: which of its numbers is 1
};

RowNumbers numbers_of(const Task& task, const Rows& rows, const std::vector<double>& labels);

// FNV-1a, for buckets and splits: the same everywhere, and nobody's secret.
std::uint64_t name_hash(std::string_view text) noexcept;

}  // namespace entente::task
