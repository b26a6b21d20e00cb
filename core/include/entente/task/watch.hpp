// What a partner keeps beside a model to put it to use: how it scales, from where on it is alarmed, and what is usual.
//
//   ENTENTE_ASSIGN(const task::Watch watch, task::start_watch(late, model, past, past_rows));
//   plan::write_watch(watch, plan::digest_of(model));                  // plan/model_file.hpp: as bytes
//   ENTENTE_ASSIGN(const task::Watch anew, task::start_watch_from(late, model, newer, newer_rows, 0));  // recalibrated, nothing trained
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

// From examples before the split. Errors of calibrate() and the predictor; "alarm.too-few" without any. REQUIRES: examples were made of rows.
Result<Watch> start_watch(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows);
// From those whose last row is `row` or behind it, whatever the split says, as newer rows are recalibrated with: 0 is all of them, more where
// others were put in front (task::joined). Make `examples` with the statistics of the watch before.
Result<Watch> start_watch_from(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows, std::uint32_t row);

}  // namespace entente::task
