// From which score on there is an alert: a partner's own threshold, by its own rows.
//
//   task::Seen seen{scores, events, times};                            // of rows before the split, one entry an example
//   ENTENTE_ASSIGN(const task::Calibration alarm, task::calibrate(late, seen));
//   if (task::is_alert(alarm, score)) ...
//
// By the task's [alarm], with n examples:
//   quantile  q: of those that are no events, the ceil((n + 1) q)-th smallest score, times `margin`. A normal score that is
//             exchangeable with them exceeds it with a chance of 1 - q at most (split conformal prediction: Papadopoulos et al. 2002; Vovk,
//             Gammerman, Shafer 2005, proposition 2.4). Scores of rows that the model was trained on are not quite: it knows them. Rows
//             that came later, calibrated with again, are.
//   budget    per_week: so many alerts a week at most, over the weeks from the first example to the last, and never more than every tenth example
//   cost      what would have cost least: cost_ratio for each event without an alert, 1 for each alert without an event; of equal ones the highest
// Where less remains, worse is it: under the label "remaining" an alert is a score below its threshold, and everything above is mirrored.
// Errors, invalid_argument: "alarm.too-few" (says how many are needed), "alarm.times" (no instants to count weeks by), "alarm.labels" (cost
// without both kinds), "alarm.scores" (one is no number). Plain values, pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "entente/task/score_rows.hpp"

namespace entente::task {

// What is calibrated with. events and times are as long as scores, or empty: unknown.
struct Seen {
    std::vector<float> scores;
    std::vector<Event> events;
    std::vector<table::InstantMs> times;
};

struct Calibration {
    AlarmKind kind = AlarmKind::quantile;
    bool below = false;          // an alert is a score below the threshold; else above
    double threshold = 0.0;
    std::uint64_t examples = 0;  // calibrated with
    std::uint64_t alerts = 0;    // that there would have been among them
    table::InstantMs first = no_instant, last = no_instant;

    friend bool operator==(const Calibration&, const Calibration&) = default;
};

// REQUIRES: check(task) is ok.
Result<Calibration> calibrate(const Task& task, const Seen& seen);
// "an alert is a score above 0.71: normal examples are above it with a chance of at most 1 %; by 371 normal examples, 2020-03-09 10:14:33 to
// 2020-03-09 10:20:43, 3 alerts among them"
std::string sentence(const Task& task, const Calibration& calibration);

bool is_alert(const Calibration& calibration, float score) noexcept;
// The share of examples that an alert is expected for: (alerts + 1) / (examples + 1).
double expected_share(const Calibration& calibration) noexcept;

// The score that is as high or higher with a chance of alpha at most; none of fewer than 1 / alpha - 1 scores: "alarm.too-few".
// REQUIRES: 0 < alpha < 1.
Result<double> conformal_threshold(std::span<const float> normal, double alpha);

}  // namespace entente::task
