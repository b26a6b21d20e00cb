// Are the rows that come in still like those that the alarm was calibrated with, and are alerts as frequent?
//
//   const std::vector<task::InputSummary> usual = task::summarise(late, rows, before_the_split);   // kept
//   for (const task::Drift& d : task::drift_of(late, usual, newer, all)) if (d.moved) print(d.sentence);
//
// Of each cell that features are made of (a number, the days between two instants, a category) the rows are counted in bins: numbers between
// their usual deciles, categories by name, and those without a value. Between usual shares p and shares q now stands the population
// stability index
//   PSI = sum over bins of (q - p) ln(q / p), with half a row more in each bin
// (Siddiqi 2006, chapter 6, who calls more than 0.25 a shift; it is the symmetric divergence of Jeffreys 1946). By chance alone it is some
// (1/n + 1/m) chi-squared with bins - 1 degrees of freedom (Yurdakul and Naranjo 2020, theorem 1): what has moved is above both 0.25 and
// the 99.9 % quantile of that. Rows that follow each other closely are less independent than that presumes.
// Calendars are left out: time goes on. Plain values, pure functions, no errors.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "entente/task/alarm.hpp"

namespace entente::task {

struct InputSummary {
    std::uint32_t feature = 0;             // in task.features
    std::vector<double> cuts;              // of numbers, ascending: a bin below each and one from the last on
    std::vector<std::uint64_t> counts;     // of each bin, or of each of the column's categories and "other"; last: without a value
    double mean = 0.0;                     // of numbers

    [[nodiscard]] std::uint64_t rows() const noexcept;

    friend bool operator==(const InputSummary&, const InputSummary&) = default;
};

// What a feature is made of in one row: a number in the column's unit, or days; a category's place in the list (its size: other).
// Nothing: no value, or a feature without such a cell.
std::optional<double> input_value(const Task& task, const Feature& feature, const Rows& rows, std::uint32_t row);

// REQUIRES of all: check(task) is ok, the rows are of this task, summaries of it.
std::vector<InputSummary> summarise(const Task& task, const Rows& rows, std::span<const std::uint32_t> chosen);

struct Drift {
    std::uint32_t feature = 0;
    double psi = 0.0;
    double limit = 0.0;    // more has moved
    bool moved = false;
    std::string sentence;  // "quantity: 41 % of the rows are 1 200 or more, usually 10 % (PSI 0.52)"
};

// In the order of `usual`. Fewer than 10 rows now: none has moved.
std::vector<Drift> drift_of(const Task& task, std::span<const InputSummary> usual, const Rows& rows, std::span<const std::uint32_t> chosen);

enum class Rate : std::uint8_t { as_calibrated, more, fewer };

struct RateCheck {
    Rate rate = Rate::as_calibrated;
    double expected = 0.0;  // share
    std::string sentence;
};

// Of `examples` that are scored, so many alerts. Beyond chance is what a binomial with the calibrated share reaches with 1 in 1,000 at most, by
// Hoeffding 1963, theorem 1: P(share of n >= q) <= e^(-n KL(q, p)), and the same below. Windows that overlap count as one of their length.
RateCheck check_rate(const Task& task, const Calibration& calibration, std::uint64_t examples, std::uint64_t alerts);

}  // namespace entente::task
