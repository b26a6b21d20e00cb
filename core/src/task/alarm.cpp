#include "entente/task/alarm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "task/words.hpp"

namespace entente::task {
namespace {

constexpr double most_share = 0.1;   // of a budget's alerts among all examples
constexpr double rounding = 1e-9;    // (n + 1) q may be whole but for the last bit
constexpr double ms_per_week = 7.0 * static_cast<double>(table::ms_per_day);

Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

double weeks_of(const Calibration& c) { return (static_cast<double>(c.last) - static_cast<double>(c.first)) / ms_per_week; }

// At most `allowed` scores are above.
double above_all_but(std::vector<float> scores, std::size_t allowed) {
    const auto nth = scores.begin() + static_cast<std::ptrdiff_t>(allowed);
    std::nth_element(scores.begin(), nth, scores.end(), std::greater<float>());
    return static_cast<double>(*nth);
}

Result<double> by_budget(const Task& task, const std::vector<float>& scores, const Calibration& c) {
    if (c.first == no_instant) return refuse("alarm.times", "alarm.per_week: expected instants to count weeks by, found none");
    const double n = static_cast<double>(scores.size());
    const double allowed = std::floor(std::min(task.alarm.per_week * weeks_of(c), most_share * n) + rounding);
    if (!(allowed >= 1)) {
        return refuse("alarm.too-few", "alarm.per_week: expected at least 10 examples, over " + brief(7.0 / task.alarm.per_week) + " days or more, found " + grouped(scores.size()) + " over " +
                                           brief(7.0 * weeks_of(c)) + " days");
    }
    return above_all_but(scores, static_cast<std::size_t>(allowed));
}

Result<double> by_cost(const Task& task, const std::vector<float>& scores, const std::vector<Event>& events) {
    std::vector<std::size_t> order;
    std::uint64_t yes = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i] == Event::unknown) continue;
        order.push_back(i);
        yes += events[i] == Event::yes ? 1u : 0u;
    }
    if (yes == 0 || yes == order.size()) {
        return refuse("alarm.labels", "alarm.cost_ratio: expected examples with both labels, found " + grouped(yes) + " with an event and " + grouped(order.size() - yes) + " without");
    }
    std::sort(order.begin(), order.end(), [&scores](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
    // Nothing is above the highest score: every event is missed. Then one score after the other comes above.
    double cost = task.alarm.cost_ratio * static_cast<double>(yes), least = cost, threshold = static_cast<double>(scores[order.front()]);
    for (std::size_t i = 0; i < order.size(); ++i) {
        cost += events[order[i]] == Event::yes ? -task.alarm.cost_ratio : 1.0;
        const bool last = i + 1 == order.size();
        if (!last && scores[order[i + 1]] == scores[order[i]]) continue;
        if (!(cost < least - rounding)) continue;
        least = cost;
        threshold = last ? std::nextafter(static_cast<double>(scores[order[i]]), -std::numeric_limits<double>::infinity()) : static_cast<double>(scores[order[i + 1]]);
    }
    return threshold;
}

void note_times(const Seen& seen, Calibration& c) {
    for (const table::InstantMs t : seen.times) {
        if (t == no_instant) continue;
        c.first = c.first == no_instant ? t : std::min(c.first, t);
        c.last = c.last == no_instant ? t : std::max(c.last, t);
    }
}

// What the kind calibrates with: for quantiles what is no event, for cost what has a label.
Seen chosen(const Task& task, const Seen& seen) {
    if (seen.events.empty() || task.alarm.kind == AlarmKind::budget) return seen;
    const Event without = task.alarm.kind == AlarmKind::quantile ? Event::yes : Event::unknown;
    Seen out;
    for (std::size_t i = 0; i < seen.scores.size(); ++i) {
        if (seen.events[i] == without) continue;
        out.scores.push_back(seen.scores[i]);
        out.events.push_back(seen.events[i]);
        if (!seen.times.empty()) out.times.push_back(seen.times[i]);
    }
    return out;
}

}  // namespace

Result<double> conformal_threshold(std::span<const float> normal, double alpha) {
    const double n = static_cast<double>(normal.size());
    const double rank = std::ceil((n + 1.0) * (1.0 - alpha) - rounding);
    if (rank > n) {
        return refuse("alarm.too-few", "alarm.quantile: expected at least " + grouped(static_cast<std::uint64_t>(std::ceil(1.0 / alpha - 1.0 - rounding))) + " normal examples for " + percent(1.0 - alpha) +
                                           ", found " + grouped(normal.size()));
    }
    std::vector<float> sorted(normal.begin(), normal.end());
    std::sort(sorted.begin(), sorted.end());
    return static_cast<double>(sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1]);
}

Result<Calibration> calibrate(const Task& task, const Seen& all) {
    Seen seen = chosen(task, all);
    if (std::any_of(seen.scores.begin(), seen.scores.end(), [](float s) { return std::isnan(s); })) return refuse("alarm.scores", "alarm: expected scores that are numbers");
    Calibration c;
    c.kind = task.alarm.kind;
    c.below = task.label.kind == LabelKind::remaining;
    c.examples = seen.scores.size();
    note_times(seen, c);
    if (c.below) {
        for (float& s : seen.scores) s = -s;
    }
    switch (task.alarm.kind) {
        case AlarmKind::quantile: {
            ENTENTE_ASSIGN(c.threshold, conformal_threshold(seen.scores, 1.0 - task.alarm.quantile));
            c.threshold *= c.below ? 1.0 / task.alarm.margin : task.alarm.margin;
            break;
        }
        case AlarmKind::budget: {
            ENTENTE_ASSIGN(c.threshold, by_budget(task, seen.scores, c));
            break;
        }
        case AlarmKind::cost: {
            ENTENTE_ASSIGN(c.threshold, by_cost(task, seen.scores, seen.events));
            break;
        }
    }
    c.alerts = static_cast<std::uint64_t>(std::count_if(seen.scores.begin(), seen.scores.end(), [&c](float s) { return static_cast<double>(s) > c.threshold; }));
    if (c.below) c.threshold = -c.threshold;
    return c;
}

bool is_alert(const Calibration& c, float score) noexcept {
    return c.below ? static_cast<double>(score) < c.threshold : static_cast<double>(score) > c.threshold;
}

double expected_share(const Calibration& c) noexcept { return static_cast<double>(c.alerts + 1) / static_cast<double>(c.examples + 1); }

std::string sentence(const Task& task, const Calibration& c) {
    const std::string side = c.below ? "below " : "above ";
    std::string of = grouped(c.examples) + (c.kind == AlarmKind::quantile ? " normal" : "") + (c.examples == 1 ? " example" : " examples");
    if (c.first != no_instant) of += ", " + table::format_instant(c.first) + " to " + table::format_instant(c.last);
    std::string rule;
    switch (c.kind) {
        case AlarmKind::quantile:
            rule = "normal examples are " + side + "it with a chance of at most " + percent(1.0 - task.alarm.quantile) + (task.alarm.margin == 1.0 ? "" : ", before a margin of " + brief(task.alarm.margin));
            break;
        case AlarmKind::budget: rule = "at most " + brief(task.alarm.per_week) + " a week, and no more than every tenth example"; break;
        case AlarmKind::cost: rule = "a missed event costs " + brief(task.alarm.cost_ratio) + " false alarms"; break;
    }
    return "an alert is a score " + side + brief(c.threshold) + ": " + rule + "; by " + of + ", " + counted(c.alerts, "alert") + " among them";
}

}  // namespace entente::task
