// A partner's file as a task's columns, read as a stream: only columns that the task has are kept.
//
//   ENTENTE_ASSIGN(task::RowReader reader, task::RowReader::start(late, mapping));
//   for (ByteView piece : file) ENTENTE_TRY(reader.feed(piece));
//   ENTENTE_ASSIGN(const task::Rows rows, reader.finish());
//   rows.report.columns[3].missing;                              // how many cells
//
// Every number is in the task's unit. A cell outside its column's range counts as missing; when more of them are than the
// task tolerates, the file is refused. Errors name row, line, column, what was expected and what was found: those of
// table::CsvReader and bind_columns; invalid_argument "table.number", "table.date", "table.category", "table.outside", "table.all-missing", "table.empty" (no rows);
// too_large "table.values". One thread at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/task/mapping.hpp"
#include "entente/task/task.hpp"

namespace entente::task {

inline constexpr table::InstantMs no_instant = std::numeric_limits<table::InstantMs>::min();
inline constexpr std::uint32_t no_word = std::numeric_limits<std::uint32_t>::max();

// One of the three has a value for each row, by the column's kind; all are empty when the file lacks the column.
struct Values {
    std::vector<double> numbers;              // NaN: missing
    std::vector<table::InstantMs> instants;   // no_instant: missing
    std::vector<std::uint32_t> codes;         // in words; no_word: missing
    std::vector<std::string> words;           // in the order of their first row

    [[nodiscard]] bool present() const noexcept { return !numbers.empty() || !instants.empty() || !codes.empty(); }
};

struct WordCount {
    std::string word;
    std::uint64_t rows = 0;
};

struct ColumnReport {
    std::string column;
    std::string header;    // empty: the file has no such column
    bool guessed = false;
    std::string from_unit;
    std::string unit;
    std::uint64_t missing = 0;
    std::uint64_t outside = 0;   // of the range; counted as missing, too
    std::uint64_t unknown = 0;   // categories that the task does not list
    std::string first_outside;   // where, and what was found
    std::string first_unknown;
    double least = 0.0, most = 0.0, mean = 0.0;  // numbers, of what is not missing
    table::InstantMs first = no_instant, last = no_instant;
    std::uint64_t distinct = 0;            // categories
    std::vector<WordCount> frequent;       // the ten most frequent categories
};

struct TableReport {
    table::CsvDialect dialect;
    bool latin1 = false;
    std::uint64_t rows = 0;
    std::vector<std::string> headers;
    std::vector<std::string> unused;       // headers that no column takes
    std::vector<ColumnReport> columns;     // as task.columns
};

struct Rows {
    std::uint64_t size = 0;
    std::vector<Values> columns;  // as task.columns
    TableReport report;
};

// Some rows of a table, in their order; its report stays that of the whole. REQUIRES: every row < rows.size.
Rows select(const Rows& rows, std::span<const std::uint32_t> chosen);

// The rows of both, one behind the other, so that what a feature takes from a row's past is there; the report is the later's. Rows of the earlier
// table whose id the later one has, too, are left out. REQUIRES: both are of this task.
Rows joined(const Task& task, const Rows& earlier, const Rows& later);
// Does a feature of this task look at other rows of the file?
bool looks_back(const Task& task) noexcept;

inline constexpr std::uint64_t most_values = std::uint64_t{1} << 27;  // cells kept, of all columns together
inline constexpr std::uint64_t most_words = 5'000'000;                // different words of one column

class RowReader {
public:
    // Copies both. Errors of check(task).
    static Result<RowReader> start(const Task& task, const Mapping& mapping);

    RowReader(RowReader&&) noexcept;
    RowReader& operator=(RowReader&&) noexcept;
    ~RowReader();

    Status feed(ByteView bytes);
    // Ends the reading; REQUIRES: called once.
    Result<Rows> finish();

private:
    struct State;
    explicit RowReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace entente::task
