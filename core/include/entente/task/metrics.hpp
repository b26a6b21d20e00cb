// What scores are worth.
//
//   task::roc_auc(scores, labels)                 // 0.5 says nothing; none where only one class is there
//   task::confusion_at(scores, labels, 0.7).f1()  // alarm where the score is above 0.7
//
// A label is 1 (the event) or 0. Definitions, as in scikit-learn 1.x unless said:
//   roc_auc            the chance that an event scores above a non-event, ties counting half (Mann-Whitney U / n1 n0)
//   average_precision  sum over falling thresholds of (recall step) x precision; one step for tied scores; no trapezes
//   precision_at       of the floor(share n) highest scores, at least one; ties go to the earlier row
//   best_f1            over all thresholds: a diagnostic, an upper bound that no rule reaches honestly
//   brier              mean of (probability - label)^2
//   nasa_score         sum of e^(-e/13) - 1 below and e^(e/10) - 1 above, e = predicted - true (Saxena et al., PHM 2008)
// Nothing where it is undefined: no rows, one class only, a score that is no number. Sums in double, in the order of
// the rows or of the sorted scores. Thread-safety: pure. REQUIRES: both spans are as long.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace entente::task {

std::optional<double> roc_auc(std::span<const float> scores, std::span<const std::uint32_t> labels);
std::optional<double> average_precision(std::span<const float> scores, std::span<const std::uint32_t> labels);
std::optional<double> precision_at(std::span<const float> scores, std::span<const std::uint32_t> labels, double share);

struct Confusion {
    std::uint64_t true_positive = 0, false_positive = 0, true_negative = 0, false_negative = 0;

    [[nodiscard]] std::optional<double> f1() const;                 // 2 TP / (2 TP + FP + FN)
    [[nodiscard]] std::optional<double> false_alarm_rate() const;   // FP / (FP + TN)
    [[nodiscard]] std::optional<double> missed_alarm_rate() const;  // FN / (FN + TP)
    void add(const Confusion& other);

    friend bool operator==(const Confusion&, const Confusion&) = default;
};

// An alarm is a score above the threshold.
Confusion confusion_at(std::span<const float> scores, std::span<const std::uint32_t> labels, double threshold);
std::optional<double> best_f1(std::span<const float> scores, std::span<const std::uint32_t> labels);

std::optional<double> brier(std::span<const float> probabilities, std::span<const std::uint32_t> labels);
std::optional<double> rmse(std::span<const float> predicted, std::span<const float> truth);
std::optional<double> nasa_score(std::span<const float> predicted, std::span<const float> truth);

// The smallest score that at least `share` of them do not exceed. REQUIRES: 0 < share <= 1.
std::optional<double> quantile(std::span<const float> scores, double share);

}  // namespace entente::task
