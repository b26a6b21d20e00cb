// Delimited text as companies export it, read as a stream: bytes in, rows out, memory for one row.
//
//   table::CsvDialect dialect = table::sniff(first_64_KiB).value();      // a guess: show it, let it be overridden
//   table::CsvReader reader(dialect, {}, [&](const table::CsvRow& row) { use(row.cells); return done(); });
//   for (ByteView piece : file) ENTENTE_TRY(reader.feed(piece));
//   ENTENTE_TRY(reader.finish());
//
// RFC 4180, and what else there is: `,` `;` tab or blanks; LF, CRLF and bare CR; a byte order mark; lines before the
// header; empty lines, which are passed over. Cells come out as UTF-8. A file is UTF-8 until its first cell that is none:
// if no letter outside ASCII came before, it is Windows-1252 (which web standards read "latin-1" as) from there on,
// otherwise it mixes both and is refused. The first row is the header, if the dialect says so, and every row has as many
// cells. The same rows and the same errors however the bytes are cut into pieces.
// Errors, invalid_argument unless said, with row and column: "csv.ragged", "csv.quote" (text behind a closing quote),
// "csv.unclosed-quote", "csv.nul", "csv.encoding", "csv.empty" (no row at all); too_large: "csv.cell", "csv.row", "csv.columns",
// "csv.rows". The first error is final: every later call returns it.
// One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

namespace entente::table {

struct CsvDialect {
    char delimiter = ',';            // ' ': any run of blanks, and none at the ends of a line
    bool header = true;              // false: the columns are called "1", "2", ...
    std::uint32_t title_lines = 0;   // before the header
    char decimal = '.';              // or ',': how numbers are written; for parse_number

    friend bool operator==(const CsvDialect&, const CsvDialect&) = default;
};

struct CsvLimits {
    std::size_t cell_bytes = std::size_t{64} * 1024;
    std::size_t row_bytes = std::size_t{1024} * 1024;
    std::size_t columns = 4096;
    std::uint64_t rows = 100'000'000;
};

struct CsvRow {
    std::uint64_t number = 0;  // of the data rows, from 1; 0 is the header
    std::uint64_t line = 0;    // of the file, from 1, where the row begins
    std::span<const std::string_view> cells;  // valid during the call
};

inline constexpr std::size_t sniffed_bytes = std::size_t{64} * 1024;

// From the beginning of a file, sniffed_bytes of it or all. "csv.utf-16", "csv.nul", "csv.empty".
Result<CsvDialect> sniff(ByteView first);

class CsvReader {
public:
    // Gets the header first: the file's, or the numbers of the columns. Its error ends the reading.
    using OnRow = std::function<Status(const CsvRow& row)>;

    CsvReader(CsvDialect dialect, CsvLimits limits, OnRow on_row);

    Status feed(ByteView bytes);
    Status finish();

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }  // data rows so far
    [[nodiscard]] bool latin1() const noexcept { return latin1_; }

private:
    enum class At : std::uint8_t { cell_start, plain, quoted, quote_in_quoted };

    Status take(char c);
    Status accept(char c);
    Status no_mark();
    Status append(std::string_view run);
    Status end_cell();
    Status end_row();
    Status deliver();
    Status to_utf8();
    Error refuse(Code code, const char* reason, const std::string& sentence) const;

    CsvDialect dialect_;
    std::array<bool, 256> special_{};  // bytes that a run ends at
    CsvLimits limits_;
    OnRow on_row_;
    std::optional<Error> error_;
    At at_ = At::cell_start;
    bool after_cr_ = false;
    bool high_ = false;     // the cell has a byte outside ASCII
    bool any_utf8_ = false;
    bool latin1_ = false;
    bool quoted_ = false;   // the row has a quoted cell: it is not an empty line
    std::uint32_t bom_seen_ = 0;
    std::uint32_t titles_left_;
    std::uint64_t line_ = 1;
    std::uint64_t row_line_ = 1;
    std::uint64_t quote_line_ = 0;  // where the quoted cell begins
    std::uint64_t rows_ = 0;
    std::size_t width_ = 0;  // 0: not known yet
    std::string row_;                // the cells of a row, one behind the other
    std::vector<std::size_t> ends_;  // of each in row_
    std::vector<std::string_view> cells_;
    std::vector<std::string> names_;
};

}  // namespace entente::table
