// A task on tables: what a partner's rows are, what a model sees of them, what it should say, and how that is judged.
// Data, never code: the same declaration is read natively and in a page.
//
//   ENTENTE_ASSIGN(const task::Task late, commands::read_task_toml(text, "task.toml"));
//   ENTENTE_TRY(task::check(late));           // columns exist, nothing leaks, the model's input fits
//   task::feature_names(late);                // ["quantity", "country=Nigeria", ...], as many as the model's inputs
//
// docs/tasks.md lists every key and the equations of the features. Plain values.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/result.hpp"
#include "entente/nn/loss.hpp"
#include "entente/nn/model_spec.hpp"
#include "entente/table/instant.hpp"
#include "entente/trees/grow.hpp"

namespace entente::task {

// What a column is for. Only features, and what is derived from time and group, ever reach a model.
enum class Role : std::uint32_t {
    feature = 1,
    label = 2,      // the label is made of it: never an input
    id = 3,         // names a row: no two rows share one
    time = 4,       // when the row is known; rows are ordered by it
    group = 5,      // rows that belong together: a shipment, an engine, a run
    forbidden = 6,  // known only after what is to be predicted: a mapping that uses it is refused
};

enum class CellKind : std::uint32_t { number = 1, category = 2, instant = 3 };

enum class Unknown : std::uint32_t {
    other = 1,  // a category that the task does not list becomes "other"
    hash = 2,   // no list: a category is one of `buckets`, by its hash
    refuse = 3,
};

struct Column {
    std::string name;  // the task's own, [a-z0-9_]
    Role role = Role::feature;
    CellKind kind = CellKind::number;
    bool optional = false;              // a partner may do without
    std::vector<std::string> known_as;  // headers that such a column often has, for a first guess
    std::vector<std::string> missing;   // cells that say that the value is missing; a * at the end stands for any ending
    std::string why;                    // forbidden: the reason, for people
    // number
    std::string unit;
    double least = -std::numeric_limits<double>::infinity();
    double most = std::numeric_limits<double>::infinity();
    // category
    std::vector<std::string> categories;
    Unknown unknown = Unknown::other;
    std::uint32_t buckets = 0;

    friend bool operator==(const Column&, const Column&) = default;
};

// With x the cell, missing ones marked by the flag where there is one, and otherwise the mean of the training rows:
enum class FeatureKind : std::uint32_t {
    value = 1,         // scale x, or ln(1 + scale x); 1 input
    one_hot = 2,       // 1 at the category, "other" last; 1 for each category and 1, or `buckets`
    days_between = 3,  // scale (to - column) in days, 0 if missing or negative; and a flag that it is neither; 2
    calendar = 4,      // sin and cos of the day of the year, weekday, day of month / 31, years since 2000; 5
    same_count = 5,    // ln(1 + rows with the same category); 1
    history = 6,       // of earlier rows with the same category whose label is known: rate of 1, and ln(1 + n); 2
};

struct Feature {
    FeatureKind kind = FeatureKind::value;
    std::string column;
    std::string to;         // days_between
    double scale = 1.0;     // value, days_between
    bool logarithm = false; // value
    // history: labels known in so many days, ending so many days before the row's time; (sum + prior_sum) / (n + prior_rows)
    double days = 365.0;
    double gap_days = 30.0;
    double prior_sum = 1.0;
    double prior_rows = 10.0;

    friend bool operator==(const Feature&, const Feature&) = default;
};

enum class LabelKind : std::uint32_t {
    none = 1,       // the model gives its input again (an autoencoder); `column`, if any, says which rows are abnormal
    flag = 2,       // a number that is 0 or 1
    value = 3,      // a number, times scale
    later = 4,      // 1 if the instant `column` is more than tolerance_days behind the time, else 0
    // Rows until the last of the group, and with a `column` as many more as that row says will come behind the end of the file (missing:
    // none); at most cap, divided by cap.
    remaining = 5,
};

struct Label {
    LabelKind kind = LabelKind::flag;
    std::string column;
    double scale = 1.0;
    double tolerance_days = 0.0;
    double cap = 125.0;

    friend bool operator==(const Label&, const Label&) = default;
};

// Which rows are trained on, and which only scored. None of them leaks: rows that share a group never lie on both sides,
// but under `head`, whose groups are runs that begin normally.
enum class SplitKind : std::uint32_t {
    none = 1,   // all of them are trained on
    time = 2,   // before an instant and from it on; a whole group goes to the later side
    group = 3,  // a share of the groups, by their name's hash
    head = 4,   // the first rows of each group, and the rest
    marked = 5, // a number says it: 0, and anything else for a whole group; missing: neither. A file without it is split by group
};

struct Split {
    SplitKind kind = SplitKind::none;
    table::InstantMs at = 0;    // time
    std::string keep_whole;     // time: a column of role group
    double test_share = 0.2;    // group
    std::uint32_t head_rows = 400;
    std::string column;         // marked
    bool last_only = false;     // marked: of each such group, only the last window is scored

    friend bool operator==(const Split&, const Split&) = default;
};

// What a model sees of a window: all rows, or these of each feature, one behind the other.
enum class Summary : std::uint32_t {
    last_mean = 1,  // of the last five rows
    mean = 2,
    slope = 3,      // least squares, times the length
    deviation = 4,  // population
};

struct Window {
    std::uint32_t length = 1;  // rows, of one side; one that is scored may begin before the split. 1: no windows
    std::uint32_t stride = 1;
    bool pad = false;          // a shorter group is filled up with its first row
    std::vector<Summary> summary;

    friend bool operator==(const Window&, const Window&) = default;
};

enum class ScalingKind : std::uint32_t {
    none = 1,
    local = 2,      // (x - mean) / deviation of the partner's own training rows
    federated = 3,  // of everybody's, from sums (until they are there: of the partner's own)
};

struct Scaling {
    ScalingKind kind = ScalingKind::local;
    std::string regime;         // a number column: statistics for each round(x / regime_step) of their own
    double regime_step = 1.0;
    double clip = 6.0;          // deviations; 0: none
    double floor = 1e-4;        // of the deviation

    friend bool operator==(const Scaling&, const Scaling&) = default;
};

enum class Metric : std::uint32_t { auc = 1, average_precision = 2, precision_at_10 = 3, f1 = 4, false_alarm_rate = 5, missed_alarm_rate = 6,
                                    rmse = 7, nasa_score = 8, brier = 9, best_f1 = 10 };

bool lower_is_better(Metric metric) noexcept;

enum class AlarmKind : std::uint32_t { budget = 1, quantile = 2, cost = 3 };

struct Alarm {
    AlarmKind kind = AlarmKind::quantile;
    double per_week = 5.0;      // budget: alarms
    double quantile = 0.99;     // of the scores of the partner's own normal rows
    double margin = 1.0;        // quantile: times
    double cost_ratio = 5.0;    // cost: a missed event costs so many false alarms

    friend bool operator==(const Alarm&, const Alarm&) = default;
};

struct Task {
    std::string name;     // "late-deliveries"
    std::string title;    // for people
    std::vector<Column> columns;
    std::vector<Feature> features;
    Label label;
    Split split;
    Window window;
    Scaling scaling;
    Alarm alarm;
    std::vector<Metric> metrics;
    nn::ModelSpec model;  // no layers: not given here
    std::optional<trees::Settings> trees;  // in its place; objective follows from the label
    nn::LossSpec loss;
    double outside_share = 0.01;  // of a column's cells outside its range: more, and the file is refused
    std::uint32_t min_rows = 30;  // examples to train on

    friend bool operator==(const Task&, const Task&) = default;
};

std::span<const std::string_view> role_names() noexcept;  // each in the order of its number from 1
std::span<const std::string_view> cell_kind_names() noexcept;
std::span<const std::string_view> unknown_names() noexcept;
std::span<const std::string_view> feature_kind_names() noexcept;
std::span<const std::string_view> label_kind_names() noexcept;
std::span<const std::string_view> split_kind_names() noexcept;
std::span<const std::string_view> summary_names() noexcept;
std::span<const std::string_view> scaling_kind_names() noexcept;
std::span<const std::string_view> metric_names() noexcept;
std::span<const std::string_view> alarm_kind_names() noexcept;

inline constexpr std::size_t most_columns = 1024;
inline constexpr std::size_t most_features = 4096;
inline constexpr std::size_t most_inputs = 65536;

// invalid_argument "task.name", "task.column", "task.unit", "task.range", "task.feature", "task.leak" (a feature of a column that may not be one), "task.label",
// "task.split", "task.window", "task.scaling", "task.alarm", "task.model"; the message names the key and the nearest that there is.
Status check(const Task& task);

// The index in task.columns. REQUIRES of the functions below: check(task) is ok.
std::optional<std::size_t> find_column(const Task& task, std::string_view name) noexcept;
// How many numbers a feature is, for each row.
std::uint32_t width_of(const Task& task, const Feature& feature);
// Of a row: one name for each number.
std::vector<std::string> row_names(const Task& task);
// Of an example: the model's inputs. Windows that are not summed up have row_names() for each of their rows.
std::vector<std::string> feature_names(const Task& task);
// [inputs], or [length, numbers of a row] for windows that are not summed up.
std::vector<std::uint32_t> example_shape(const Task& task);

}  // namespace entente::task
