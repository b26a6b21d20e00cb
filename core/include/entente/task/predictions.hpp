// What a model says about the rows behind a task's split, and what that is worth by the task's metrics.
//
//   ENTENTE_ASSIGN(const task::Predictions said, task::predict_examples(late, mine, parameters));
//   task::metrics_of(late, said);        // in the order of late.metrics; none where one is undefined
//
// Errors are those of nn::Model. Thread-safety: pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "entente/task/prepare.hpp"
#include "entente/trees/forest.hpp"

namespace entente::task {

struct Predictions {
    std::vector<float> scores;          // of each example: see below
    std::vector<std::uint32_t> labels;  // of classes, or whether it is abnormal; else empty
    std::vector<float> truth;           // of numbers, in the label's unit; else empty
    double threshold = 0.5;             // an alarm is a score above it
};

// Of each example that is only scored: under a label of two classes the probability of 1; of numbers the value in the label's
// unit; of an autoencoder the mean absolute error of the window, over the alarm's quantile of the partner's own training windows times
// its margin. REQUIRES: task.model is the model's, and prepared are rows of this task.
Result<Predictions> predict_examples(const Task& task, const Prepared& prepared, std::span<const float> parameters);

// The same of trees. REQUIRES: the forest passed its check and takes an example's numbers.
Predictions predict_examples(const Task& task, const Prepared& prepared, const trees::Forest& forest);

// Labels, truth and threshold, without scores.
Predictions truth_of(const Task& task, const Prepared& prepared);
// What can be said without a model: the rate of 1 or the mean of all rows that are trained on, in the label's unit; of an autoencoder's task a
// score beyond the threshold, so that every row is an alarm.
float constant_prediction(const Task& task, std::span<const Prepared> partners);

// A metric of classes where there are only numbers, and the other way round, is none.
std::vector<std::optional<double>> metrics_of(const Task& task, const Predictions& said);

}  // namespace entente::task
