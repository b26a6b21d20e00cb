#include "commands/data_label.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "commands/data_check.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/table/csv.hpp"
#include "entente/table/instant.hpp"
#include "entente/table/number.hpp"
#include "entente/task/mapping.hpp"
#include "entente/task/score_rows.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = std::uint64_t{1} << 30;

struct Label {
    std::string text;
    std::uint64_t row = 0;   // of the labels' file
    std::uint64_t seen = 0;  // the row of the partner's file that has its id; 0: none yet
};

using Labels = std::map<std::string, Label, std::less<>>;

Error refuse(const char* reason, const std::string& message) { return Error{Code::invalid_argument, reason, message}; }

Result<table::CsvDialect> dialect_of(ByteView bytes, const task::Mapping* mapping) {
    ENTENTE_ASSIGN(table::CsvDialect dialect, table::sniff(bytes.first(std::min(bytes.size(), table::sniffed_bytes))));
    if (mapping == nullptr) return dialect;
    if (mapping->delimiter) dialect.delimiter = *mapping->delimiter;
    if (mapping->decimal) dialect.decimal = *mapping->decimal;
    if (mapping->header) dialect.header = *mapping->header;
    if (mapping->title_lines) dialect.title_lines = *mapping->title_lines;
    return dialect;
}

Status read_csv(const std::string& path, ByteView bytes, const table::CsvDialect& dialect, const table::CsvReader::OnRow& on_row) {
    table::CsvReader reader(dialect, {}, on_row);
    Status read = reader.feed(bytes);
    if (read.ok()) read = reader.finish();
    return read.ok() ? read : Status(error_in(path, read.error()));
}

// Two cells that say the same, however they are written: as instants or numbers.
struct Meaning {
    const task::Column* column = nullptr;
    table::DateOrder dates = table::DateOrder::unknown;
    char decimal = '.';

    [[nodiscard]] Status check(const std::string& cell) const {
        if (column->kind == task::CellKind::instant) {
            const auto instant = table::parse_instant(cell, dates);
            return instant.ok() ? done() : Status(instant.error());
        }
        const bool good = table::parse_number(cell, decimal).has_value();
        return good ? done() : Status(refuse("label.value", "expected a number, found \"" + cell.substr(0, 60) + "\""));
    }
    [[nodiscard]] bool same(const std::string& a, const std::string& b) const {
        if (column->kind != task::CellKind::instant) return table::parse_number(a, decimal) == table::parse_number(b, decimal);
        const auto x = table::parse_instant(a, dates), y = table::parse_instant(b, dates);
        return x.ok() && y.ok() && *x == *y;
    }
};

Result<Labels> read_labels(const std::string& path, const Meaning& meaning, Environment& environment) {
    ENTENTE_ASSIGN(const Bytes bytes, environment.read_data(path, limit_bytes));
    ENTENTE_ASSIGN(table::CsvDialect dialect, dialect_of(bytes, nullptr));
    dialect.header = true;
    Labels labels;
    ENTENTE_TRY(read_csv(path, bytes, dialect, [&](const table::CsvRow& row) -> Status {
        if (row.cells.size() != 2) return refuse("label.columns", "expected two columns, the id and the label, found " + std::to_string(row.cells.size()));
        if (row.number == 0) return done();
        const std::string where = "row " + std::to_string(row.number) + ": ";
        const std::string id(table::trimmed(row.cells[0])), text(table::trimmed(row.cells[1]));
        if (id.empty()) return refuse("label.id", where + "expected an id, found none");
        if (table::is_missing(text)) return done();  // not known yet
        if (const Status good = meaning.check(text); !good.ok()) return refuse("label.value", where + good.error().message);
        const auto [found, is_new] = labels.try_emplace(id, Label{text, row.number, 0});
        if (is_new || meaning.same(found->second.text, text)) return done();
        return refuse("label.contradiction", where + "expected one label for the id \"" + id.substr(0, 60) + "\", found \"" + text.substr(0, 60) + "\" where row " + std::to_string(found->second.row) + " says \"" + found->second.text.substr(0, 60) + "\"");
    }));
    return labels;
}

void put_cell(std::string_view cell, char delimiter, std::string& out) {
    const char special[] = {delimiter, '"', '\r', '\n', '\0'};
    if (cell.find_first_of(special) == std::string_view::npos && !(delimiter == ' ' && cell.empty())) {
        out += cell;
        return;
    }
    out += '"';
    for (const char c : cell) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

// The partner's file, cell by cell, and the labels where they belong.
struct Merge {
    const task::Task& task;
    const task::Mapping& mapping;
    Meaning meaning;
    Labels& labels;
    char delimiter = ',';
    std::size_t id_column = 0, label_column = 0;  // of the task
    std::size_t id_cell = 0;
    std::optional<std::size_t> label_cell;  // of a row; none: a column more
    std::vector<std::string> missing;
    std::string out;
    std::uint64_t rows = 0, added = 0, known = 0;

    Status on_row(const table::CsvRow& row) {
        if (row.number == 0) return on_header(row.cells);
        ++rows;
        const std::string id(table::trimmed(row.cells[id_cell]));
        const auto found = labels.find(id);
        std::string label(label_cell ? row.cells[*label_cell] : std::string_view());
        if (found != labels.end()) ENTENTE_TRY(take(row.number, found->first, found->second, label));
        write(row.cells, label);
        return done();
    }

    Status on_header(std::span<const std::string_view> header) {
        std::vector<std::string_view> names;
        for (const std::string_view name : header) names.push_back(table::trimmed(name));
        ENTENTE_ASSIGN(const task::Bindings bound, task::bind_columns(task, mapping, names));
        if (!bound[id_column].cell) return refuse("label.id", "expected a column for " + task.columns[id_column].name + ", which names rows, found none");
        id_cell = *bound[id_column].cell;
        label_cell = bound[label_column].cell;
        missing = task.columns[label_column].missing;
        if (bound[label_column].mapping != nullptr) missing.insert(missing.end(), bound[label_column].mapping->missing.begin(), bound[label_column].mapping->missing.end());
        const std::string& name = task.columns[label_column].name;
        const auto mapped = std::find_if(mapping.columns.begin(), mapping.columns.end(), [&name](const task::ColumnMapping& m) { return m.column == name; });
        write(header, mapped == mapping.columns.end() ? name : mapped->from);
        return done();
    }

    [[nodiscard]] bool is_open(const std::string& cell) const {
        const std::string_view text = table::trimmed(cell);
        return table::is_missing(text) || std::any_of(missing.begin(), missing.end(), [text](const std::string& m) {
                   return m.ends_with('*') ? text.starts_with(std::string_view(m).substr(0, m.size() - 1)) : text == m;
               });
    }

    Status take(std::uint64_t row, const std::string& id, Label& given, std::string& cell) {
        if (given.seen != 0) {
            return refuse("label.twice", "row " + std::to_string(row) + ": expected the id \"" + id.substr(0, 60) + "\" once, found it in row " + std::to_string(given.seen) + ", too: which of the two is labelled?");
        }
        given.seen = row;
        if (is_open(cell)) {
            cell = given.text;
            ++added;
            return done();
        }
        ++known;
        if (meaning.same(std::string(table::trimmed(cell)), given.text)) return done();
        return refuse("label.contradiction", "row " + std::to_string(row) + ": expected the label \"" + cell.substr(0, 60) + "\" of the id \"" + id.substr(0, 60) + "\", found \"" +
                                                 given.text.substr(0, 60) + "\" in row " + std::to_string(given.row) + " of the labels");
    }

    void write(std::span<const std::string_view> cells, std::string_view label) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i > 0) out += delimiter;
            const bool is_header = rows == 0;
            put_cell(label_cell == i && !is_header ? label : cells[i], delimiter, out);
        }
        if (!label_cell) {
            out += delimiter;
            put_cell(label, delimiter, out);
        }
        out += '\n';
    }
};

std::optional<std::size_t> id_column_of(const task::Task& task) {
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        if (task.columns[i].role == task::Role::id) return i;
    }
    return std::nullopt;
}

Status label(const DataLabelOptions& o, Environment& environment) {
    if (o.output == o.data_file || o.output == o.labels_file) return refuse("usage.output", "--output: expected another file than those that are read; what you have stays as it is");
    ENTENTE_ASSIGN(const task::Task whole, read_task_file(o.task_file, environment));
    ENTENTE_ASSIGN(task::Mapping mapping, read_mapping_file(o.mapping_file, whole, environment));
    mapping = task::for_scoring(whole, std::move(mapping));
    const task::Task task = task::for_scoring(whole);
    const auto id = id_column_of(task), column = task::find_column(task, task.label.column);
    if (!id) return refuse("task.column", o.task_file + ": expected a column of role \"id\", by which labels find their rows, found none");
    if (!column) return refuse("task.label", o.task_file + ": expected a label that is made of a column, found none");
    ENTENTE_ASSIGN(const Bytes bytes, environment.read_data(o.data_file, limit_bytes));
    ENTENTE_ASSIGN(const table::CsvDialect dialect, dialect_of(bytes, &mapping));
    if (!dialect.header) return refuse("label.header", o.data_file + ": expected a header, found none");
    const Meaning meaning{&task.columns[*column], mapping.dates, dialect.decimal};
    ENTENTE_ASSIGN(Labels labels, read_labels(o.labels_file, meaning, environment));
    Merge merge{task, mapping, meaning, labels, dialect.delimiter, *id, *column, 0, {}, {}, std::string(std::min<std::size_t>(dialect.title_lines, bytes.size()), '\n')};
    ENTENTE_TRY(read_csv(o.data_file, bytes, dialect, [&merge](const table::CsvRow& row) { return merge.on_row(row); }));
    for (const auto& [name, given] : labels) {
        if (given.seen == 0) return refuse("label.unknown", o.labels_file + ": row " + std::to_string(given.row) + ": expected an id of " + o.data_file + ", found \"" + name.substr(0, 60) + "\"");
    }
    ENTENTE_TRY(environment.write_file(o.output, as_bytes(std::string_view(merge.out))));
    if (o.json) {
        environment.print(JsonObject().text("file", o.output).whole("rows", merge.rows).whole("added", merge.added).whole("known", merge.known).str() + "\n");
    } else {
        environment.print("  " + o.output + ": " + grouped(merge.rows) + (merge.rows == 1 ? " row, " : " rows, ") + grouped(merge.added) + " of them with a label that is new" +
                          (merge.known > 0 ? "; " + grouped(merge.known) + (merge.known == 1 ? " label was" : " labels were") + " there already" : "") + "\n  " + o.data_file + " is as it was.\n");
    }
    return done();
}

}  // namespace

int label_data(const DataLabelOptions& options, Environment& environment) {
    const Status result = label(options, environment);
    return result.ok() ? exit_done : report(result.error(), environment);
}

}  // namespace entente::commands
