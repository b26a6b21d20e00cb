// From rows to what a model trains on and is scored on.
//
//   ENTENTE_ASSIGN(const task::Prepared mine, task::prepare(late, rows));
//   nn::LocalTraining::start(..., mine.train.dataset, ...);      // [examples, inputs], labels or targets
//   mine.test.last_rows[7];                                      // which row of the file example 7 is the score of
//
// docs/tasks.md has the equations. Everything is a function of the file's rows in their order and of the task: sums run
// over rows in that order, in double, with the project's own logarithm, so the bits are the same on every machine.
// Errors, invalid_argument: "table.leak" (an id on both sides of the split), "table.label" (no row has one; one is neither 0 nor 1), "table.one-class" (all examples to train on have the
// same label), "table.too-few" (says what there is and what is needed); too_large "table.too-large". Thread-safety: pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "entente/data/dataset.hpp"
#include "entente/task/rows.hpp"
#include "entente/task/task.hpp"

namespace entente::task {

// Mean and deviation of each number of a row, of the training rows of one regime.
struct RegimeStatistics {
    std::int64_t regime = 0;
    std::vector<std::uint64_t> rows;  // of which there is a value
    std::vector<double> mean;
    std::vector<double> deviation;    // population

    friend bool operator==(const RegimeStatistics&, const RegimeStatistics&) = default;
};

struct Statistics {
    RegimeStatistics all;                   // of every row, for regimes that no training row has
    std::vector<RegimeStatistics> regimes;  // ascending; empty without regimes

    friend bool operator==(const Statistics&, const Statistics&) = default;
};

struct Side {
    data::Dataset dataset;
    std::vector<std::uint32_t> last_rows;  // of the file, from 0, for each example: the last of its window
    std::vector<std::uint8_t> abnormal;    // label of kind none whose column the file has: whether the last row is; else empty
};

struct Prepared {
    Side train;
    Side test;                      // may be empty
    std::uint64_t without_label = 0;  // rows left out: no label, or no time to split by
    std::uint64_t duplicate_ids = 0;
    Statistics statistics;          // what was scaled with
};

inline constexpr std::uint64_t most_numbers = std::uint64_t{1} << 28;  // of all examples together

// `given` takes the place of the rows' own statistics. REQUIRES: check(task) is ok and the rows are of this task.
Result<Prepared> prepare(const Task& task, const Rows& rows, const Statistics* given = nullptr);

}  // namespace entente::task
