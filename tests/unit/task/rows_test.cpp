#include "entente/task/rows.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "unit/task/tables.hpp"

using namespace entente;
using tables::orders;
using tables::read;

namespace {

void check_refused(const Result<task::Rows>& rows, const char* reason, std::string_view said) {
    REQUIRE_FALSE(rows.ok());
    INFO(rows.error().message);
    CHECK(rows.error().reason == reason);
    CHECK(rows.error().message.find(said) != std::string::npos);
}

constexpr std::string_view header = "line,shipment,due,delivered,ordered,site,weight\n";

}  // namespace

TEST_CASE("a partner's columns and units become the task's") {
    task::Mapping mine;
    mine.dates = table::DateOrder::day_first;
    mine.columns = {{"line", "Pos", {}, {}, {}}, {"due", "Termin", {}, {}, {}},   {"delivered", "Geliefert", {}, {}, {}},
                    {"site", "Werk", {}, {"k.A."}, {{"Werk 1", "A"}}},           {"weight", "Gewicht", "g", {"999999"}, {}}};
    const auto rows = read(orders(), "Pos;Termin;Geliefert;Ordered;Werk;Gewicht;Rest\n"
                                     "1;31.01.2020;1.2.2020;not captured;Werk 1;1.500,5;x\n"
                                     "2;2020-03-01;2-Mar-20;See note 7;k.A.;999999;y\n"
                                     "3;1/4/2020;;1/3/2020;C;;z\n", mine);
    REQUIRE(rows.ok());
    CHECK(rows->size == 3);
    CHECK(rows->report.dialect == table::CsvDialect{';', true, 0, ','});
    CHECK(rows->report.unused == std::vector<std::string>{"Rest"});
    const auto& weight = rows->columns[6];
    CHECK(weight.numbers[0] == doctest::Approx(1.5005));
    CHECK(std::isnan(weight.numbers[1]));
    CHECK(std::isnan(weight.numbers[2]));
    CHECK(rows->report.columns[6].missing == 2);
    CHECK(rows->report.columns[6].from_unit == "g");
    CHECK(rows->columns[4].instants == std::vector<table::InstantMs>{task::no_instant, task::no_instant, 1583020800000});
    CHECK(rows->report.columns[4].guessed);
    CHECK_FALSE(rows->columns[1].present());
    CHECK(rows->columns[5].codes == std::vector<std::uint32_t>{0, task::no_word, 1});
    CHECK(rows->columns[5].words == std::vector<std::string>{"A", "C"});
    CHECK(rows->report.columns[5].unknown == 1);
    CHECK(rows->report.columns[5].first_unknown == "row 3 (line 4), column 5 (Werk): \"C\"");
}

TEST_CASE("a unit in brackets behind a header is taken") {
    const auto rows = read(orders(), "line,due,delivered,site,Weight [g]\n1,2020-01-01,2020-01-01,A,250\n");
    REQUIRE(rows.ok());
    CHECK(rows->columns[6].numbers[0] == 0.25);
    CHECK(rows->report.columns[6].header == "Weight [g]");
}

TEST_CASE("what must not be mapped is refused with the reason") {
    const std::string text = "line,due,Arrived on,site,weight,Freight Cost\n1,2020-01-01,2020-01-01,A,1,5\n";
    task::Mapping mine;
    const auto refused = [&](task::ColumnMapping m) {
        mine.columns = {std::move(m)};
        return read(orders(), text, mine);
    };
    check_refused(refused({"freight", "Freight Cost", {}, {}, {}}), "mapping.forbidden", "it is invoiced after the delivery");
    check_refused(refused({"weight", "Freight Cost", {}, {}, {}}), "mapping.forbidden", "\"Freight Cost\" must not be used: it is invoiced");
    check_refused(refused({"ordered", "Arrived on", {}, {}, {}}), "mapping.missing-column", "columns.delivered");
    check_refused(refused({"wieght", "weight", {}, {}, {}}), "mapping.column", "did you mean \"weight\"?");
    check_refused(refused({"weight", "Weigth", {}, {}, {}}), "mapping.header", "did you mean \"weight\"?");
    check_refused(refused({"weight", "weight", "bar", {}, {}}), "mapping.unit", "expected a unit of mass, as \"kg\", found \"bar\", a unit of pressure");
    check_refused(refused({"weight", "weight", "kgg", {}, {}}), "mapping.unit", "did you mean \"kg\"?");
    check_refused(refused({"site", "site", "kg", {}, {}}), "mapping.unit", "site is no number");
    mine.columns = {{"due", "due", {}, {}, {}}, {"ordered", "due", {}, {}, {}}};
    check_refused(read(orders(), text, mine), "mapping.leak", "\"due\" is due already");
    // The label under two names: the second is an input, and would be the label.
    mine.columns = {{"delivered", "due", {}, {}, {}}, {"due", "weight", {}, {}, {}}, {"ordered", "Arrived on", {}, {}, {}}, {"weight", "line", {}, {}, {}}, {"line", "site", {}, {}, {}}, {"site", "Freight Cost", {}, {}, {}}};
    check_refused(read(orders(), text, mine), "mapping.leak", "\"Arrived on\" is what the label is made of (delivered)");
    check_refused(read(orders(), "line,due,site,weight\n1,2020-01-01,A,1\n"), "mapping.missing-column", "columns.delivered: the task orders needs this column");
    check_refused(read(orders(), "line,due,due,delivered,site,weight\n1,2020-01-01,2020-01-01,2020-01-01,A,1\n", {.columns = {{"due", "due", {}, {}, {}}}}),
                  "mapping.header", "two columns \"due\"");
}

TEST_CASE("a cell that cannot be is named by row and column") {
    const std::string head(header);
    check_refused(read(orders(), head + "1,s,2020-01-01,2020-01-01,,A,1\n2,s,2020-01-01,2020-01-01,,A,heavy\n"), "table.number",
                  "row 2 (line 3), column 7 (weight): expected a number or an empty cell, found \"heavy\"");
    check_refused(read(orders(), head + "1,s,31-Feb-20,2020-01-01,,A,1\n"), "table.date", "row 1 (line 2), column 3 (due): expected a day of the calendar");
    check_refused(read(orders(), head + "1,s,2020-01-01,2020-01-01,,A,4000\n"), "table.outside",
                  "column 7 (weight): expected 0 to 1000 kg, found \"4000\"; 1 of 1 cells are outside; in g it would be within: is that the unit?");
    check_refused(read(orders(), head + "1,s,2020-01-01,2020-01-01,,A,\n"), "table.all-missing", "expected values for weight, found none in 1 rows");
    check_refused(read(orders(), head), "table.empty", "found a header alone");
    check_refused(read(orders(), head + "1,s,2020-01-01\n"), "csv.ragged", "expected 7 cells");
    task::Task strict = orders();
    strict.columns[5].unknown = task::Unknown::refuse;
    strict.columns[5].categories = {"Hamburg", "Bremen"};
    check_refused(read(strict, head + "1,s,2020-01-01,2020-01-01,,Hambrug,1\n"), "table.category", "did you mean \"Hamburg\"?");
    check_refused(read(orders(), "line;due;delivered;site;weight\n1;2020-01-01;2020-01-01;A;1,5\n", {.decimal = '.'}), "table.number", "with decimal = \",\" it is one");
}

TEST_CASE("a value that no such thing has is refused with the unit in which it could be") {
    task::Task t = orders();
    t.columns[6] = tables::number("weight", "K", 200, 500);
    const std::string row = "1,s,2020-01-01,2020-01-01,,A,";
    check_refused(read(t, std::string(header) + row + "4000\n"), "table.outside", "expected 200 to 500 K, found \"4000\"; 1 of 1 cells are outside");
    check_refused(read(t, std::string(header) + row + "25\n"), "table.outside", "in °C it would be within: is that the unit?");
}

TEST_CASE("a line of a gigabyte is refused in its first two megabytes, whatever it is made of") {
    for (const std::string_view piece : {"x", "1,", "\"x\",", "\"\n"}) {
        for (const std::string& head : {std::string(), std::string(header)}) {
            std::string megabyte;
            while (megabyte.size() < (1u << 20)) megabyte += piece;
            task::RowReader reader = task::RowReader::start(orders(), {}).value();
            Status fed = reader.feed(as_bytes(head));
            std::size_t megabytes = 0;
            for (; fed.ok() && megabytes < 1024; ++megabytes) fed = reader.feed(as_bytes(megabyte));
            INFO(piece);
            REQUIRE_FALSE(fed.ok());
            CHECK(megabytes <= 2);
            INFO(fed.error().message);
            CHECK(fed.error().message.size() < 400);
        }
    }
}

TEST_CASE("few cells outside the range are missing, and counted") {
    std::string text(header);
    for (int i = 0; i < 200; ++i) text += std::to_string(i) + ",s,2020-01-01,2020-01-01,,A," + (i == 17 ? "-5" : "5") + "\n";
    const auto rows = read(orders(), text);
    REQUIRE(rows.ok());
    CHECK(rows->report.columns[6].outside == 1);
    CHECK(rows->report.columns[6].first_outside == "row 18 (line 19), column 7 (weight): expected 0 to 1000 kg, found \"-5\"");
    CHECK(std::isnan(rows->columns[6].numbers[17]));
    CHECK(rows->report.columns[6].mean == 5.0);
}
