// entente score: a trained model on a partner's file. Which rows are alerts, why, what like them there was before, and whether rows and
// alerts are still what the alarm was calibrated with. Nothing leaves the machine.
#pragma once

#include <string>
#include <vector>

#include "commands/environment.hpp"
#include "entente/plan/model_file.hpp"
#include "entente/task/scored.hpp"

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

void print_outcome(const task::Task& task, const task::ScoreTable& table, const task::Scored& scored, Environment& environment);
std::string scored_json(const task::Task& task, const task::ScoreTable& table, const task::Scored& scored);
// One row in words, with a bar for each share.
void print_explanation(const task::Task& task, const task::ScoreTable& table, const task::Watch& watch, std::size_t example, const task::Explanation& why,
                       const std::vector<task::Past::Case>& similar, Environment& environment);

}  // namespace entente::commands
