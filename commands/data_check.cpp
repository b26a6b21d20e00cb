#include "commands/data_check.hpp"

#include <algorithm>
#include <cmath>

#include "commands/rows_digest.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/base/decimal.hpp"

namespace entente::commands {
namespace {

constexpr std::size_t widest = 40;

std::string cut(std::string_view text, std::size_t most) {
    std::string out = printable(text);
    if (out.size() <= most) return out;
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0u) == 0x80u) --end;
    return out.substr(0, end) + "…";
}

// Four significant digits: a table is looked at, not computed with.
std::string rounded(double value) {
    if (value == 0 || !std::isfinite(value)) return "0";
    if (std::fabs(value) >= 1e4 && std::fabs(value) < 1e15) return (value < 0 ? "-" : "") + grouped(static_cast<std::uint64_t>(std::llround(std::fabs(value))));
    const double step = std::pow(10.0, std::floor(std::log10(std::fabs(value))) - 3);
    return entente::decimal(static_cast<float>(std::round(value / step) * step));
}

std::string share(std::uint64_t part, std::uint64_t whole) {
    if (part == 0 || whole == 0) return "0";
    const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    return grouped(part) + " (" + (percent < 0.1 ? std::string("<0.1") : decimal(percent, percent < 9.95 ? 1 : 0)) + " %)";
}

std::string delimiter_name(char delimiter) {
    switch (delimiter) {
        case '\t': return "tab";
        case ' ': return "blanks";
        case ';': return "semicolon";
        default: return "comma";
    }
}

std::string values_of(const task::Task& task, const task::ColumnReport& r, std::size_t column) {
    switch (task.columns[column].kind) {
        case task::CellKind::number: return rounded(r.least) + " to " + rounded(r.most) + (r.unit.empty() ? "" : " " + r.unit) + ", mean " + rounded(r.mean);
        case task::CellKind::instant:
            return r.first == task::no_instant ? std::string("none") : table::format_instant(r.first) + " to " + table::format_instant(r.last);
        case task::CellKind::category: break;
    }
    if (r.distinct > 1000 || task.columns[column].role == task::Role::id || r.frequent.empty()) return grouped(r.distinct) + " different";
    return grouped(r.distinct) + " different, most often " + cut(r.frequent.front().word, 24);
}

std::uint64_t positive(const data::Dataset& d) {
    return static_cast<std::uint64_t>(std::count(d.labels.begin(), d.labels.end(), 1u));
}

std::string side_text(const task::Side& side) {
    const std::size_t n = side.last_rows.size();
    std::string out = grouped(n) + (n == 1 ? " example" : " examples");
    if (!side.dataset.labels.empty()) out += ", label 1: " + share(positive(side.dataset), n);
    if (!side.abnormal.empty()) out += ", abnormal: " + share(static_cast<std::uint64_t>(std::count(side.abnormal.begin(), side.abnormal.end(), 1)), n);
    return out;
}

void print_columns(const task::Task& task, const task::TableReport& report, Environment& environment) {
    std::size_t names = 6, headers = 4;
    for (const task::ColumnReport& r : report.columns) {
        names = std::max(names, r.column.size());
        headers = std::max(headers, cut(r.header, widest).size());
    }
    environment.print("\n  " + pad("column", names) + "  " + pad("from", headers) + "  " + pad("missing", 15) + "  values\n");
    for (std::size_t i = 0; i < report.columns.size(); ++i) {
        const task::ColumnReport& r = report.columns[i];
        if (task.columns[i].role == task::Role::forbidden) continue;
        if (r.header.empty()) {
            environment.print("  " + pad(r.column, names) + "  " + pad("—", headers) + "  " + pad("", 15) + "  not in the file; the task does without\n");
            continue;
        }
        std::string values = values_of(task, r, i);
        if (r.from_unit != r.unit) values += ", from " + r.from_unit;
        environment.print("  " + pad(r.column, names) + "  " + pad(cut(r.header, widest), headers) + "  " + pad(share(r.missing, report.rows), 15) + "  " + values + "\n");
    }
}

std::string side_json(const task::Side& side) {
    JsonObject o;
    o.whole("examples", side.last_rows.size());
    if (!side.dataset.labels.empty()) o.whole("positive", positive(side.dataset));
    if (!side.abnormal.empty()) o.whole("abnormal", static_cast<std::uint64_t>(std::count(side.abnormal.begin(), side.abnormal.end(), 1)));
    return o.str();
}

std::string column_json(const task::Task& task, const task::ColumnReport& r, std::size_t i) {
    JsonObject o;
    o.text("column", r.column).text("role", task::role_names()[static_cast<std::size_t>(task.columns[i].role) - 1]);
    if (r.header.empty()) return o.raw("header", "null").str();
    o.text("header", r.header).boolean("guessed", r.guessed).whole("missing", r.missing).whole("outside", r.outside);
    switch (task.columns[i].kind) {
        case task::CellKind::number: o.text("from_unit", r.from_unit).text("unit", r.unit).number("least", r.least).number("most", r.most).number("mean", r.mean); break;
        case task::CellKind::instant:
            if (r.first != task::no_instant) o.text("first", table::format_instant(r.first)).text("last", table::format_instant(r.last));
            break;
        case task::CellKind::category: {
            o.whole("distinct", r.distinct).whole("unknown", r.unknown);
            if (task.columns[i].role != task::Role::feature) break;
            std::string list;
            for (const task::WordCount& w : r.frequent) list += (list.empty() ? "" : ",") + JsonObject().text("category", w.word).whole("rows", w.rows).str();
            o.raw("frequent", "[" + list + "]");
            break;
        }
    }
    return o.str();
}

std::string json_of(const task::Task& task, const task::Rows& rows, const task::Prepared& p) {
    const task::TableReport& r = rows.report;
    std::string columns, unused;
    for (std::size_t i = 0; i < r.columns.size(); ++i) columns += (columns.empty() ? "" : ",") + column_json(task, r.columns[i], i);
    for (const std::string& header : r.unused) {
        const task::Column* column = task::forbidden_as(task, header);
        JsonObject o;
        o.text("header", header);
        if (column != nullptr) o.text("forbidden", column->why);
        unused += (unused.empty() ? "" : ",") + o.str();
    }
    return JsonObject()
        .boolean("ok", true)
        .text("task", task.name)
        .whole("rows", r.rows)
        .text("digest", to_hex(digest_of_rows(task, rows)))
        .text("delimiter", delimiter_name(r.dialect.delimiter))
        .text("decimal", std::string(1, r.dialect.decimal))
        .text("encoding", r.latin1 ? "latin-1" : "utf-8")
        .raw("columns", "[" + columns + "]")
        .raw("unused", "[" + unused + "]")
        .whole("inputs", p.train.dataset.example_size())
        .raw("train", side_json(p.train))
        .raw("test", side_json(p.test))
        .whole("without_label", p.without_label)
        .whole("duplicate_ids", p.duplicate_ids)
        .str();
}

Status check(const DataCheckOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(const task::Task task, read_task_file(o.task_file, environment));
    ENTENTE_ASSIGN(const task::Mapping mapping, read_mapping_file(o.mapping_file, task, environment));
    ENTENTE_ASSIGN(const task::Rows rows, read_rows_file(o.data_file, task, mapping, environment));
    if (o.json) {
        ENTENTE_ASSIGN(const task::Prepared p, task::prepare(task, rows));
        environment.print(json_of(task, rows, p) + "\n");
        return done();
    }
    print_table(task, rows.report, o.data_file, environment);
    ENTENTE_ASSIGN(const task::Prepared p, task::prepare(task, rows));
    print_prepared(p, environment);
    environment.print("  Digest       " + to_hex(digest_of_rows(task, rows)) + "\n  Nothing has left this machine.\n");
    return done();
}

}  // namespace

void print_remarks(const task::Task& task, const task::TableReport& report, Environment& environment) {
    std::string unused, forbidden;
    for (const std::string& header : report.unused) {
        const task::Column* column = task::forbidden_as(task, header);
        if (column != nullptr) {
            forbidden += "\n    " + cut(header, widest) + ": " + column->why;
        } else {
            unused += (unused.empty() ? "" : ", ") + cut(header, widest);
        }
    }
    if (!unused.empty()) environment.print("\n  Not used: " + unused + "\n");
    if (!forbidden.empty()) environment.print("\n  Left out, because it is known too late:" + forbidden + "\n");
    for (const task::ColumnReport& r : report.columns) {
        if (r.outside > 0) environment.print("  ! " + r.column + ": " + grouped(r.outside) + " outside the range, taken as missing; " + printable(r.first_outside) + "\n");
        if (r.unknown > 0) environment.print("  ! " + r.column + ": " + grouped(r.unknown) + " of categories that the task does not list, taken as \"other\"; first " + printable(r.first_unknown) + "\n");
    }
}

void print_table(const task::Task& task, const task::TableReport& r, const std::string& file, Environment& environment) {
    environment.print("  " + printable(task.title.empty() ? task.name : task.name + ": " + task.title) + "\n  " + file + ": " + grouped(r.rows) + " rows, " +
                      std::to_string(r.headers.size()) + " columns; " + delimiter_name(r.dialect.delimiter) + ", decimal " +
                      (r.dialect.decimal == '.' ? "point" : "comma") + ", " + (r.latin1 ? "latin-1" : "UTF-8") + "\n");
    print_columns(task, r, environment);
    print_remarks(task, r, environment);
}

void print_prepared(const task::Prepared& p, Environment& environment) {
    environment.print("\n  To train on  " + side_text(p.train) + "\n  To score     " + side_text(p.test) + "\n  Inputs       " + grouped(p.train.dataset.example_size()) +
                      " numbers an example\n");
    if (p.without_label > 0) environment.print("  Left out     " + grouped(p.without_label) + " rows without a label or a time\n");
    if (p.duplicate_ids > 0) environment.print("  ! " + grouped(p.duplicate_ids) + " rows repeat the id of another\n");
}

int check_data(const DataCheckOptions& options, Environment& environment) {
    const Status result = check(options, environment);
    return result.ok() ? exit_done : report(result.error(), environment);
}

}  // namespace entente::commands
