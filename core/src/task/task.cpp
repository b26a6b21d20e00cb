#include "entente/task/task.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "entente/base/nearest.hpp"
#include "entente/table/unit.hpp"

namespace entente::task {
namespace {

constexpr std::array<std::string_view, 6> roles{"feature", "label", "id", "time", "group", "forbidden"};
constexpr std::array<std::string_view, 3> cell_kinds{"number", "category", "instant"};
constexpr std::array<std::string_view, 3> unknowns{"other", "hash", "refuse"};
constexpr std::array<std::string_view, 6> feature_kinds{"value", "one-hot", "days-between", "calendar", "same-count", "history"};
constexpr std::array<std::string_view, 5> label_kinds{"none", "flag", "value", "later", "remaining"};
constexpr std::array<std::string_view, 5> split_kinds{"none", "time", "group", "head", "marked"};
constexpr std::array<std::string_view, 4> summaries{"last-mean", "mean", "slope", "deviation"};
constexpr std::array<std::string_view, 3> scaling_kinds{"none", "local", "federated"};
constexpr std::array<std::string_view, 10> metrics{"auc", "average-precision", "precision-at-10", "f1", "false-alarm-rate", "missed-alarm-rate", "rmse", "nasa-score", "brier", "best-f1"};
constexpr std::array<std::string_view, 3> alarm_kinds{"budget", "quantile", "cost"};
constexpr std::array<std::string_view, 5> calendar_parts{"year-sin", "year-cos", "weekday", "day-of-month", "years"};

Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

constexpr double most_days = 100'000;
constexpr table::InstantMs first_instant = -2'208'988'800'000, last_instant = 7'258'118'400'000;

bool positive(double value) { return std::isfinite(value) && value > 0; }

Status check_column(const Column& c) {
    const std::string where = "columns." + c.name + ": ";
    if (std::isnan(c.least) || std::isnan(c.most)) return refuse("task.range", where + "expected a range of numbers");
    if (!is_name(c.name)) return refuse("task.column", "expected a column's name in a-z, 0-9, _ and -, found \"" + c.name + "\"");
    if (c.kind == CellKind::number) {
        if (const auto unit = table::find_unit(c.unit); !unit.ok()) return refuse("task.unit", where + unit.error().message);
        if (!(c.least <= c.most)) return refuse("task.range", where + "expected a range whose least is not above its most");
    }
    if (c.role == Role::time && c.kind != CellKind::instant && c.kind != CellKind::number) return refuse("task.column", where + "expected a time to be an instant or a number");
    if (c.role == Role::forbidden && c.why.empty()) return refuse("task.column", where + "expected a forbidden column to say why");
    if ((c.role == Role::group || c.role == Role::id) && c.kind != CellKind::category) return refuse("task.column", where + "expected a group or an id to be of kind \"category\"");
    const std::set<std::string> unique(c.categories.begin(), c.categories.end());
    if (unique.size() != c.categories.size()) return refuse("task.column", where + "expected each category once");
    if (c.kind == CellKind::category && c.unknown == Unknown::hash && (c.buckets < 2 || c.buckets > 4096 || !c.categories.empty())) {
        return refuse("task.column", where + "expected 2 to 4096 buckets and no list of categories");
    }
    return done();
}

Result<const Column*> need(const Task& task, std::string_view where, std::string_view name) {
    if (const auto index = find_column(task, name)) return &task.columns[*index];
    std::vector<std::string_view> names;
    for (const Column& c : task.columns) names.push_back(c.name);
    const std::string near = nearest(name, names);
    return refuse("task.feature", std::string(where) + ": expected a column of this task, found \"" + std::string(name) + "\"" +
                                      (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

// A column that a feature may be made of.
Result<const Column*> need_input(const Task& task, const std::string& where, std::string_view name) {
    ENTENTE_ASSIGN(const Column* c, need(task, where, name));
    if (c->role == Role::feature || c->role == Role::time || c->role == Role::group) return c;
    return refuse("task.leak", where + ": " + c->name + " is of role \"" + std::string(roles[static_cast<std::size_t>(c->role) - 1]) +
                                   "\" and may not be an input" + (c->why.empty() ? "" : ": " + c->why));
}

Status check_feature(const Task& task, const Feature& f, std::size_t index) {
    const std::string where = "features[" + std::to_string(index) + "]";
    ENTENTE_ASSIGN(const Column* c, need_input(task, where, f.column));
    const auto of_kind = [&](CellKind kind) -> Status {
        if (c->kind == kind) return done();
        return refuse("task.feature", where + ": expected a column of kind \"" + std::string(cell_kinds[static_cast<std::size_t>(kind) - 1]) + "\", found " + c->name);
    };
    if (!std::isfinite(f.days) || !std::isfinite(f.gap_days) || !std::isfinite(f.prior_sum) || !std::isfinite(f.prior_rows)) {
        return refuse("task.feature", where + ": expected finite numbers");
    }
    if (!std::isfinite(f.scale) || f.scale == 0) return refuse("task.feature", where + ": expected a scale other than 0");
    switch (f.kind) {
        case FeatureKind::value:
            ENTENTE_TRY(of_kind(CellKind::number));
            if (f.logarithm && !(c->least * f.scale > -1 && f.scale > 0)) return refuse("task.feature", where + ": expected a range from above -1 on for a logarithm");
            return done();
        case FeatureKind::one_hot:
            ENTENTE_TRY(of_kind(CellKind::category));
            if (c->categories.empty() && c->unknown != Unknown::hash) return refuse("task.feature", where + ": expected " + c->name + " to list its categories, or buckets");
            return done();
        case FeatureKind::days_between: {
            ENTENTE_TRY(of_kind(CellKind::instant));
            ENTENTE_ASSIGN(const Column* to, need_input(task, where, f.to));
            return to->kind == CellKind::instant ? done() : Status(refuse("task.feature", where + ": expected `to` to be an instant"));
        }
        case FeatureKind::calendar: return of_kind(CellKind::instant);
        case FeatureKind::same_count: return of_kind(CellKind::category);
        case FeatureKind::history:
            ENTENTE_TRY(of_kind(CellKind::category));
            if (task.label.kind != LabelKind::later) return refuse("task.feature", where + ": expected a label of kind \"later\", which says when it is known");
            if (!(f.days > 0 && f.days <= most_days) || !(f.gap_days >= 0 && f.gap_days <= most_days) || !positive(f.prior_rows) || !(f.prior_sum >= 0) || !(f.prior_sum <= f.prior_rows)) {
                return refuse("task.feature", where + ": expected days and prior_rows above 0, gap_days and prior_sum not below, at most 100000 days");
            }
            return done();
    }
    return refuse("task.feature", where + ": expected a kind that is known");
}

std::size_t with_role(const Task& task, Role role) {
    return static_cast<std::size_t>(std::count_if(task.columns.begin(), task.columns.end(), [role](const Column& c) { return c.role == role; }));
}

Status check_label(const Task& task) {
    const Label& l = task.label;
    if (!std::isfinite(l.tolerance_days) || !std::isfinite(l.cap) || !std::isfinite(l.scale)) return refuse("task.label", "label: expected finite numbers");
    if (l.kind == LabelKind::remaining) {
        if (with_role(task, Role::group) == 0) return refuse("task.label", "label: expected a column of role \"group\" whose rows remain");
        if (!positive(l.cap)) return refuse("task.label", "label.cap: expected more than 0");
        if (l.column.empty()) return done();
    }
    if (l.kind == LabelKind::none && l.column.empty()) return done();
    ENTENTE_ASSIGN(const Column* c, need(task, "label.column", l.column));
    if (c->role != Role::label) return refuse("task.label", "label.column: expected a column of role \"label\", found " + c->name);
    const CellKind kind = l.kind == LabelKind::later ? CellKind::instant : CellKind::number;
    if (c->kind != kind) return refuse("task.label", "label.column: expected a column of kind \"" + std::string(cell_kinds[static_cast<std::size_t>(kind) - 1]) + "\"");
    if (l.kind == LabelKind::later && std::none_of(task.columns.begin(), task.columns.end(), [](const Column& t) { return t.role == Role::time && t.kind == CellKind::instant; })) {
        return refuse("task.label", "label: expected a column of role \"time\" and kind \"instant\" to be later than");
    }
    return l.scale != 0 ? done() : Status(refuse("task.label", "label.scale: expected a number other than 0"));
}

Status check_split(const Task& task) {
    const Split& s = task.split;
    if (!std::isfinite(s.test_share)) return refuse("task.split", "split.test_share: expected a share between 0 and 1");
    if (s.at < first_instant || s.at > last_instant) return refuse("task.split", "split.at: expected an instant of the years 1900 to 2199");
    if (s.kind == SplitKind::time && with_role(task, Role::time) == 0) return refuse("task.split", "split: expected a column of role \"time\"");
    if (s.kind == SplitKind::group && with_role(task, Role::group) == 0) return refuse("task.split", "split: expected a column of role \"group\"");
    if ((s.kind == SplitKind::group || s.kind == SplitKind::marked) && !(s.test_share > 0 && s.test_share < 1)) return refuse("task.split", "split.test_share: expected a share between 0 and 1");
    if (s.kind == SplitKind::marked) {
        ENTENTE_ASSIGN(const Column* c, need(task, "split.column", s.column));
        if (c->kind != CellKind::number || c->role != Role::feature) return refuse("task.split", "split.column: expected a column of role \"feature\" and kind \"number\", found " + c->name);
        const auto is_input = [&s](const Feature& f) { return f.column == s.column || f.to == s.column; };
        if (std::any_of(task.features.begin(), task.features.end(), is_input)) return refuse("task.leak", "split.column: expected " + c->name + " to be no input");
    }
    if (s.kind == SplitKind::head && s.head_rows == 0) return refuse("task.split", "split.head_rows: expected at least 1");
    if (!s.keep_whole.empty()) {
        ENTENTE_ASSIGN(const Column* c, need(task, "split.keep_whole", s.keep_whole));
        if (c->role != Role::group) return refuse("task.split", "split.keep_whole: expected a column of role \"group\", found " + c->name);
    }
    return done();
}

Status check_window(const Task& task) {
    const Window& w = task.window;
    if (w.length == 0 || w.length > 65536 || w.stride == 0) return refuse("task.window", "window: expected a length from 1 to 65536 and a stride of at least 1");
    if (w.length == 1 && !w.summary.empty()) return refuse("task.window", "window.summary: expected windows of several rows");
    const std::uint64_t rows = w.summary.empty() ? w.length : w.summary.size();
    std::uint64_t width = 0;
    for (const Feature& f : task.features) width += width_of(task, f);
    if (rows > most_inputs || rows * width > most_inputs) return refuse("task.window", "window: expected at most " + std::to_string(most_inputs) + " inputs");
    return done();
}

Status check_rest(const Task& task) {
    const Scaling& s = task.scaling;
    if (!(s.clip >= 0) || !std::isfinite(s.clip) || !positive(s.floor) || !positive(s.regime_step)) return refuse("task.scaling", "scaling: expected clip from 0 on, floor and regime_step above 0");
    if (!s.regime.empty()) {
        ENTENTE_ASSIGN(const Column* c, need_input(task, "scaling.regime", s.regime));
        if (c->kind != CellKind::number) return refuse("task.scaling", "scaling.regime: expected a column of kind \"number\", found " + c->name);
    }
    const Alarm& a = task.alarm;
    if (!positive(a.per_week) || !(a.quantile > 0 && a.quantile < 1) || !positive(a.margin) || !positive(a.cost_ratio)) {
        return refuse("task.alarm", "alarm: expected per_week, margin and cost_ratio above 0, and a quantile between 0 and 1");
    }
    if (!(task.outside_share >= 0 && task.outside_share < 1)) return refuse("task.range", "outside_share: expected a share from 0 to below 1");
    return done();
}

Status check_trees(const Task& task) {
    if (const Status checked = trees::check(*task.trees); !checked.ok()) return refuse("task.model", "model." + checked.error().message);
    if (!task.model.layers.empty()) return refuse("task.model", "model: expected trees or layers, found both");
    if (task.label.kind == LabelKind::none) return refuse("task.model", "model.kind: expected a label that trees can learn, found label.kind \"none\"");
    if (task.scaling.kind == ScalingKind::none || !(task.scaling.clip > 0) || task.scaling.clip > 8) {
        return refuse("task.model", "model.kind: trees expect numbers that are scaled and clipped to 8 deviations at most (scaling.kind, scaling.clip)");
    }
    return done();
}

Status check_model(const Task& task) {
    if (task.trees) return check_trees(task);
    if (task.model.layers.empty()) return done();
    std::uint64_t given = 1, wanted = 1;
    for (const std::uint32_t n : example_shape(task)) given *= n;
    for (const std::uint32_t n : task.model.input_shape) wanted *= n;
    if (task.model.input_shape.empty() || given != wanted) {
        return refuse("task.model", "model.input: expected " + std::to_string(given) + " numbers, as many as the features are, found " + std::to_string(wanted));
    }
    const auto layout = nn::infer_layout(task.model);
    return layout.ok() ? done() : Status(layout.error());
}

}  // namespace

std::span<const std::string_view> role_names() noexcept { return roles; }
std::span<const std::string_view> cell_kind_names() noexcept { return cell_kinds; }
std::span<const std::string_view> unknown_names() noexcept { return unknowns; }
std::span<const std::string_view> feature_kind_names() noexcept { return feature_kinds; }
std::span<const std::string_view> label_kind_names() noexcept { return label_kinds; }
std::span<const std::string_view> split_kind_names() noexcept { return split_kinds; }
std::span<const std::string_view> summary_names() noexcept { return summaries; }
std::span<const std::string_view> scaling_kind_names() noexcept { return scaling_kinds; }
std::span<const std::string_view> metric_names() noexcept { return metrics; }
std::span<const std::string_view> alarm_kind_names() noexcept { return alarm_kinds; }

bool lower_is_better(Metric metric) noexcept {
    return metric == Metric::false_alarm_rate || metric == Metric::missed_alarm_rate || metric == Metric::rmse || metric == Metric::nasa_score || metric == Metric::brier;
}

Status check(const Task& task) {
    if (!is_name(task.name)) return refuse("task.name", "name: expected a-z, 0-9, _ and -, found \"" + task.name + "\"");
    if (task.columns.empty() || task.columns.size() > most_columns) return refuse("task.column", "columns: expected 1 to " + std::to_string(most_columns));
    std::set<std::string> names;
    for (const Column& c : task.columns) {
        ENTENTE_TRY(check_column(c));
        if (!names.insert(c.name).second) return refuse("task.column", "columns." + c.name + ": expected each column once");
    }
    for (const Role role : {Role::time, Role::id}) {
        if (with_role(task, role) > 1) return refuse("task.column", "columns: expected at most one column of role \"" + std::string(roles[static_cast<std::size_t>(role) - 1]) + "\"");
    }
    if (task.features.empty() || task.features.size() > most_features) return refuse("task.feature", "features: expected 1 to " + std::to_string(most_features));
    for (std::size_t i = 0; i < task.features.size(); ++i) ENTENTE_TRY(check_feature(task, task.features[i], i));
    ENTENTE_TRY(check_label(task));
    ENTENTE_TRY(check_split(task));
    ENTENTE_TRY(check_window(task));
    ENTENTE_TRY(check_rest(task));
    return check_model(task);
}

std::optional<std::size_t> find_column(const Task& task, std::string_view name) noexcept {
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        if (task.columns[i].name == name) return i;
    }
    return std::nullopt;
}

std::uint32_t width_of(const Task& task, const Feature& feature) {
    switch (feature.kind) {
        case FeatureKind::one_hot: {
            const Column& c = task.columns[*find_column(task, feature.column)];
            return c.unknown == Unknown::hash ? c.buckets : static_cast<std::uint32_t>(c.categories.size()) + 1;
        }
        case FeatureKind::calendar: return static_cast<std::uint32_t>(calendar_parts.size());
        case FeatureKind::days_between:
        case FeatureKind::history: return 2;
        case FeatureKind::value:
        case FeatureKind::same_count: break;
    }
    return 1;
}

std::vector<std::string> row_names(const Task& task) {
    std::vector<std::string> names;
    for (const Feature& f : task.features) {
        const Column& c = task.columns[*find_column(task, f.column)];
        switch (f.kind) {
            case FeatureKind::value: names.push_back(c.name); break;
            case FeatureKind::one_hot:
                for (std::uint32_t i = 0; c.unknown == Unknown::hash && i < c.buckets; ++i) names.push_back(c.name + "#" + std::to_string(i));
                if (c.unknown == Unknown::hash) break;
                for (const std::string& category : c.categories) names.push_back(c.name + "=" + category);
                names.push_back(c.name + "=other");
                break;
            case FeatureKind::days_between:
                names.push_back("days " + c.name + " to " + f.to);
                names.push_back("days " + c.name + " to " + f.to + " known");
                break;
            case FeatureKind::calendar:
                for (const std::string_view part : calendar_parts) names.push_back(c.name + "." + std::string(part));
                break;
            case FeatureKind::same_count: names.push_back("rows of the same " + c.name); break;
            case FeatureKind::history:
                names.push_back("past rate of the " + c.name);
                names.push_back("past rows of the " + c.name);
                break;
        }
    }
    return names;
}

std::vector<std::string> feature_names(const Task& task) {
    const std::vector<std::string> row = row_names(task);
    if (task.window.length == 1) return row;
    std::vector<std::string> names;
    if (task.window.summary.empty()) {
        for (std::uint32_t i = 0; i < task.window.length; ++i) {
            for (const std::string& name : row) names.push_back(name + "@" + std::to_string(i + 1));
        }
        return names;
    }
    for (const Summary s : task.window.summary) {
        for (const std::string& name : row) names.push_back(name + "." + std::string(summaries[static_cast<std::size_t>(s) - 1]));
    }
    return names;
}

std::vector<std::uint32_t> example_shape(const Task& task) {
    const auto row = static_cast<std::uint32_t>(row_names(task).size());
    if (task.window.length == 1) return {row};
    if (task.window.summary.empty()) return {task.window.length, row};
    return {static_cast<std::uint32_t>(task.window.summary.size()) * row};
}

}  // namespace entente::task
