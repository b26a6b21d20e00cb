#include "entente/task/prepare.hpp"

#include <algorithm>
#include <cmath>

#include "task/row_numbers.hpp"
#include "task/statistics.hpp"

namespace entente::task {
namespace {

Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

// An example's rows: so many from a place in the sequence on. Fewer than the window's length: the first stands for those
// that are not there.
struct WindowAt {
    std::size_t begin = 0;
    std::size_t count = 1;
};

void put_row(const RowNumbers& numbers, std::uint32_t r, std::span<float> out) {
    std::fill(out.begin(), out.end(), 0.0f);
    const std::size_t stride = numbers.dense_at.size();
    for (std::size_t i = 0; i < stride; ++i) out[numbers.dense_at[i]] = static_cast<float>(numbers.dense[r * stride + i]);
    for (std::size_t f = 0; f < numbers.hot.size(); ++f) out[numbers.hot_at[f] + numbers.hot[f][r]] = 1.0f;
}

double summary_of(Summary kind, std::span<const double> x) {
    const auto n = static_cast<double>(x.size());
    const auto mean_of = [](std::span<const double> v) {
        double sum = 0.0;
        for (const double value : v) sum += value;
        return sum / static_cast<double>(v.size());
    };
    const double mean = mean_of(x);
    switch (kind) {
        case Summary::last_mean: return mean_of(x.last(std::min<std::size_t>(5, x.size())));
        case Summary::mean: return mean;
        case Summary::slope: {
            const double middle = (n - 1.0) / 2.0;
            double products = 0.0, squares = 0.0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double t = static_cast<double>(i) - middle;
                products += t * x[i];
                squares += t * t;
            }
            return squares > 0 ? products / squares * n : 0.0;
        }
        case Summary::deviation: {
            double squares = 0.0;
            for (const double value : x) squares += (value - mean) * (value - mean);
            return std::sqrt(squares / n);
        }
    }
    return 0.0;
}

void put_summary(const Task& task, const RowNumbers& numbers, std::span<const std::uint32_t> rows, std::vector<float>& row, std::span<float> out) {
    std::vector<std::vector<double>> columns(numbers.width, std::vector<double>(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        // Doubles where there are some: a window's deviation is small beside its mean.
        put_row(numbers, rows[i], row);
        for (std::size_t c = 0; c < numbers.width; ++c) columns[c][i] = row[c];
        const std::size_t stride = numbers.dense_at.size();
        for (std::size_t d = 0; d < stride; ++d) columns[numbers.dense_at[d]][i] = numbers.dense[rows[i] * stride + d];
    }
    for (std::size_t s = 0; s < task.window.summary.size(); ++s) {
        for (std::size_t c = 0; c < numbers.width; ++c) out[s * numbers.width + c] = static_cast<float>(summary_of(task.window.summary[s], columns[c]));
    }
}

// How many rows of the same group, all trained on, lie right before a place in the sequence, as far as a window reaches.
std::size_t rows_before(const Task& task, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& sequence, const std::vector<std::uint8_t>& sides,
                        std::size_t at) {
    std::size_t n = 0;
    while (n + 1 < task.window.length && n < at && groups[sequence[at - n - 1]] == groups[sequence[at]] && sides[sequence[at - n - 1]] == side_train) ++n;
    return n;
}

// The windows of one side, each within one group and without a gap of rows of the other side. What is scored is a window's last row, so
// that a window of the other side may begin among the rows that came before.
std::vector<WindowAt> windows_of(const Task& task, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& sequence,
                                 const std::vector<std::uint8_t>& sides, std::uint8_t side, bool last_only) {
    const Window& w = task.window;
    std::vector<WindowAt> windows;
    for (std::size_t begin = 0; begin < sequence.size();) {
        const auto goes_on = [&](std::size_t at) {
            return w.length > 1 && at < sequence.size() && groups[sequence[at]] == groups[sequence[begin]] && sides[sequence[at]] == sides[sequence[begin]];
        };
        std::size_t end = begin + 1;
        while (goes_on(end)) ++end;
        if (sides[sequence[begin]] == side) {
            const std::size_t before = side == side_test ? rows_before(task, groups, sequence, sides, begin) : 0;
            const std::size_t first = begin - before, count = end - first;
            if (count < w.length && w.pad) windows.push_back({first, count});
            const std::size_t last = count < w.length ? 0 : count - w.length;
            for (std::size_t at = last_only ? last : 0; at + w.length <= count; at += w.stride) windows.push_back({first + at, w.length});
        }
        begin = end;
    }
    return windows;
}

Side side_of(const Task& task, bool knows_abnormal, const RowNumbers& numbers, const std::vector<WindowAt>& windows, const std::vector<std::uint32_t>& sequence,
             const std::vector<double>& labels) {
    Side side;
    data::Dataset& d = side.dataset;
    d.example_shape = example_shape(task);
    const std::size_t size = d.example_size();
    d.features.resize(windows.size() * size);
    const bool is_class = task.label.kind == LabelKind::flag || task.label.kind == LabelKind::later;
    if (is_class) d.classes = 2;
    if (task.label.kind == LabelKind::value || task.label.kind == LabelKind::remaining) d.outputs = 1;
    if (task.label.kind == LabelKind::none) d.outputs = static_cast<std::uint32_t>(size);
    std::vector<float> row(numbers.width);
    std::vector<std::uint32_t> rows(task.window.length);
    for (std::size_t e = 0; e < windows.size(); ++e) {
        const std::size_t absent = rows.size() - windows[e].count;
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = sequence[windows[e].begin + (i < absent ? 0 : i - absent)];
        const std::span<float> out(&d.features[e * size], size);
        if (task.window.summary.empty()) {
            for (std::size_t i = 0; i < rows.size(); ++i) put_row(numbers, rows[i], out.subspan(i * numbers.width, numbers.width));
        } else {
            put_summary(task, numbers, rows, row, out);
        }
        const std::uint32_t last = rows.back();
        side.last_rows.push_back(last);
        if (is_class) d.labels.push_back(labels[last] > 0.5 ? 1 : 0);
        if (d.outputs == 1) d.targets.push_back(static_cast<float>(labels[last]));
        if (knows_abnormal) side.abnormal.push_back(labels[last] > 0.5 ? 1 : 0);
    }
    if (task.label.kind == LabelKind::none) d.targets = d.features;
    return side;
}

std::string amount(std::size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

Status check_enough(const Task& task, const Rows& rows, const Prepared& p, const std::vector<std::uint8_t>& sides) {
    const auto count = [&sides](std::uint8_t side) { return static_cast<std::size_t>(std::count(sides.begin(), sides.end(), side)); };
    const std::size_t examples = p.train.last_rows.size();
    if (count(side_none) == sides.size()) return refuse("table.label", "expected rows with a label, found none in " + amount(sides.size(), "row"));
    if (examples < task.min_rows) {
        std::string why = amount(static_cast<std::size_t>(rows.size), "row");
        if (count(side_test) > 0) why += ", " + std::to_string(count(side_test)) + " of them behind the split, only to be scored";
        if (count(side_none) > 0) why += ", " + std::to_string(count(side_none)) + " without a label";
        if (task.window.length > 1) why += "; a window takes " + std::to_string(task.window.length) + " rows of one group that follow each other";
        return refuse("table.too-few", "expected at least " + amount(task.min_rows, "example") + " to train on, found " + std::to_string(examples) + ": " + why);
    }
    const std::vector<std::uint32_t>& labels = p.train.dataset.labels;
    if (!labels.empty() && std::all_of(labels.begin(), labels.end(), [&labels](std::uint32_t l) { return l == labels.front(); })) {
        return refuse("table.one-class", "expected both labels among the " + amount(labels.size(), "example") + " to train on, found only " + std::to_string(labels.front()));
    }
    return done();
}

std::uint64_t duplicates(const Task& task, const Rows& rows) {
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        if (task.columns[i].role != Role::id) continue;
        const Values& v = rows.columns[i];
        std::vector<bool> seen(v.words.size());
        std::uint64_t again = 0;
        for (const std::uint32_t code : v.codes) {
            if (code == no_word) continue;
            again += seen[code] ? 1u : 0u;
            seen[code] = true;
        }
        return again;
    }
    return 0;
}

}  // namespace

Result<Prepared> prepare(const Task& task, const Rows& rows, const Statistics* given) {
    const std::vector<std::uint32_t> groups = groups_of(task, rows);
    const std::vector<std::uint32_t> order = row_order(task, rows, groups);
    ENTENTE_ASSIGN(const std::vector<double> labels, labels_of(task, rows, groups, order));
    ENTENTE_ASSIGN(const std::vector<std::uint8_t> sides, sides_of(task, rows, groups, order, labels));
    RowNumbers numbers = numbers_of(task, rows, labels);
    const std::vector<std::int64_t> regimes = regimes_of(task, rows);
    Prepared p;
    p.statistics = given != nullptr ? *given : measure(numbers, sides, regimes);
    if (p.statistics.all.mean.size() != numbers.dense_at.size()) {
        return refuse("table.statistics", "expected statistics of " + amount(numbers.dense_at.size(), "number") + ", found " + std::to_string(p.statistics.all.mean.size()));
    }
    scale(task, p.statistics, regimes, numbers);
    // Without windows what comes out stands in the order of what went in.
    std::vector<std::uint32_t> sequence = order;
    if (task.window.length == 1) std::sort(sequence.begin(), sequence.end());
    const bool marked = task.split.kind == SplitKind::marked && rows.columns[*find_column(task, task.split.column)].present();
    const std::vector<WindowAt> train = windows_of(task, groups, sequence, sides, side_train, false);
    const std::vector<WindowAt> test = windows_of(task, groups, sequence, sides, side_test, marked && task.split.last_only);
    std::uint64_t size = task.label.kind == LabelKind::none ? 2 : 1;
    for (const std::uint32_t n : example_shape(task)) size *= n;
    if (std::uint64_t{train.size() + test.size()} * size > most_numbers) {
        return Error{Code::too_large, "table.too-large", "expected at most " + std::to_string(most_numbers / size) + " examples, found " +
                                                             std::to_string(train.size() + test.size()) + "; a larger window.stride gives fewer"};
    }
    const bool knows_abnormal = task.label.kind == LabelKind::none && !task.label.column.empty() && rows.columns[*find_column(task, task.label.column)].present();
    p.train = side_of(task, knows_abnormal, numbers, train, sequence, labels);
    p.test = side_of(task, knows_abnormal, numbers, test, sequence, labels);
    p.without_label = static_cast<std::uint64_t>(std::count(sides.begin(), sides.end(), side_none));
    p.duplicate_ids = duplicates(task, rows);
    ENTENTE_TRY(check_enough(task, rows, p, sides));
    return p;
}

}  // namespace entente::task
