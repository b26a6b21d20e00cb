#include "entente/table/csv.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace entente;
using table::CsvDialect;
using table::CsvLimits;
using table::CsvReader;
using table::CsvRow;

namespace {

using Rows = std::vector<std::vector<std::string>>;

struct Read {
    Rows rows;  // the header first
    std::vector<std::uint64_t> lines;
    Status status = done();
};

Read read(std::string_view text, const CsvDialect& dialect = {}, const CsvLimits& limits = {}, std::size_t piece = 1 << 20) {
    Read result;
    CsvReader reader(dialect, limits, [&result](const CsvRow& row) {
        result.rows.emplace_back(row.cells.begin(), row.cells.end());
        result.lines.push_back(row.line);
        return done();
    });
    const ByteView bytes = as_bytes(text);
    for (std::size_t at = 0; at < bytes.size() && result.status.ok(); at += piece) {
        result.status = reader.feed(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    }
    if (result.status.ok()) result.status = reader.finish();
    return result;
}

void check_refused(std::string_view text, const char* reason, std::string_view said, const CsvDialect& dialect = {}, const CsvLimits& limits = {}) {
    const Read whole = read(text, dialect, limits);
    REQUIRE_FALSE(whole.status.ok());
    CHECK(whole.status.error().reason == reason);
    INFO(whole.status.error().message);
    CHECK(whole.status.error().message.find(said) != std::string::npos);
    CHECK(read(text, dialect, limits, 1).status.error() == whole.status.error());
}

}  // namespace

TEST_CASE("rows come out the same however the bytes are cut and the lines end") {
    const Rows expected{{"a", "b", "c"}, {"1", "x, y", "say \"no\""}, {"", "two\nlines", "Côte d'Ivoire"}};
    for (const std::string& end : std::vector<std::string>{"\n", "\r\n", "\r"}) {
        for (const std::string& last : std::vector<std::string>{"", end, end + end}) {
            const std::string text = "a,b,c" + end + "1,\"x, y\",\"say \"\"no\"\"\"" + end + end + ",\"two\nlines\",Côte d'Ivoire" + last;
            for (const std::string& mark : std::vector<std::string>{"", "\xef\xbb\xbf"}) {
                for (const std::size_t piece : {1u, 2u, 3u, 7u, 1000u}) {
                    const Read result = read(mark + text, {}, {}, piece);
                    REQUIRE(result.status.ok());
                    CHECK(result.rows == expected);
                    CHECK(result.lines == std::vector<std::uint64_t>{1, 2, 4});
                }
            }
        }
    }
}

TEST_CASE("blanks as delimiter, and no header: C-MAPSS as NASA has it") {
    CsvDialect dialect;
    dialect.delimiter = ' ';
    dialect.header = false;
    const Read result = read("1 1  -0.0007\t100.0  \n 1 2 0.0019 100.0\n", dialect);
    REQUIRE(result.status.ok());
    CHECK(result.rows == Rows{{"1", "2", "3", "4"}, {"1", "1", "-0.0007", "100.0"}, {"1", "2", "0.0019", "100.0"}});
}

TEST_CASE("latin-1 is told from UTF-8 by the first cell that is none") {
    const Read result = read("Ort;Preis\nKöln;1\n", {.delimiter = ';'});
    CHECK(result.rows[1][0] == "Köln");
    const Read latin = read("Ort;Preis\nK\xf6ln;5 \x80\nM\xfcnchen;2\n", {.delimiter = ';'});
    REQUIRE(latin.status.ok());
    CHECK(latin.rows == Rows{{"Ort", "Preis"}, {"Köln", "5 €"}, {"München", "2"}});
    check_refused("Ort;Preis\nKöln;1\nM\xfcnchen;2\n", "csv.encoding", "row 2 (line 3), column 1 (Ort)", {.delimiter = ';'});
    check_refused("\xef\xbb\xbfOrt;Preis\nM\xfcnchen;2\n", "csv.encoding", "row 1 (line 2), column 1 (Ort)", {.delimiter = ';'});
}

TEST_CASE("what is wrong is refused with row, line and column") {
    check_refused("a,b\n1,2\n3\n", "csv.ragged", "row 2 (line 3): expected 2 cells, as in the first row, found 1");
    check_refused("a,b\n1,2\n3,4,5\n", "csv.ragged", "found 3");
    check_refused("a,b\n1,\"open\n3,4\n", "csv.unclosed-quote", "row 1 (line 2), column 2 (b): expected the end of the quoted cell that begins in line 2");
    check_refused("a,b\n1,\"x\"y\n", "csv.quote", "row 1 (line 2), column 2 (b)");
    check_refused(std::string("a,b\n1,\0\n", 8), "csv.nul", "row 1 (line 2), column 2 (b)");
    check_refused("", "csv.empty", "found an empty file");
    check_refused("\n\n", "csv.empty", "found an empty file");
}

TEST_CASE("limits hold before memory is taken") {
    CsvLimits limits;
    limits.cell_bytes = 10;
    limits.row_bytes = 15;
    limits.columns = 3;
    limits.rows = 2;
    check_refused("a,b\n12345678901,2\n", "csv.cell", "row 1 (line 2), column 1 (a): expected a cell of at most 10 bytes", {}, limits);
    check_refused("a,b\n\"1234567890\n1\n2,3\n", "csv.cell", "the quote that opens in line 2 may not be closed", {}, limits);
    check_refused("a,b\n1234567890,123456\n", "csv.row", "expected a row of at most 15 bytes", {}, limits);
    check_refused("a,b,c,d\n", "csv.columns", "the header (line 1), column 4: expected at most 3 columns", {}, limits);
    check_refused("a\n1\n2\n3\n", "csv.rows", "expected at most 2 rows", {}, limits);
    // A line without end, and a million columns, within the ordinary limits.
    check_refused("a\n" + std::string(3'000'000, 'x'), "csv.cell", "row 1 (line 2), column 1");
    check_refused(std::string(1'000'000, ','), "csv.columns", "the header (line 1), column 4097");
}

TEST_CASE("the first error is final, and that of the row's user too") {
    CsvReader reader({}, {}, [](const CsvRow& row) -> Status {
        if (row.number == 1) return Error{Code::invalid_argument, "mine", "no"};
        return done();
    });
    CHECK(reader.feed(as_bytes("a,b\n")).ok());
    CHECK(reader.feed(as_bytes("1,2\n")).error().reason == "mine");
    CHECK(reader.feed(as_bytes("1,2\n")).error().reason == "mine");
    CHECK(reader.finish().error().reason == "mine");
}

TEST_CASE("a file's way of writing is guessed") {
    const auto guess = [](std::string_view text) { return table::sniff(as_bytes(text)).value(); };
    CHECK(guess("a,b\n1.5,2\n") == CsvDialect{',', true, 0, '.'});
    CHECK(guess("Datum;Wert;Menge\n1.1.2020;3,5;1.234,5\n2.1.2020;4,25;17,0\n") == CsvDialect{';', true, 0, ','});
    CHECK(guess("a\tb\n1,5\t2,25\n") == CsvDialect{'\t', true, 0, ','});
    CHECK(guess("1 1 -0.0007 100.0  \n1 2 0.0019 100.0  \n") == CsvDialect{' ', false, 0, '.'});
    CHECK(guess("1,5;2,5\n3,5;4,75\n") == CsvDialect{';', false, 0, ','});
    CHECK(guess("Export of 3 March\n\nid,name\n1,\"x, y\"\n2,z\n") == CsvDialect{',', true, 1, '.'});
    CHECK(guess("value\n1\n2\n") == CsvDialect{',', true, 0, '.'});
    CHECK(guess("\xef\xbb\xbf" "a;b\r\n1;2\r\n") == CsvDialect{';', true, 0, '.'});
    CHECK(table::sniff(as_bytes(std::string_view("\xff\xfe" "a\0", 4))).error().reason == "csv.utf-16");
    CHECK(table::sniff(as_bytes(std::string_view("PK\3\4\0\0", 6))).error().reason == "csv.nul");
    CHECK(table::sniff({}).error().reason == "csv.empty");
}
