// entente score: a trained model on a partner's file. Which rows are alerts, why, what like them there was before, and whether rows and
// alerts are still what the alarm was calibrated with. Nothing leaves the machine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/environment.hpp"
#include "entente/plan/model_file.hpp"

namespace entente::commands {

struct ScoreOptions {
    std::string model;      // model.entente, or the folder that it lies in
    std::string data;
    std::string mapping;    // empty: headers are found by themselves
    std::string past;       // the partner's own rows that it was trained on
    std::string state;      // folder of the calibration; empty: the model's
    std::string output;     // scores.csv
    std::string inputs;     // npz of what the model takes, for its ONNX form
    std::uint64_t explain = 0;  // a row, from 1; 0: none
    bool recalibrate = false;
    bool json = false;
};

int score(const ScoreOptions& options, Environment& environment);

inline constexpr const char* model_name = "model.entente";
inline constexpr const char* calibration_name = "calibration.entw";

// A partner's file as a task's examples, behind its past where the task looks back. Does not move: examples refer to rows.
struct ScoredTable {
    task::Rows rows;
    std::uint32_t first = 0;  // of rows, the file's own first one
    std::optional<task::ScoreRows> examples;

    // Of the file, from 1.
    [[nodiscard]] std::uint64_t row_number(std::uint32_t row) const { return std::uint64_t{row} - first + 1; }
    [[nodiscard]] std::uint64_t file_rows() const { return rows.size - first; }
};

struct Alert {
    std::size_t at = 0;  // in ScoreOutcome
    std::vector<task::Reason> reasons;
    std::vector<task::Past::Case> similar;
};

struct ScoreOutcome {
    task::Watch watch;
    std::vector<std::uint32_t> examples;  // of the table's: those that are scored
    std::vector<float> scores;            // of each of them
    std::vector<Alert> alerts;            // in their order
    std::uint64_t before_split = 0;       // left out, because the alarm is calibrated with them
};

inline constexpr std::size_t most_explained = 10'000;  // alerts; more have no reasons in the file

// row,<ids>,<time>,score,alert,reason_1,share_1,...,similar_rows,similar_labels
std::string scored_csv(const task::Task& task, const ScoredTable& table, const ScoreOutcome& outcome);
void print_outcome(const task::Task& task, const ScoredTable& table, const ScoreOutcome& outcome, Environment& environment);
std::string scored_json(const task::Task& task, const ScoredTable& table, const ScoreOutcome& outcome);
// One row in words, with a bar for each share.
void print_explanation(const task::Task& task, const ScoredTable& table, const task::Watch& watch, std::size_t example, const task::Explanation& why,
                       const std::vector<task::Past::Case>& similar, Environment& environment);

}  // namespace entente::commands
