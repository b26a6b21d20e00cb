// A partner's table, read in the page: what its columns are, what a task makes of them, and the rows to train on.
#include <algorithm>

#include "entente/table/number.hpp"
#include "entente/task/predictions.hpp"
#include "entente/task/rows.hpp"
#include "json.hpp"
#include "objects.hpp"

namespace entente::wasm {
namespace {

constexpr std::size_t shown_rows = 10;
constexpr std::size_t shown_bytes = 80;

std::string cut(std::string_view cell) {
    std::size_t end = std::min(cell.size(), shown_bytes);
    while (end < cell.size() && end > 0 && (static_cast<unsigned char>(cell[end]) & 0xc0u) == 0x80u) --end;
    return std::string(cell.substr(0, end)) + (end < cell.size() ? "…" : "");
}

Result<task::Task> table_task(const plan::Plan& plan) {
    if (!plan.task.table) return Error{Code::invalid_argument, "data.other", "plan: expected a task on tables, found " + plan.task.kind};
    return plan::task_of(plan);
}

std::vector<std::string_view> split(std::string_view text, char mark) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(mark);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

// Records end at 0x1e, their fields at 0x1f: the order of dates and the decimal mark first, then column, header and unit of each
// column that is mapped. What is empty is guessed.
task::Mapping read_mapping(std::string_view text) {
    task::Mapping mapping;
    const std::vector<std::string_view> records = split(text, '\x1e');
    for (std::size_t i = 0; i < records.size(); ++i) {
        const std::vector<std::string_view> fields = split(records[i], '\x1f');
        if (i == 0) {
            if (fields[0] == "day-first") mapping.dates = table::DateOrder::day_first;
            if (fields[0] == "month-first") mapping.dates = table::DateOrder::month_first;
            if (fields.size() > 1 && fields[1].size() == 1) mapping.decimal = fields[1].front();
        } else if (fields.size() == 3) {
            task::ColumnMapping& column = mapping.columns.emplace_back();
            column.column = fields[0];
            column.from = fields[1];
            if (!fields[2].empty()) column.unit = std::string(fields[2]);
        }
    }
    return mapping;
}

std::string_view word(std::span<const std::string_view> names, std::size_t number) { return names[number - 1]; }

std::string quoted_list(const std::vector<std::string>& words) {
    return json_list(words, [](const std::string& w) { return json_text(w); });
}

std::string column_json(const task::Column& c, const task::ColumnReport& r) {
    Json o;
    o.text("column", c.name).text("role", word(task::role_names(), static_cast<std::size_t>(c.role))).text("header", r.header).flag("guessed", r.guessed)
        .number("missing", r.missing).number("outside", r.outside).number("unknown", r.unknown);
    if (r.header.empty()) return o.done();
    switch (c.kind) {
        case task::CellKind::number: o.text("from_unit", r.from_unit).text("unit", r.unit).number("least", r.least).number("most", r.most).number("mean", r.mean); break;
        case task::CellKind::instant:
            if (r.first != task::no_instant) o.text("first", table::format_instant(r.first)).text("last", table::format_instant(r.last));
            break;
        case task::CellKind::category: {
            o.number("distinct", r.distinct);
            if (c.role == task::Role::feature && !r.frequent.empty()) o.text("frequent", cut(r.frequent.front().word));
            break;
        }
    }
    if (r.outside > 0) o.text("remark", r.first_outside);
    if (r.unknown > 0) o.text("remark", r.first_unknown);
    return o.done();
}

std::string side_json(const task::Side& side) {
    Json o;
    o.number("examples", side.last_rows.size());
    const std::vector<std::uint32_t>& labels = side.dataset.labels;
    if (!labels.empty()) o.number("positive", std::count(labels.begin(), labels.end(), 1u));
    return o.done();
}

class Table final : public TableRows {
public:
    Table(task::Task task, task::Mapping mapping, task::RowReader reader)
        : task_(std::move(task)), mapping_(std::move(mapping)), reader_(std::move(reader)) {}

    Status feed(ByteView bytes) { return reader_.feed(bytes); }

    Result<std::string> finish() {
        ENTENTE_ASSIGN(rows_, reader_.finish());
        ENTENTE_ASSIGN(task::Prepared prepared, task::prepare(task_, rows_));
        take(std::move(prepared));
        if (task::shares_statistics(task_)) {
            ENTENTE_ASSIGN(sums_, task::sums_of(task_, rows_));
        }
        return json();
    }

    Result<bool> scale(const task::Shared& shared) override {
        if (prepared_->statistics == shared.statistics) return false;
        ENTENTE_ASSIGN(task::Prepared prepared, task::prepare(task_, rows_, &shared.statistics));
        take(std::move(prepared));
        return true;
    }
    [[nodiscard]] Result<Quality> quality(std::span<const float> parameters) const override {
        if (prepared_->test.last_rows.empty() || task_.metrics.empty()) return Quality{};
        ENTENTE_ASSIGN(const task::Predictions said, task::predict_examples(task_, *prepared_, parameters));
        const std::vector<std::optional<double>> metrics = task::metrics_of(task_, said);
        return Quality{metrics.front().value_or(-1.0), json_list(metrics, [](const auto& m) { return m ? json_number(*m) : std::string("null"); })};
    }
    [[nodiscard]] const std::vector<std::int32_t>& sums() const override { return sums_; }
    [[nodiscard]] std::shared_ptr<const data::Dataset> train() const override { return {prepared_, &prepared_->train.dataset}; }
    [[nodiscard]] std::shared_ptr<const data::Dataset> test() const override { return {prepared_, &prepared_->test.dataset}; }
    [[nodiscard]] const task::Task& task() const override { return task_; }
    [[nodiscard]] const task::Rows& rows() const override { return rows_; }
    [[nodiscard]] const task::Mapping& mapping() const override { return mapping_; }
    [[nodiscard]] const task::Statistics& statistics() const override { return prepared_->statistics; }

private:
    void take(task::Prepared prepared) { prepared_ = std::make_shared<const task::Prepared>(std::move(prepared)); }

    [[nodiscard]] std::string json() const {
        const task::TableReport& r = rows_.report;
        std::string columns;
        for (std::size_t i = 0; i < r.columns.size(); ++i) columns += (columns.empty() ? "" : ",") + column_json(task_.columns[i], r.columns[i]);
        const auto unused = [this](const std::string& header) {
            const task::Column* forbidden = task::forbidden_as(task_, header);
            return Json().text("header", cut(header)).text("why", forbidden != nullptr ? forbidden->why : std::string()).done();
        };
        return Json()
            .number("rows", r.rows).text("decimal", std::string(1, r.dialect.decimal)).text("encoding", r.latin1 ? "latin-1" : "UTF-8")
            .text("delimiter", std::string(1, r.dialect.delimiter)).raw("columns", "[" + columns + "]").raw("unused", json_list(r.unused, unused))
            .raw("train", side_json(prepared_->train)).raw("test", side_json(prepared_->test)).number("inputs", prepared_->train.dataset.example_size())
            .number("without_label", prepared_->without_label).number("duplicate_ids", prepared_->duplicate_ids).raw("given", given_json()).done();
    }

    // What the sums say that this partner will give, and nothing else.
    [[nodiscard]] std::string given_json() const {
        if (sums_.empty()) return "null";
        const std::vector<float> digits(sums_.begin(), sums_.end());
        const auto own = task::read_sums(task_, digits);
        if (!own.ok()) return "null";
        const task::RegimeStatistics& all = own->statistics.all;
        const std::vector<std::string> names = task::row_names(task_);
        std::string numbers;
        std::size_t at = 0, scaled = 0;
        for (const task::Feature& f : task_.features) {
            const std::size_t width = task::width_of(task_, f);
            for (std::size_t i = 0; f.kind != task::FeatureKind::one_hot && i < width; ++i, ++scaled) {
                numbers += (numbers.empty() ? "" : ",") +
                           Json().text("name", names[at + i]).number("rows", all.rows[scaled]).number("mean", all.mean[scaled]).number("deviation", all.deviation[scaled]).done();
            }
            at += width;
        }
        return Json().number("rows", own->rows).number("positive", own->positive).flag("regimes", !task_.scaling.regime.empty()).raw("numbers", "[" + numbers + "]").done();
    }

    task::Task task_;
    task::Mapping mapping_;
    task::RowReader reader_;
    task::Rows rows_;
    std::shared_ptr<const task::Prepared> prepared_;
    std::vector<std::int32_t> sums_;
};

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

// The beginning of a file, table::sniffed_bytes of it or all: its headers and first rows, and which header each column of the
// task would take by itself. Wrong rows are left out here; reading names them.
const Answer* ent_table_look(Handle plan, const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<PlanObject>(plan));
        ENTENTE_ASSIGN(task::Task task, table_task(object->plan));
        ENTENTE_ASSIGN(const table::CsvDialect dialect, table::sniff(view(bytes, size)));
        std::vector<std::string> headers;
        std::string rows;
        std::size_t count = 0;
        table::CsvReader reader(dialect, {}, [&](const table::CsvRow& row) -> Status {
            std::vector<std::string> cells;
            for (const std::string_view cell : row.cells) cells.push_back(cut(table::trimmed(cell)));
            if (row.number == 0) {
                headers = std::move(cells);
            } else if (count++ < shown_rows) {
                rows += (rows.empty() ? "" : ",") + quoted_list(cells);
            }
            return done();
        });
        if (const Status fed = reader.feed(view(bytes, size)); fed.ok()) static_cast<void>(reader.finish());
        // Every column may be absent while nothing is said yet.
        for (task::Column& c : task.columns) c.optional = true;
        const std::vector<std::string_view> names(headers.begin(), headers.end());
        const auto bound = task::bind_columns(task, {}, names);
        std::string guesses;
        for (std::size_t i = 0; bound.ok() && i < bound->size(); ++i) {
            if ((*bound)[i].cell) guesses += (guesses.empty() ? "" : ",") + json_text(task.columns[i].name) + ":" + json_text((*bound)[i].header);
        }
        return Json().raw("headers", quoted_list(headers)).raw("rows", "[" + rows + "]").raw("guesses", "{" + guesses + "}").done();
    });
}

// Reading begins, goes on piece by piece, and ends with what there is, as JSON; then the handle is what a participant trains on.
const Answer* ent_table_begin(Handle plan, const char* mapping, std::uint32_t mapping_size) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(const auto object, find<PlanObject>(plan));
        ENTENTE_ASSIGN(task::Task task, table_task(object->plan));
        task::Mapping read = read_mapping(text(mapping, mapping_size));
        ENTENTE_ASSIGN(task::RowReader reader, task::RowReader::start(task, read));
        return keep(std::make_shared<Table>(std::move(task), std::move(read), std::move(reader)));
    });
}

const Answer* ent_table_feed(Handle handle, const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<Done> {
        ENTENTE_ASSIGN(const auto table, find<Table>(handle));
        ENTENTE_TRY(table->feed(view(bytes, size)));
        return Done{};
    });
}

const Answer* ent_table_finish(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto table, find<Table>(handle));
        return table->finish();
    });
}

}  // extern "C"
