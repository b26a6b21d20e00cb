#include "entente/task/drift.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "entente/base/math.hpp"
#include "task/row_numbers.hpp"
#include "task/words.hpp"

namespace entente::task {
namespace {

constexpr std::size_t bins = 10;
constexpr double shift = 0.25;
constexpr double normal_999 = 3.0902323061678132;
constexpr double one_in_thousand = 6.907755278982137;  // -ln 0.001
constexpr std::size_t fewest = 10;

bool is_category(const Feature& f) { return f.kind == FeatureKind::one_hot; }
bool is_summed(const Feature& f) { return f.kind == FeatureKind::value || f.kind == FeatureKind::days_between || is_category(f); }

// The 99.9 % quantile of chi-squared (Wilson and Hilferty 1931).
double chi_squared_999(double freedom) {
    const double c = 2.0 / (9.0 * freedom), root = 1.0 - c + normal_999 * std::sqrt(c);
    return freedom * root * root * root;
}

// Each value that 10, 20, ... % of the sorted ones are below; equal ones are one cut.
std::vector<double> deciles(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::vector<double> cuts;
    for (std::size_t i = 1; i < bins && !values.empty(); ++i) {
        const double cut = values[i * values.size() / bins];
        if (cut > values.front() && (cuts.empty() || cut > cuts.back())) cuts.push_back(cut);
    }
    return cuts;
}

std::vector<std::uint64_t> counts_of(const Task& task, const Feature& f, const std::vector<double>& cuts, const Rows& rows, std::span<const std::uint32_t> chosen) {
    const std::size_t places = is_category(f) ? width_of(task, f) : cuts.size() + 1;
    std::vector<std::uint64_t> counts(places + 1);
    for (const std::uint32_t r : chosen) {
        const auto x = input_value(task, f, rows, r);
        std::size_t at = places;
        if (x) at = is_category(f) ? static_cast<std::size_t>(*x) : static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), *x) - cuts.begin());
        ++counts[at];
    }
    return counts;
}

std::string name_of(const Feature& f) { return f.kind == FeatureKind::days_between ? "days from " + f.column + " to " + f.to : f.column; }

std::string bin_name(const Task& task, const Feature& f, const InputSummary& s, std::size_t bin) {
    const Column& c = task.columns[*find_column(task, f.column)];
    if (bin + 1 == s.counts.size()) return "without a value";
    if (is_category(f)) return c.unknown == Unknown::hash ? "in bucket " + std::to_string(bin) : bin < c.categories.size() ? c.categories[bin] : std::string("of another category");
    const std::string unit = f.kind == FeatureKind::days_between || c.unit.empty() ? "" : " " + c.unit;
    if (s.cuts.empty()) return "with a value";
    if (bin == 0) return "below " + brief(s.cuts.front()) + unit;
    if (bin == s.cuts.size()) return brief(s.cuts.back()) + unit + " or more";
    return brief(s.cuts[bin - 1]) + " to " + brief(s.cuts[bin]) + unit;
}

// The share of p in its sum, half a row more in each bin.
double share_of(const std::vector<std::uint64_t>& counts, std::size_t bin, double rows) {
    return (static_cast<double>(counts[bin]) + 0.5) / (rows + 0.5 * static_cast<double>(counts.size()));
}

std::uint64_t sum_of(const std::vector<std::uint64_t>& counts) { return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}); }

Drift drift(const Task& task, const InputSummary& usual, const std::vector<std::uint64_t>& now) {
    const Feature& f = task.features[usual.feature];
    const double n = static_cast<double>(usual.rows()), m = static_cast<double>(sum_of(now));
    Drift d;
    d.feature = usual.feature;
    std::size_t most = 0, filled = 0;
    double largest = -1.0;
    for (std::size_t b = 0; b < now.size(); ++b) {
        if (usual.counts[b] + now[b] == 0) continue;
        ++filled;
        const double p = share_of(usual.counts, b, n), q = share_of(now, b, m);
        const double part = (q - p) * math::log(q / p);
        d.psi += part;
        // What has become more says more than what has become less.
        if (q > p && part > largest) {
            largest = part;
            most = b;
        }
    }
    d.limit = n < 1 || m < 1 ? shift : std::max(shift, chi_squared_999(static_cast<double>(std::max<std::size_t>(filled, 2) - 1)) * (1.0 / n + 1.0 / m));
    d.moved = m >= static_cast<double>(fewest) && n >= static_cast<double>(fewest) && d.psi > d.limit;
    d.sentence = name_of(f) + ": " + percent(static_cast<double>(now[most]) / std::max(m, 1.0)) + " of the rows are " + bin_name(task, f, usual, most) + ", usually " +
                 percent(static_cast<double>(usual.counts[most]) / std::max(n, 1.0)) + " (PSI " + brief(d.psi, 3) + ")";
    return d;
}

// Kullback-Leibler divergence of a coin with share q from one with p.
double divergence(double q, double p) {
    const double yes = q > 0 ? q * math::log(q / p) : 0.0, no = q < 1 ? (1.0 - q) * math::log((1.0 - q) / (1.0 - p)) : 0.0;
    return yes + no;
}

}  // namespace

std::uint64_t InputSummary::rows() const noexcept { return sum_of(counts); }

std::optional<double> input_value(const Task& task, const Feature& f, const Rows& rows, std::uint32_t row) {
    const std::size_t column = *find_column(task, f.column);
    const Values& v = rows.columns[column];
    if (!v.present()) return std::nullopt;
    switch (f.kind) {
        case FeatureKind::value: return std::isnan(v.numbers[row]) ? std::nullopt : std::optional(v.numbers[row]);
        case FeatureKind::days_between: {
            const Values& to = rows.columns[*find_column(task, f.to)];
            if (!to.present() || v.instants[row] == no_instant || to.instants[row] == no_instant) return std::nullopt;
            return static_cast<double>(to.instants[row] - v.instants[row]) / static_cast<double>(table::ms_per_day);
        }
        case FeatureKind::one_hot: {
            if (v.codes[row] == no_word) return std::nullopt;
            const std::string& word = v.words[v.codes[row]];
            const Column& c = task.columns[column];
            if (c.unknown == Unknown::hash) return static_cast<double>(name_hash(word) % c.buckets);
            return static_cast<double>(std::find(c.categories.begin(), c.categories.end(), word) - c.categories.begin());
        }
        case FeatureKind::calendar:
        case FeatureKind::same_count:
        case FeatureKind::history: break;
    }
    return std::nullopt;
}

std::vector<InputSummary> summarise(const Task& task, const Rows& rows, std::span<const std::uint32_t> chosen) {
    std::vector<InputSummary> all;
    for (std::size_t i = 0; i < task.features.size(); ++i) {
        const Feature& f = task.features[i];
        if (!is_summed(f)) continue;
        InputSummary s;
        s.feature = static_cast<std::uint32_t>(i);
        if (!is_category(f)) {
            std::vector<double> values;
            for (const std::uint32_t r : chosen) {
                if (const auto x = input_value(task, f, rows, r)) values.push_back(*x);
            }
            for (const double x : values) s.mean += x;
            s.mean /= static_cast<double>(std::max<std::size_t>(values.size(), 1));
            s.cuts = deciles(std::move(values));
        }
        s.counts = counts_of(task, f, s.cuts, rows, chosen);
        all.push_back(std::move(s));
    }
    return all;
}

std::vector<Drift> drift_of(const Task& task, std::span<const InputSummary> usual, const Rows& rows, std::span<const std::uint32_t> chosen) {
    std::vector<Drift> all;
    for (const InputSummary& s : usual) all.push_back(drift(task, s, counts_of(task, task.features[s.feature], s.cuts, rows, chosen)));
    return all;
}

RateCheck check_rate(const Task& task, const Calibration& calibration, std::uint64_t examples, std::uint64_t alerts) {
    RateCheck c;
    c.expected = expected_share(calibration);
    const double q = examples == 0 ? 0.0 : static_cast<double>(alerts) / static_cast<double>(examples);
    const double overlap = std::max(1.0, static_cast<double>(task.window.length) / static_cast<double>(task.window.stride));
    if (c.expected < 1 && static_cast<double>(examples) / overlap * divergence(q, c.expected) > one_in_thousand) c.rate = q > c.expected ? Rate::more : Rate::fewer;
    c.sentence = counted(alerts, "alert") + " in " + counted(examples, "example") + ", " + percent(q) + "; calibrated for " + percent(c.expected) + ": ";
    switch (c.rate) {
        case Rate::as_calibrated: c.sentence += "no more and no fewer than chance allows"; break;
        case Rate::more: c.sentence += "more than chance allows"; break;
        case Rate::fewer: c.sentence += "fewer than chance allows"; break;
    }
    return c;
}

}  // namespace entente::task
