#include "task/row_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "entente/base/math.hpp"

namespace entente::task {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

const Values& values_of(const Task& task, const Rows& rows, const std::string& column) { return rows.columns[*find_column(task, column)]; }

const std::vector<table::InstantMs>* times_of(const Task& task, const Rows& rows) {
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        if (task.columns[i].role == Role::time && !rows.columns[i].instants.empty()) return &rows.columns[i].instants;
    }
    return nullptr;
}

double value_of(const Feature& f, double x) {
    const double scaled = f.scale * x;
    return f.logarithm ? math::log(1.0 + scaled) : scaled;
}

void add_days_between(const Feature& f, const Values& from, const Values& to, std::size_t at, std::size_t stride, std::vector<double>& dense) {
    const std::size_t rows = dense.size() / stride;
    for (std::size_t r = 0; r < rows; ++r) {
        const bool known = from.present() && to.present() && from.instants[r] != no_instant && to.instants[r] != no_instant && to.instants[r] >= from.instants[r];
        const double days = known ? static_cast<double>(to.instants[r] - from.instants[r]) / static_cast<double>(table::ms_per_day) : 0.0;
        dense[r * stride + at] = f.scale * days;
        dense[r * stride + at + 1] = known ? 1.0 : 0.0;
    }
}

void add_calendar(const Values& v, std::size_t at, std::size_t stride, std::vector<double>& dense) {
    const std::size_t rows = dense.size() / stride;
    for (std::size_t r = 0; r < rows; ++r) {
        double* out = &dense[r * stride + at];
        if (!v.present() || v.instants[r] == no_instant) {
            std::fill_n(out, 5, missing);
            continue;
        }
        const table::CalendarDay day = table::calendar_day(v.instants[r]);
        const double turn = static_cast<double>(day.day_of_year - 1) / 366.0;
        out[0] = math::cos_turns(turn < 0.25 ? turn + 0.75 : turn - 0.25);  // the sine
        out[1] = math::cos_turns(turn);
        out[2] = day.weekday;
        out[3] = static_cast<double>(day.day) / 31.0;
        out[4] = static_cast<double>(day.year - 2000) + turn;
    }
}

void add_same_count(const Values& v, std::size_t at, std::size_t stride, std::vector<double>& dense) {
    std::vector<std::uint64_t> counts(v.words.size());
    for (const std::uint32_t code : v.codes) {
        if (code != no_word) ++counts[code];
    }
    const std::size_t rows = dense.size() / stride;
    for (std::size_t r = 0; r < rows; ++r) {
        const bool known = v.present() && v.codes[r] != no_word;
        dense[r * stride + at] = known ? math::log(1.0 + static_cast<double>(counts[v.codes[r]])) : missing;
    }
}

// Of the rows of one category, when their label was known and how the labels add up.
struct Event {
    table::InstantMs known = 0;
    std::uint32_t row = 0;
    double label = 0.0;
};

void add_history(const Task& task, const Rows& rows, const Feature& f, const std::vector<double>& labels, std::size_t at, std::size_t stride, std::vector<double>& dense) {
    const Values& v = values_of(task, rows, f.column);
    const Values& known = values_of(task, rows, task.label.column);
    const std::vector<table::InstantMs>* times = times_of(task, rows);
    std::vector<std::vector<Event>> events(v.words.size());
    for (std::size_t r = 0; r < v.codes.size() && known.present(); ++r) {
        if (v.codes[r] != no_word && known.instants[r] != no_instant && !std::isnan(labels[r])) {
            events[v.codes[r]].push_back({known.instants[r], static_cast<std::uint32_t>(r), labels[r]});
        }
    }
    std::vector<std::vector<double>> sums(events.size());
    for (std::size_t c = 0; c < events.size(); ++c) {
        std::sort(events[c].begin(), events[c].end(), [](const Event& a, const Event& b) { return a.known != b.known ? a.known < b.known : a.row < b.row; });
        sums[c].push_back(0.0);
        for (const Event& e : events[c]) sums[c].push_back(sums[c].back() + e.label);
    }
    const auto days = [](double n) { return static_cast<table::InstantMs>(n * static_cast<double>(table::ms_per_day)); };
    for (std::size_t r = 0; r < rows.size; ++r) {
        double n = 0.0, sum = 0.0;
        if (times != nullptr && (*times)[r] != no_instant && v.present() && v.codes[r] != no_word) {
            const auto& list = events[v.codes[r]];
            const table::InstantMs end = (*times)[r] - days(f.gap_days), begin = end - days(f.days);
            const auto by_instant = [](const Event& e, table::InstantMs t) { return e.known < t; };
            const auto first = std::lower_bound(list.begin(), list.end(), begin, by_instant);
            const auto last = std::lower_bound(first, list.end(), end + 1, by_instant);
            n = static_cast<double>(last - first);
            const std::vector<double>& s = sums[v.codes[r]];
            sum = s[static_cast<std::size_t>(last - list.begin())] - s[static_cast<std::size_t>(first - list.begin())];
            // Its own label is no history, however early it was known.
            const table::InstantMs own = known.present() ? known.instants[r] : no_instant;
            if (own != no_instant && own >= begin && own <= end && !std::isnan(labels[r])) {
                n -= 1.0;
                sum -= labels[r];
            }
        }
        dense[r * stride + at] = (sum + f.prior_sum) / (n + f.prior_rows);
        dense[r * stride + at + 1] = math::log(1.0 + n);
    }
}

std::vector<std::uint32_t> hot_of(const Column& c, const Values& v, std::size_t rows) {
    const auto other = static_cast<std::uint32_t>(c.categories.size());
    std::vector<std::uint32_t> of_word(v.words.size());
    for (std::size_t w = 0; w < of_word.size(); ++w) {
        if (c.unknown == Unknown::hash) {
            of_word[w] = static_cast<std::uint32_t>(name_hash(v.words[w]) % c.buckets);
        } else {
            of_word[w] = static_cast<std::uint32_t>(std::find(c.categories.begin(), c.categories.end(), v.words[w]) - c.categories.begin());
        }
    }
    std::vector<std::uint32_t> hot(rows, c.unknown == Unknown::hash ? static_cast<std::uint32_t>(name_hash({}) % c.buckets) : other);
    for (std::size_t r = 0; r < v.codes.size(); ++r) {
        if (v.codes[r] != no_word) hot[r] = of_word[v.codes[r]];
    }
    return hot;
}

}  // namespace

std::uint64_t name_hash(std::string_view text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

RowNumbers numbers_of(const Task& task, const Rows& rows, const std::vector<double>& labels) {
    RowNumbers out;
    for (const Feature& f : task.features) {
        const std::uint32_t width = width_of(task, f);
        if (f.kind == FeatureKind::one_hot) {
            const std::size_t column = *find_column(task, f.column);
            out.hot_at.push_back(out.width);
            out.hot.push_back(hot_of(task.columns[column], rows.columns[column], static_cast<std::size_t>(rows.size)));
        } else {
            for (std::uint32_t i = 0; i < width; ++i) out.dense_at.push_back(out.width + i);
        }
        out.width += width;
    }
    const std::size_t stride = out.dense_at.size();
    out.dense.assign(static_cast<std::size_t>(rows.size) * stride, missing);
    std::size_t at = 0;
    for (const Feature& f : task.features) {
        if (f.kind == FeatureKind::one_hot) continue;
        const Values& v = values_of(task, rows, f.column);
        switch (f.kind) {
            case FeatureKind::value:
                for (std::size_t r = 0; r < v.numbers.size(); ++r) out.dense[r * stride + at] = value_of(f, v.numbers[r]);
                break;
            case FeatureKind::days_between: add_days_between(f, v, values_of(task, rows, f.to), at, stride, out.dense); break;
            case FeatureKind::calendar: add_calendar(v, at, stride, out.dense); break;
            case FeatureKind::same_count: add_same_count(v, at, stride, out.dense); break;
            case FeatureKind::history: add_history(task, rows, f, labels, at, stride, out.dense); break;
            case FeatureKind::one_hot: break;
        }
        at += width_of(task, f);
    }
    return out;
}

}  // namespace entente::task
