#include "entente/task/rows.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "entente/base/decimal.hpp"
#include "entente/base/nearest.hpp"
#include "entente/table/number.hpp"

namespace entente::task {
namespace {

constexpr std::size_t shown_bytes = 60;

std::string shown(std::string_view cell) {
    std::string out = "\"";
    for (const char c : cell.substr(0, shown_bytes)) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return out + (cell.size() > shown_bytes ? "...\"" : "\"");
}

bool is_one_of(std::string_view cell, const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [cell](const std::string& p) {
        return p.ends_with('*') ? cell.starts_with(std::string_view(p).substr(0, p.size() - 1)) : cell == p;
    });
}

std::string range_of(const Column& c) {
    const std::string unit = c.unit.empty() ? "" : " " + c.unit;
    if (!std::isfinite(c.most)) return "at least " + decimal(c.least) + unit;
    if (!std::isfinite(c.least)) return "at most " + decimal(c.most) + unit;
    return decimal(c.least) + " to " + decimal(c.most) + unit;
}

// The unit in which the number would be within the range, when it is not in the one that was said.
std::string better_unit(const Column& c, const table::Conversion& said, double raw) {
    for (const table::Unit& unit : table::units()) {
        if (unit.quantity != said.to.quantity || (unit.factor == said.from.factor && unit.offset == said.from.offset)) continue;
        const double value = table::Conversion{unit, said.to}(raw);
        if (value >= c.least && value <= c.most) return std::string(unit.name);
    }
    return {};
}

// What is gathered of one column while rows go by.
struct Gathering {
    std::unordered_map<std::string, std::uint32_t> codes;
    std::unordered_map<std::string, std::string> rename;
    std::vector<std::uint64_t> counts;  // of each word
    std::vector<bool> listed;           // whether the task lists it
    double sum = 0.0;
    std::uint64_t filled = 0;
    double first_outside_raw = 0.0;
};

}  // namespace

struct RowReader::State {
    Task task;
    Mapping mapping;
    Bytes head;  // until the dialect is known
    std::unique_ptr<table::CsvReader> csv;
    Bindings bindings;
    std::vector<Gathering> gathered;
    std::uint64_t values = 0;
    Rows rows;

    Status open();
    Status on_header(std::span<const std::string_view> header);
    Status on_row(const table::CsvRow& row);
    Status take(const table::CsvRow& row, std::size_t column);
    Status take_number(const table::CsvRow& row, std::size_t column, std::string_view cell, bool missing);
    Status take_instant(const table::CsvRow& row, std::size_t column, std::string_view cell, bool missing);
    Status take_category(const table::CsvRow& row, std::size_t column, std::string_view cell, bool missing);
    Status close_column(std::size_t column);
    std::string place(const table::CsvRow& row, std::size_t column) const;
};

RowReader::RowReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowReader::RowReader(RowReader&&) noexcept = default;
RowReader& RowReader::operator=(RowReader&&) noexcept = default;
RowReader::~RowReader() = default;

std::string RowReader::State::place(const table::CsvRow& row, std::size_t column) const {
    const Binding& b = bindings[column];
    return "row " + std::to_string(row.number) + " (line " + std::to_string(row.line) + "), column " + std::to_string(*b.cell + 1) + " (" + b.header + "): ";
}

Status RowReader::State::open() {
    ENTENTE_ASSIGN(table::CsvDialect dialect, table::sniff(head));
    if (mapping.delimiter) dialect.delimiter = *mapping.delimiter;
    if (mapping.decimal) dialect.decimal = *mapping.decimal;
    if (mapping.header) dialect.header = *mapping.header;
    if (mapping.title_lines) dialect.title_lines = *mapping.title_lines;
    rows.report.dialect = dialect;
    csv = std::make_unique<table::CsvReader>(dialect, table::CsvLimits{}, [this](const table::CsvRow& row) {
        return row.number == 0 ? on_header(row.cells) : on_row(row);
    });
    const Bytes first = std::move(head);
    return csv->feed(first);
}

Status RowReader::State::on_header(std::span<const std::string_view> header) {
    std::vector<std::string_view> names;
    for (const std::string_view name : header) names.push_back(table::trimmed(name));
    ENTENTE_ASSIGN(bindings, bind_columns(task, mapping, names));
    std::vector<bool> used(names.size());
    rows.columns.resize(bindings.size());
    rows.report.columns.resize(bindings.size());
    gathered.resize(bindings.size());
    for (std::size_t i = 0; i < bindings.size(); ++i) {
        ColumnReport& r = rows.report.columns[i];
        r.column = task.columns[i].name;
        if (!bindings[i].cell) continue;
        used[*bindings[i].cell] = true;
        r.header = bindings[i].header;
        r.guessed = bindings[i].guessed;
        r.from_unit = std::string(bindings[i].conversion.from.name);
        r.unit = task.columns[i].unit;
        if (bindings[i].mapping == nullptr) continue;
        for (const auto& [theirs, ours] : bindings[i].mapping->rename) gathered[i].rename[theirs] = ours;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        rows.report.headers.emplace_back(names[i]);
        if (!used[i]) rows.report.unused.emplace_back(names[i]);
    }
    return done();
}

Status RowReader::State::on_row(const table::CsvRow& row) {
    for (std::size_t i = 0; i < bindings.size(); ++i) {
        if (!bindings[i].cell) continue;
        if (++values > most_values) {
            return Error{Code::too_large, "table.values", "row " + std::to_string(row.number) + ": expected at most " + std::to_string(most_values) + " cells in all"};
        }
        ENTENTE_TRY(take(row, i));
    }
    ++rows.size;
    return done();
}

Status RowReader::State::take(const table::CsvRow& row, std::size_t column) {
    const Column& c = task.columns[column];
    const std::string_view cell = table::trimmed(row.cells[*bindings[column].cell]);
    // NA may be a category's name; it is no number.
    bool missing = cell.empty() || is_one_of(cell, c.missing) || (c.kind != CellKind::category && table::is_missing(cell));
    if (bindings[column].mapping != nullptr) missing = missing || is_one_of(cell, bindings[column].mapping->missing);
    if (missing) ++rows.report.columns[column].missing;
    switch (c.kind) {
        case CellKind::number: return take_number(row, column, cell, missing);
        case CellKind::instant: return take_instant(row, column, cell, missing);
        case CellKind::category: return take_category(row, column, cell, missing);
    }
    return done();
}

Status RowReader::State::take_number(const table::CsvRow& row, std::size_t column, std::string_view cell, bool missing) {
    std::vector<double>& out = rows.columns[column].numbers;
    if (missing) {
        out.push_back(std::numeric_limits<double>::quiet_NaN());
        return done();
    }
    const char decimal_mark = rows.report.dialect.decimal;
    const auto raw = table::parse_number(cell, decimal_mark);
    if (!raw) {
        const char other = decimal_mark == '.' ? ',' : '.';
        const bool otherwise = table::parse_number(cell, other).has_value();
        return Error{Code::invalid_argument, "table.number",
                     place(row, column) + "expected a number or an empty cell, found " + shown(cell) +
                         (otherwise ? std::string("; with decimal = \"") + other + "\" it is one" : std::string("; a cell that stands for a missing value belongs in `missing` of the mapping"))};
    }
    const Column& c = task.columns[column];
    const double value = bindings[column].conversion(*raw);
    ColumnReport& r = rows.report.columns[column];
    Gathering& g = gathered[column];
    if (!(value >= c.least && value <= c.most)) {
        ++r.missing;
        if (r.outside++ == 0) {
            r.first_outside = place(row, column) + "expected " + range_of(c) + ", found " + shown(cell);
            g.first_outside_raw = *raw;
        }
        out.push_back(std::numeric_limits<double>::quiet_NaN());
        return done();
    }
    r.least = g.filled == 0 ? value : std::min(r.least, value);
    r.most = g.filled == 0 ? value : std::max(r.most, value);
    ++g.filled;
    g.sum += value;
    out.push_back(value);
    return done();
}

Status RowReader::State::take_instant(const table::CsvRow& row, std::size_t column, std::string_view cell, bool missing) {
    std::vector<table::InstantMs>& out = rows.columns[column].instants;
    if (missing) {
        out.push_back(no_instant);
        return done();
    }
    const auto instant = table::parse_instant(cell, mapping.dates);
    if (!instant.ok()) return Error{Code::invalid_argument, "table.date", place(row, column) + instant.error().message};
    ColumnReport& r = rows.report.columns[column];
    r.first = r.first == no_instant ? *instant : std::min(r.first, *instant);
    r.last = r.last == no_instant ? *instant : std::max(r.last, *instant);
    ++gathered[column].filled;
    out.push_back(*instant);
    return done();
}

Status RowReader::State::take_category(const table::CsvRow& row, std::size_t column, std::string_view cell, bool missing) {
    Values& v = rows.columns[column];
    if (missing) {
        v.codes.push_back(no_word);
        return done();
    }
    Gathering& g = gathered[column];
    std::string word(cell);
    if (const auto renamed = g.rename.find(word); renamed != g.rename.end()) word = renamed->second;
    const auto [entry, is_new] = g.codes.try_emplace(word, static_cast<std::uint32_t>(v.words.size()));
    const Column& c = task.columns[column];
    if (is_new) {
        if (v.words.size() >= most_words) return Error{Code::too_large, "table.values", place(row, column) + "expected at most " + std::to_string(most_words) + " different values"};
        v.words.push_back(word);
        g.counts.push_back(0);
        g.listed.push_back(c.categories.empty() || std::find(c.categories.begin(), c.categories.end(), word) != c.categories.end());
    }
    if (!g.listed[entry->second]) {
        if (c.unknown == Unknown::refuse) {
            const std::vector<std::string_view> names(c.categories.begin(), c.categories.end());
            const std::string near = nearest(word, names);
            return Error{Code::invalid_argument, "table.category",
                         place(row, column) + "expected one of the task's categories, found " + shown(word) +
                             (near.empty() ? "" : "; did you mean \"" + near + "\"? `rename` in the mapping says so")};
        }
        ColumnReport& r = rows.report.columns[column];
        if (r.unknown++ == 0) r.first_unknown = place(row, column) + shown(word);
    }
    ++g.counts[entry->second];
    ++g.filled;
    v.codes.push_back(entry->second);
    return done();
}

Status RowReader::State::close_column(std::size_t column) {
    const Column& c = task.columns[column];
    ColumnReport& r = rows.report.columns[column];
    const Gathering& g = gathered[column];
    if (!bindings[column].cell) return done();
    if (static_cast<double>(r.outside) > task.outside_share * static_cast<double>(g.filled + r.outside)) {
        const std::string unit = better_unit(c, bindings[column].conversion, g.first_outside_raw);
        return Error{Code::invalid_argument, "table.outside",
                     r.first_outside + "; " + std::to_string(r.outside) + " of " + std::to_string(g.filled + r.outside) + " cells are outside" +
                         (unit.empty() ? "" : "; in " + unit + " it would be within: is that the unit?")};
    }
    if (g.filled == 0 && !c.optional) {
        return Error{Code::invalid_argument, "table.all-missing", "column " + std::to_string(*bindings[column].cell + 1) + " (" + r.header + "): expected values for " +
                                                                      c.name + ", found none in " + std::to_string(rows.size) + " rows"};
    }
    if (c.kind == CellKind::number && g.filled > 0) r.mean = g.sum / static_cast<double>(g.filled);
    r.distinct = rows.columns[column].words.size();
    std::vector<std::uint32_t> order(g.counts.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
    const std::size_t top = std::min<std::size_t>(10, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top), order.end(), [&g](std::uint32_t a, std::uint32_t b) {
        return g.counts[a] != g.counts[b] ? g.counts[a] > g.counts[b] : a < b;
    });
    for (std::size_t i = 0; i < top; ++i) r.frequent.push_back({rows.columns[column].words[order[i]], g.counts[order[i]]});
    return done();
}

Result<RowReader> RowReader::start(const Task& task, const Mapping& mapping) {
    ENTENTE_TRY(check(task));
    auto state = std::make_unique<State>();
    state->task = task;
    state->mapping = mapping;
    return RowReader(std::move(state));
}

Status RowReader::feed(ByteView bytes) {
    if (state_->csv) return state_->csv->feed(bytes);
    state_->head.insert(state_->head.end(), bytes.begin(), bytes.end());
    return state_->head.size() < table::sniffed_bytes ? done() : state_->open();
}

Result<Rows> RowReader::finish() {
    State& s = *state_;
    if (!s.csv) ENTENTE_TRY(s.open());
    ENTENTE_TRY(s.csv->finish());
    if (s.rows.size == 0) return Error{Code::invalid_argument, "table.empty", "expected rows, found a header alone"};
    s.rows.report.rows = s.rows.size;
    s.rows.report.latin1 = s.csv->latin1();
    for (std::size_t i = 0; i < s.bindings.size(); ++i) ENTENTE_TRY(s.close_column(i));
    return std::move(s.rows);
}

Rows select(const Rows& rows, std::span<const std::uint32_t> chosen) {
    Rows out;
    out.size = chosen.size();
    out.report = rows.report;
    for (const Values& v : rows.columns) {
        Values& o = out.columns.emplace_back();
        o.words = v.words;
        for (const std::uint32_t r : chosen) {
            if (!v.numbers.empty()) o.numbers.push_back(v.numbers[r]);
            if (!v.instants.empty()) o.instants.push_back(v.instants[r]);
            if (!v.codes.empty()) o.codes.push_back(v.codes[r]);
        }
    }
    return out;
}

}  // namespace entente::task
