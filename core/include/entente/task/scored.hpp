// A file under a trained model: the score of each example, which of them are alerts, why, and which alerts tell of the same event. What
// `entente score` and the page print.
//
//   ENTENTE_ASSIGN(const auto file, task::ScoreTable::start(late, std::move(rows), &past_rows, &watch.statistics));
//   ENTENTE_ASSIGN(task::Scored scored, task::score_table(model, *file, watch, false));
//   for (task::Alert& a : scored.alerts) ENTENTE_TRY(task::explain_alert(late, model, *file, scored, past, a));
//   for (const task::AlertGroup& g : task::alert_groups(late, *file, scored)) print(scored.alerts[g.strongest]);
//   write(task::scored_csv(late, *file, scored));
//
// REQUIRES, of all: the task is for_scoring() and the same. Thread-safety: pure but for the predictor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entente/task/watch.hpp"

namespace entente::task {

// A file's rows as examples, behind those of its past where the task looks back. Does not move: examples refer to rows, and to the task.
struct ScoreTable {
    Rows rows;
    std::uint32_t first = 0;  // of rows, the file's own first one
    std::optional<ScoreRows> examples;

    // Without a past, or without statistics: null. Errors of ScoreRows::start().
    static Result<std::unique_ptr<ScoreTable>> start(const Task& task, Rows rows, const Rows* past, const Statistics* statistics);

    // Of the file, from 1.
    [[nodiscard]] std::uint64_t row_number(std::uint32_t row) const { return std::uint64_t{row} - first + 1; }
    [[nodiscard]] std::uint64_t file_rows() const { return rows.size - first; }
};

struct Alert {
    std::size_t at = 0;  // in Scored
    std::vector<Reason> reasons;
    std::vector<Past::Case> similar;
};

struct Scored {
    Watch watch;
    std::vector<std::uint32_t> examples;  // of the table's: those that are scored
    std::vector<float> scores;            // of each of them
    std::vector<Alert> alerts;            // in their order
    std::uint64_t before_split = 0;       // left out

    [[nodiscard]] std::uint32_t example_of(const Alert& alert) const { return examples[alert.at]; }
    [[nodiscard]] float score_of(const Alert& alert) const { return scores[alert.at]; }
};

inline constexpr std::size_t most_explained = 10'000;  // alerts; of more, those behind have no reasons in the CSV

// The file's own examples, without those before the split where the alarm is calibrated with them. Errors of the predictor.
Result<Scored> score_table(Predictor& predictor, const ScoreTable& table, Watch watch, bool leave_out_past);
// Three reasons, and three similar cases where there is a past.
Status explain_alert(const Task& task, Predictor& predictor, const ScoreTable& table, const Scored& scored, const Past* past, Alert& alert);
// The past cases most like an example, without the example itself.
std::vector<Past::Case> similar_cases(const ScoreTable& table, const Past& past, std::size_t example);

struct AlertGroup {
    std::size_t strongest = 0;                   // in Scored::alerts; of equal ones the first
    std::size_t alerts = 0;
    std::uint64_t first_row = 0, last_row = 0;   // of the file, from 1: the least and the greatest
};

// Alerts that tell of the same event, the strongest group first: those of windows of one group that share rows, one behind the other;
// without windows, those whose rows share a group (a shipment, an order), wherever they stand. What is missing is shared with nobody.
std::vector<AlertGroup> alert_groups(const Task& task, const ScoreTable& table, const Scored& scored);

// What names a row: ids, groups and times that the file has, in the task's order.
std::vector<std::size_t> naming_columns(const Task& task, const Rows& rows);
// As the CSV has it; missing: empty.
std::string cell_of(const Task& task, const Rows& rows, std::size_t column, std::uint32_t row);
// row,<what names it>,score,alert,reason_1,share_1,...,similar_rows,similar_labels: a line an example
std::string scored_csv(const Task& task, const ScoreTable& table, const Scored& scored);

}  // namespace entente::task
