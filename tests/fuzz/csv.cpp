// A partner's table, cut in pieces: the first byte says how, and with which delimiter it is read.
#include <algorithm>
#include <array>

#include "entente/table/csv.hpp"
#include "entente/table/instant.hpp"
#include "entente/table/number.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;

struct Read {
    std::vector<std::string> cells;
    Status status = done();
};

Read read(ByteView text, const table::CsvDialect& dialect, std::size_t piece) {
    const table::CsvLimits limits{256, 1024, 16, 1000};
    Read result;
    table::CsvReader reader(dialect, limits, [&result](const table::CsvRow& row) {
        expect(!row.cells.empty() && row.cells.size() <= 16, "as many columns as are allowed");
        for (const std::string_view cell : row.cells) result.cells.emplace_back(cell);
        return done();
    });
    for (std::size_t at = 0; at < text.size() && result.status.ok(); at += piece) {
        result.status = reader.feed(text.subspan(at, std::min(piece, text.size() - at)));
    }
    if (result.status.ok()) result.status = reader.finish();
    return result;
}

void run_csv(ByteView bytes) {
    if (bytes.empty()) return;
    const unsigned choice = std::to_integer<unsigned>(bytes[0]);
    const ByteView text = bytes.subspan(1);
    table::CsvDialect dialect;
    dialect.delimiter = std::array{',', ';', '\t', ' '}[choice % 4];
    dialect.header = (choice & 4u) != 0;
    if ((choice & 8u) != 0) {
        const auto sniffed = table::sniff(text);
        if (!sniffed.ok()) return;
        dialect = *sniffed;
    }
    const Read whole = read(text, dialect, text.size() + 1);
    const Read pieces = read(text, dialect, 1 + (choice >> 4u));
    expect(whole.cells == pieces.cells, "the same cells however the bytes are cut");
    expect(whole.status.ok() == pieces.status.ok() && (whole.status.ok() || whole.status.error() == pieces.status.error()), "and the same error");
    for (const std::string& cell : whole.cells) {
        if (const auto number = table::parse_number(cell)) expect(*number == *number, "a number is a number");
        const auto instant = table::parse_instant(cell, table::DateOrder::day_first);
        if (!instant.ok()) continue;
        const auto again = table::parse_instant(table::format_instant(*instant), table::DateOrder::unknown);
        expect(again.ok() && *again / 1000 == (*instant - (*instant % 1000 + 1000) % 1000) / 1000, "an instant is written as it is read, to the second");
    }
}

std::vector<Bytes> csv_seeds() {
    return {behind(0x34, as_bytes("a,b\r\n1,\"x, \"\"y\"\"\"\r\n2-Jun-06,-3.5e2\r\n")),
            behind(0x15, as_bytes("Ort;Wert\nK\xf6ln;1.234,5\n31.12.1969;2020-01-01T00:00:00.5+01:00\n")),
            behind(0x28, as_bytes("Title\n\nid,name\n1,\"two\nlines\"\n")), behind(0x03, as_bytes("1 2  3\n4 5 6 \n"))};
}

}  // namespace

Target csv() { return {"csv", run_csv, csv_seeds}; }

}  // namespace fuzz
