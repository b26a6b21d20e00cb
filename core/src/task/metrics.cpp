#include "entente/task/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "entente/base/math.hpp"

namespace entente::task {
namespace {

bool all_numbers(std::span<const float> values) {
    return std::none_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
}

// From the highest score down; tied ones in the order of their rows.
std::vector<std::uint32_t> falling(std::span<const float> scores) {
    std::vector<std::uint32_t> order(scores.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
    std::sort(order.begin(), order.end(), [scores](std::uint32_t a, std::uint32_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
    return order;
}

// Events and others among the scores that are the same, from the highest down.
struct Step {
    std::uint64_t events = 0;
    std::uint64_t others = 0;
};

std::vector<Step> steps_of(std::span<const float> scores, std::span<const std::uint32_t> labels) {
    std::vector<Step> steps;
    const std::vector<std::uint32_t> order = falling(scores);
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == 0 || scores[order[i]] != scores[order[i - 1]]) steps.emplace_back();
        ++(labels[order[i]] == 1 ? steps.back().events : steps.back().others);
    }
    return steps;
}

std::uint64_t events_in(std::span<const std::uint32_t> labels) { return static_cast<std::uint64_t>(std::count(labels.begin(), labels.end(), 1u)); }

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::optional<double> roc_auc(std::span<const float> scores, std::span<const std::uint32_t> labels) {
    const std::uint64_t events = events_in(labels), others = labels.size() - events;
    if (events == 0 || others == 0 || !all_numbers(scores)) return std::nullopt;
    double above = 0.0;  // pairs in which the event is higher; halves for ties
    std::uint64_t events_so_far = 0;
    for (const Step& step : steps_of(scores, labels)) {
        above += static_cast<double>(step.others) * (static_cast<double>(events_so_far) + 0.5 * static_cast<double>(step.events));
        events_so_far += step.events;
    }
    return above / (static_cast<double>(events) * static_cast<double>(others));
}

std::optional<double> average_precision(std::span<const float> scores, std::span<const std::uint32_t> labels) {
    const std::uint64_t events = events_in(labels);
    if (events == 0 || !all_numbers(scores)) return std::nullopt;
    double sum = 0.0;
    std::uint64_t found = 0, alarms = 0;
    for (const Step& step : steps_of(scores, labels)) {
        found += step.events;
        alarms += step.events + step.others;
        sum += static_cast<double>(step.events) * static_cast<double>(found) / static_cast<double>(alarms);
    }
    return sum / static_cast<double>(events);
}

std::optional<double> precision_at(std::span<const float> scores, std::span<const std::uint32_t> labels, double share) {
    if (scores.empty() || !all_numbers(scores)) return std::nullopt;
    const auto wanted = static_cast<std::size_t>(share * static_cast<double>(scores.size()));
    const std::size_t count = std::clamp<std::size_t>(wanted, 1, scores.size());
    const std::vector<std::uint32_t> order = falling(scores);
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < count; ++i) found += labels[order[i]] == 1 ? 1u : 0u;
    return ratio(found, count);
}

std::optional<double> Confusion::f1() const { return ratio(2 * true_positive, 2 * true_positive + false_positive + false_negative); }
std::optional<double> Confusion::false_alarm_rate() const { return ratio(false_positive, false_positive + true_negative); }
std::optional<double> Confusion::missed_alarm_rate() const { return ratio(false_negative, false_negative + true_positive); }

void Confusion::add(const Confusion& other) {
    true_positive += other.true_positive;
    false_positive += other.false_positive;
    true_negative += other.true_negative;
    false_negative += other.false_negative;
}

Confusion confusion_at(std::span<const float> scores, std::span<const std::uint32_t> labels, double threshold) {
    Confusion c;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const bool alarm = static_cast<double>(scores[i]) > threshold;
        ++(labels[i] == 1 ? (alarm ? c.true_positive : c.false_negative) : (alarm ? c.false_positive : c.true_negative));
    }
    return c;
}

std::optional<double> best_f1(std::span<const float> scores, std::span<const std::uint32_t> labels) {
    const std::uint64_t events = events_in(labels);
    if (events == 0 || !all_numbers(scores)) return std::nullopt;
    double best = 0.0;
    std::uint64_t found = 0, alarms = 0;
    for (const Step& step : steps_of(scores, labels)) {
        found += step.events;
        alarms += step.events + step.others;
        best = std::max(best, 2.0 * static_cast<double>(found) / static_cast<double>(alarms + events));
    }
    return best;
}

std::optional<double> brier(std::span<const float> probabilities, std::span<const std::uint32_t> labels) {
    if (probabilities.empty() || !all_numbers(probabilities)) return std::nullopt;
    double sum = 0.0;
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
        const double e = static_cast<double>(probabilities[i]) - static_cast<double>(labels[i]);
        sum += e * e;
    }
    return sum / static_cast<double>(probabilities.size());
}

std::optional<double> rmse(std::span<const float> predicted, std::span<const float> truth) {
    if (predicted.empty() || !all_numbers(predicted)) return std::nullopt;
    double sum = 0.0;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
        const double e = static_cast<double>(predicted[i]) - static_cast<double>(truth[i]);
        sum += e * e;
    }
    return std::sqrt(sum / static_cast<double>(predicted.size()));
}

std::optional<double> nasa_score(std::span<const float> predicted, std::span<const float> truth) {
    if (predicted.empty() || !all_numbers(predicted)) return std::nullopt;
    double sum = 0.0;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
        const double e = static_cast<double>(predicted[i]) - static_cast<double>(truth[i]);
        sum += math::exp(e < 0 ? -e / 13.0 : e / 10.0) - 1.0;
    }
    return sum;
}

std::optional<double> quantile(std::span<const float> scores, double share) {
    if (scores.empty() || !all_numbers(scores)) return std::nullopt;
    std::vector<float> sorted(scores.begin(), scores.end());
    std::sort(sorted.begin(), sorted.end());
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return static_cast<double>(sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1]);
}

}  // namespace entente::task
