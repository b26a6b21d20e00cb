#include "entente/task/prepare.hpp"

#include <algorithm>
#include <cmath>

#include "task/statistics.hpp"
#include "task/windows.hpp"

namespace entente::task {
namespace {

Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

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
    ExampleWriter writer(task, numbers, sequence);
    for (std::size_t e = 0; e < windows.size(); ++e) {
        writer.put(windows[e], std::span<float>(&d.features[e * size], size));
        const std::uint32_t last = last_row(windows[e], sequence);
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
    const std::vector<std::uint32_t> sequence = sequence_of(task, order);
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
