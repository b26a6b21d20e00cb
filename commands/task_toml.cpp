#include "commands/task_toml.hpp"

#include <cmath>
#include <limits>

#include "commands/model_toml.hpp"
#include "commands/text.hpp"
#include "commands/toml_table.hpp"

namespace entente::commands {
namespace {

constexpr std::uint32_t any32 = std::numeric_limits<std::uint32_t>::max();

template <class E>
void read_enum(TomlTable& table, std::string_view key, std::span<const std::string_view> names, E& target) {
    table.choice(key, words(names), [&target](std::size_t index) { target = static_cast<E>(index + 1); });
}

template <class E>
void read_enums(TomlTable& table, std::string_view key, std::span<const std::string_view> names, std::vector<E>& target) {
    table.choices(key, words(names), [&target](const std::vector<std::size_t>& indices) {
        target.clear();
        for (const std::size_t index : indices) target.push_back(static_cast<E>(index + 1));
    });
}

void read_column(TomlTable table, task::Column& c) {
    table.text("name", c.name);
    read_enum(table, "role", task::role_names(), c.role);
    c.kind = c.role == task::Role::id || c.role == task::Role::group ? task::CellKind::category : c.role == task::Role::time ? task::CellKind::instant : c.kind;
    read_enum(table, "kind", task::cell_kind_names(), c.kind);
    table.boolean("optional", c.optional);
    table.texts("known_as", c.known_as);
    table.texts("missing", c.missing);
    table.text("why", c.why);
    table.text("unit", c.unit);
    table.real("least", c.least);
    table.real("most", c.most);
    table.texts("categories", c.categories);
    read_enum(table, "unknown", task::unknown_names(), c.unknown);
    table.number<std::uint32_t>("buckets", c.buckets, 0, any32);
}

// An entry may name several columns: a feature of each.
void read_features(TomlTable table, std::vector<task::Feature>& features) {
    task::Feature f;
    read_enum(table, "kind", task::feature_kind_names(), f.kind);
    std::vector<std::string> columns;
    table.texts("columns", columns);
    table.text("column", f.column);
    if (!f.column.empty()) columns.push_back(f.column);
    table.text("to", f.to);
    table.real("scale", f.scale);
    table.boolean("logarithm", f.logarithm);
    table.real("days", f.days);
    table.real("gap_days", f.gap_days);
    table.real("prior_sum", f.prior_sum);
    table.real("prior_rows", f.prior_rows);
    for (std::string& column : columns) {
        f.column = std::move(column);
        features.push_back(f);
    }
}

void read_split(TomlTable& table, task::Split& s, std::string& at) {
    read_enum(table, "kind", task::split_kind_names(), s.kind);
    table.text("at", at);
    table.text("keep_whole", s.keep_whole);
    table.real("test_share", s.test_share);
    table.number<std::uint32_t>("head_rows", s.head_rows, 1, any32);
    table.text("column", s.column);
    table.boolean("last_only", s.last_only);
}

// [model] is a network's layers, or trees.
void read_model(TomlTable& root, task::Task& t) {
    TomlTable model = root.table("model");
    bool of_trees = false;
    model.choice("kind", {"network", "trees"}, [&of_trees](std::size_t index) { of_trees = index == 1; });
    if (!of_trees) {
        read_layers_toml(model, t.model);
        return;
    }
    trees::Settings& s = t.trees.emplace();
    model.number<std::uint32_t>("trees", s.trees, 1, any32);
    model.number<std::uint32_t>("depth", s.depth, 1, any32);
    model.number<std::uint32_t>("bins", s.bins, 1, any32);
    model.real("rate", s.rate);
    model.real("lambda", s.lambda);
    model.real("gamma", s.gamma);
    model.real("min_child_weight", s.min_child_weight);
    model.real("row_share", s.row_share);
    model.real("column_share", s.column_share);
    const bool classes = t.label.kind == task::LabelKind::flag || t.label.kind == task::LabelKind::later;
    s.objective = classes ? trees::Objective::logistic : trees::Objective::squared;
}

template <class E>
std::string word_of(std::span<const std::string_view> names, E value) { return std::string(names[static_cast<std::size_t>(value) - 1]); }

template <class E>
std::vector<std::string> words_of(std::span<const std::string_view> names, const std::vector<E>& values) {
    std::vector<std::string> list;
    for (const E value : values) list.push_back(word_of(names, value));
    return list;
}

void write_column(TomlWriter& w, const task::Column& c) {
    w.text("name", c.name);
    w.text("role", word_of(task::role_names(), c.role));
    w.text("kind", word_of(task::cell_kind_names(), c.kind));
    if (c.optional) w.line("optional", "true");
    if (!c.known_as.empty()) w.texts("known_as", c.known_as);
    if (!c.missing.empty()) w.texts("missing", c.missing);
    if (!c.why.empty()) w.text("why", c.why);
    if (!c.unit.empty()) w.text("unit", c.unit);
    if (std::isfinite(c.least)) w.number("least", c.least);
    if (std::isfinite(c.most)) w.number("most", c.most);
    if (!c.categories.empty()) w.texts("categories", c.categories);
    if (c.unknown != task::Unknown::other) w.text("unknown", word_of(task::unknown_names(), c.unknown));
    if (c.buckets > 0) w.whole("buckets", c.buckets);
}

void write_feature(TomlWriter& w, const task::Feature& f) {
    w.text("kind", word_of(task::feature_kind_names(), f.kind));
    w.text("column", f.column);
    if (!f.to.empty()) w.text("to", f.to);
    w.number("scale", f.scale);
    if (f.logarithm) w.line("logarithm", "true");
    w.number("days", f.days);
    w.number("gap_days", f.gap_days);
    w.number("prior_sum", f.prior_sum);
    w.number("prior_rows", f.prior_rows);
}

// To the millisecond, which format_instant leaves out.
std::string instant_text(table::InstantMs at) {
    const table::InstantMs ms = (at % 1000 + 1000) % 1000;
    std::string text = table::format_instant(at - ms);
    if (ms == 0) return text;
    const std::string digits = std::to_string(1000 + ms).substr(1);
    return text + (text.find(' ') == std::string::npos ? " 00:00:00." : ".") + digits;
}

void read_mark(TomlTable& table, std::string_view key, std::optional<char>& target, const std::vector<std::string_view>& names, std::string_view marks) {
    table.choice(key, names, [&target, marks](std::size_t index) { target = marks[index]; });
}

Status check_named(const task::Task& t, std::string_view file_name) {
    const Status checked = task::check(t);
    return checked.ok() ? checked : error_in(file_name, checked.error());
}

}  // namespace

Status read_task(TomlTable root, task::Task& t) {
    root.text("name", t.name);
    root.text("title", t.title);
    root.real("outside_share", t.outside_share);
    root.number<std::uint32_t>("min_rows", t.min_rows, 1, any32);
    read_enums(root, "metrics", task::metric_names(), t.metrics);
    for (const TomlTable& table : root.tables("columns")) read_column(table, t.columns.emplace_back());
    for (const TomlTable& table : root.tables("features")) read_features(table, t.features);
    TomlTable label = root.table("label");
    read_enum(label, "kind", task::label_kind_names(), t.label.kind);
    label.text("column", t.label.column);
    label.real("scale", t.label.scale);
    label.real("tolerance_days", t.label.tolerance_days);
    label.real("cap", t.label.cap);
    TomlTable split = root.table("split");
    std::string at;
    read_split(split, t.split, at);
    TomlTable window = root.table("window");
    window.number<std::uint32_t>("length", t.window.length, 1, any32);
    window.number<std::uint32_t>("stride", t.window.stride, 1, any32);
    window.boolean("pad", t.window.pad);
    read_enums(window, "summary", task::summary_names(), t.window.summary);
    TomlTable scaling = root.table("scaling");
    read_enum(scaling, "kind", task::scaling_kind_names(), t.scaling.kind);
    scaling.text("regime", t.scaling.regime);
    scaling.real("regime_step", t.scaling.regime_step);
    scaling.real("clip", t.scaling.clip);
    scaling.real("floor", t.scaling.floor);
    TomlTable alarm = root.table("alarm");
    read_enum(alarm, "kind", task::alarm_kind_names(), t.alarm.kind);
    alarm.real("per_week", t.alarm.per_week);
    alarm.real("quantile", t.alarm.quantile);
    alarm.real("margin", t.alarm.margin);
    alarm.real("cost_ratio", t.alarm.cost_ratio);
    if (root.is_table("model")) {
        read_model(root, t);
    } else if (root.has("model")) {
        read_model_toml(root, t.model);
    }
    read_loss_toml(root.table("loss"), t.loss);
    if (!at.empty()) {
        const auto instant = table::parse_instant(at, table::DateOrder::unknown);
        if (!instant.ok()) return split.error_at("at", "split", instant.error().message);
        t.split.at = *instant;
    } else if (t.split.kind == task::SplitKind::time) {
        return split.error_at("kind", "split", "expected `at`, the instant from which rows are only scored");
    }
    return done();
}

Result<task::Task> read_task_toml(std::string_view text, std::string_view file_name) {
    ENTENTE_ASSIGN(TomlTable root, parse_toml(text, file_name, "task"));
    task::Task t;
    const Status read = read_task(root, t);
    ENTENTE_TRY(root.finish());
    ENTENTE_TRY(read);
    ENTENTE_TRY(check_named(t, file_name));
    return t;
}

Status replace_model_toml(std::string_view text, std::string_view file_name, task::Task& t) {
    ENTENTE_ASSIGN(TomlTable root, parse_toml(text, file_name, "task"));
    if (!root.is_table("model")) return root.error_at("model", "task.wrong-type", "expected [model], a network's layers or trees");
    t.model = {};
    t.trees.reset();
    read_model(root, t);
    ENTENTE_TRY(root.finish());
    return check_named(t, file_name);
}

void write_task(TomlWriter& w, const std::string& section, const task::Task& t) {
    w.section(section);
    w.text("name", t.name);
    w.text("title", t.title);
    w.number("outside_share", t.outside_share);
    w.whole("min_rows", t.min_rows);
    w.texts("metrics", words_of(task::metric_names(), t.metrics));
    for (const task::Column& c : t.columns) {
        w.entry(section + ".columns");
        write_column(w, c);
    }
    for (const task::Feature& f : t.features) {
        w.entry(section + ".features");
        write_feature(w, f);
    }
    w.section(section + ".label");
    w.text("kind", word_of(task::label_kind_names(), t.label.kind));
    w.text("column", t.label.column);
    w.number("scale", t.label.scale);
    w.number("tolerance_days", t.label.tolerance_days);
    w.number("cap", t.label.cap);
    w.section(section + ".split");
    w.text("kind", word_of(task::split_kind_names(), t.split.kind));
    if (t.split.kind == task::SplitKind::time) w.text("at", instant_text(t.split.at));
    w.text("keep_whole", t.split.keep_whole);
    w.number("test_share", t.split.test_share);
    w.whole("head_rows", t.split.head_rows);
    w.text("column", t.split.column);
    w.line("last_only", t.split.last_only ? "true" : "false");
    w.section(section + ".window");
    w.whole("length", t.window.length);
    w.whole("stride", t.window.stride);
    w.line("pad", t.window.pad ? "true" : "false");
    w.texts("summary", words_of(task::summary_names(), t.window.summary));
    w.section(section + ".scaling");
    w.text("kind", word_of(task::scaling_kind_names(), t.scaling.kind));
    w.text("regime", t.scaling.regime);
    w.number("regime_step", t.scaling.regime_step);
    w.number("clip", t.scaling.clip);
    w.number("floor", t.scaling.floor);
    w.section(section + ".alarm");
    w.text("kind", word_of(task::alarm_kind_names(), t.alarm.kind));
    w.number("per_week", t.alarm.per_week);
    w.number("quantile", t.alarm.quantile);
    w.number("margin", t.alarm.margin);
    w.number("cost_ratio", t.alarm.cost_ratio);
}

Result<task::Mapping> read_mapping_toml(std::string_view text, std::string_view file_name, const task::Task& task) {
    ENTENTE_ASSIGN(TomlTable root, parse_toml(text, file_name, "mapping"));
    task::Mapping m;
    TomlTable file = root.table("file");
    read_mark(file, "delimiter", m.delimiter, {",", ";", "tab", "\t", "blanks"}, ",;\t\t ");
    read_mark(file, "decimal", m.decimal, {".", ","}, ".,");
    if (file.has("header")) file.boolean("header", m.header.emplace());
    if (file.has("title_lines")) file.number<std::uint32_t>("title_lines", m.title_lines.emplace(), 0, any32);
    file.choice("dates", {"day-first", "month-first"}, [&m](std::size_t index) { m.dates = index == 0 ? table::DateOrder::day_first : table::DateOrder::month_first; });
    TomlTable columns = root.table("columns");
    for (const task::Column& c : task.columns) {
        task::ColumnMapping mapping{c.name, {}, {}, {}, {}};
        if (columns.is_table(c.name)) {
            TomlTable table = columns.table(c.name);
            table.text("from", mapping.from);
            if (table.has("unit")) table.text("unit", mapping.unit.emplace());
            table.texts("missing", mapping.missing);
            table.pairs("rename", mapping.rename);
        } else {
            columns.text(c.name, mapping.from);
        }
        if (!mapping.from.empty()) m.columns.push_back(std::move(mapping));
    }
    ENTENTE_TRY(root.finish());
    return m;
}

}  // namespace entente::commands
