#include "entente/task/score_rows.hpp"

#include <algorithm>
#include <cmath>

#include "task/statistics.hpp"
#include "task/windows.hpp"

namespace entente::task {

struct ScoreRows::State {
    const Task* task = nullptr;
    std::vector<double> labels;
    std::vector<std::uint8_t> split;
    std::vector<std::uint32_t> sequence;
    std::vector<WindowAt> windows;
    RowNumbers numbers;
    Statistics statistics;
    const std::vector<table::InstantMs>* times = nullptr;
    const Values* ids = nullptr;
    bool knows_events = false;
    std::size_t inputs = 1;
};

Task for_scoring(const Task& task) {
    Task reading = task;
    for (Column& c : reading.columns) c.optional = c.optional || c.role == Role::label;
    return reading;
}

Mapping for_scoring(const Task& task, Mapping mapping) {
    for (ColumnMapping& m : mapping.columns) {
        const auto column = find_column(task, m.column);
        m.optional = m.optional || (column && task.columns[*column].role == Role::label);
    }
    return mapping;
}

ScoreRows::ScoreRows(std::unique_ptr<State> state) : state_(std::move(state)) {}
ScoreRows::ScoreRows(ScoreRows&&) noexcept = default;
ScoreRows& ScoreRows::operator=(ScoreRows&&) noexcept = default;
ScoreRows::~ScoreRows() = default;

Result<ScoreRows> ScoreRows::start(const Task& task, const Rows& rows, const Statistics* given) {
    auto state = std::make_unique<State>();
    State& s = *state;
    s.task = &task;
    const std::vector<std::uint32_t> groups = groups_of(task, rows);
    const std::vector<std::uint32_t> order = row_order(task, rows, groups);
    ENTENTE_ASSIGN(s.labels, labels_of(task, rows, groups, order));
    s.split = split_of(task, rows, groups, order);
    s.numbers = numbers_of(task, rows, s.labels);
    const std::vector<std::int64_t> regimes = regimes_of(task, rows);
    if (given != nullptr) {
        s.statistics = *given;
    } else {
        ENTENTE_ASSIGN(const std::vector<std::uint8_t> sides, sides_of(task, rows, groups, order, s.labels));
        s.statistics = measure(s.numbers, sides, regimes);
    }
    if (s.statistics.all.mean.size() != s.numbers.dense_at.size()) {
        return Error{Code::invalid_argument, "table.statistics", "expected statistics of " + std::to_string(s.numbers.dense_at.size()) + " numbers, found " + std::to_string(s.statistics.all.mean.size())};
    }
    scale(task, s.statistics, regimes, s.numbers);
    s.sequence = sequence_of(task, order);
    const std::vector<std::uint8_t> one_side(s.sequence.size(), side_train);
    s.windows = windows_of(task, groups, s.sequence, one_side, side_train, false);
    if (s.windows.empty()) {
        return Error{Code::invalid_argument, "table.empty", "expected windows of " + std::to_string(task.window.length) + " rows that follow each other, found none in " + std::to_string(rows.size) + " rows"};
    }
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        if (task.columns[i].role == Role::time && !rows.columns[i].instants.empty()) s.times = &rows.columns[i].instants;
        if (task.columns[i].role == Role::id && rows.columns[i].present()) s.ids = &rows.columns[i];
    }
    const bool has_column = !task.label.column.empty() && rows.columns[*find_column(task, task.label.column)].present();
    s.knows_events = has_column && task.label.kind != LabelKind::value;
    for (const std::uint32_t n : example_shape(task)) s.inputs *= n;
    return ScoreRows(std::move(state));
}

std::size_t ScoreRows::size() const noexcept { return state_->windows.size(); }
std::size_t ScoreRows::inputs() const noexcept { return state_->inputs; }
std::uint32_t ScoreRows::last_row(std::size_t example) const { return task::last_row(state_->windows[example], state_->sequence); }
bool ScoreRows::is_past(std::size_t example) const { return state_->split[last_row(example)] == side_train; }

Event ScoreRows::event(std::size_t example) const {
    const double label = state_->labels[last_row(example)];
    const bool remaining = state_->task->label.kind == LabelKind::remaining;
    const bool known = state_->knows_events || (remaining && is_past(example));
    if (!known || std::isnan(label)) return Event::unknown;
    return (remaining ? label <= near_the_end : label > 0.5) ? Event::yes : Event::no;
}

table::InstantMs ScoreRows::time(std::size_t example) const { return state_->times == nullptr ? no_instant : (*state_->times)[last_row(example)]; }

std::string_view ScoreRows::id(std::size_t example) const {
    const std::uint32_t code = state_->ids == nullptr ? no_word : state_->ids->codes[last_row(example)];
    return code == no_word ? std::string_view() : std::string_view(state_->ids->words[code]);
}

const Statistics& ScoreRows::statistics() const noexcept { return state_->statistics; }

void ScoreRows::put(std::size_t first, std::span<float> out) const {
    ExampleWriter writer(*state_->task, state_->numbers, state_->sequence);
    for (std::size_t at = 0; at < out.size(); at += state_->inputs) writer.put(state_->windows[first++], out.subspan(at, state_->inputs));
}

}  // namespace entente::task
