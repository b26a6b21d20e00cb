// What a partner keeps beside a model to put it to use: how it scales, from where on it is alarmed, and what is usual.
//
//   ENTENTE_ASSIGN(const task::Watch watch, task::start_watch(late, model, past, past_rows, false));
//   plan::write_watch(watch);                                          // plan/model_file.hpp: as bytes
//   ENTENTE_ASSIGN(const task::Watch anew, task::start_watch(late, model, newer, newer_rows, true));  // recalibrated, nothing trained
//
// Plain value; it never leaves the partner. Thread-safety: pure but for the predictor.
#pragma once

#include <vector>

#include "entente/task/alarm.hpp"
#include "entente/task/drift.hpp"
#include "entente/task/explain.hpp"

namespace entente::task {

struct Watch {
    Statistics statistics;             // that rows are scaled with
    Calibration alarm;
    std::vector<float> usual;          // the mean example
    std::vector<InputSummary> inputs;

    friend bool operator==(const Watch&, const Watch&) = default;
};

// From examples before the split; with `all` from every one of the file, as newer rows are recalibrated with: make `examples` of them with the
// statistics of the watch before. Errors of calibrate() and the predictor; "alarm.too-few" without any. REQUIRES: examples were made of rows.
Result<Watch> start_watch(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows, bool all);
// From those of them whose last row is this one of the file or behind it: newer rows that others were put in front of (task::joined).
Result<Watch> start_watch_from(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows, std::uint32_t row);

}  // namespace entente::task
