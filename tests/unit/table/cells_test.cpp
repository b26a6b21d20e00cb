#include <doctest/doctest.h>

#include <string>

#include "entente/table/instant.hpp"
#include "entente/table/number.hpp"
#include "entente/table/unit.hpp"

using namespace entente;
using table::DateOrder;
using table::parse_instant;
using table::parse_number;

TEST_CASE("numbers as people write them") {
    CHECK(parse_number("0.1") == 0.1);
    CHECK(parse_number(" -12.50 ") == -12.5);
    CHECK(parse_number("+.5") == 0.5);
    CHECK(parse_number("7.") == 7.0);
    CHECK(parse_number("3.1e-4") == 3.1e-4);
    CHECK(parse_number("1E3") == 1000.0);
    CHECK(parse_number("1,234,567.5") == 1234567.5);
    CHECK(parse_number("1.234.567,5", ',') == 1234567.5);
    CHECK(parse_number("1 234,5", ',') == 1234.5);
    CHECK(parse_number("1\xc2\xa0" "234") == 1234.0);
    CHECK(parse_number("1'234.5") == 1234.5);
    CHECK(parse_number("\xe2\x88\x92" "3") == -3.0);
    CHECK(parse_number("9007199254740993") == 9007199254740992.0);  // the nearest double, ties to even
    CHECK(parse_number("2.2250738585072014e-308") == 2.2250738585072014e-308);
    for (const char* bad : {"", "-", ".", "abc", "nan", "inf", "12 kg", "1,23", "12,34", "1,2345", "1,234 567", "1e", "1e99999", "0x10", "1.2.3", "1 2", "--1", "1e999"}) {
        INFO(bad);
        CHECK_FALSE(parse_number(bad).has_value());
    }
    CHECK_FALSE(parse_number(std::string(65, '1')).has_value());
}

TEST_CASE("what says that a value is missing") {
    for (const char* cell : {"", "  ", "NA", "n/a", "NaN", "NULL", "-", "?", "#N/A", "None"}) CHECK(table::is_missing(cell));
    for (const char* cell : {"0", "no", "nah", "N A"}) CHECK_FALSE(table::is_missing(cell));
}

TEST_CASE("dates in several formats") {
    const auto said = [](std::string_view text, DateOrder order = DateOrder::unknown) {
        const auto instant = parse_instant(text, order);
        return instant.ok() ? table::format_instant(*instant) : instant.error().reason;
    };
    CHECK(said("2006-06-02") == "2006-06-02");
    CHECK(said("2-Jun-06") == "2006-06-02");
    CHECK(said("2 June 2006") == "2006-06-02");
    CHECK(said("Jun 2, 2006") == "2006-06-02");
    CHECK(said("sept. 30 1999") == "1999-09-30");
    CHECK(said("9/11/14", DateOrder::month_first) == "2014-09-11");
    CHECK(said("9/11/14", DateOrder::day_first) == "2014-11-09");
    CHECK(said("9.11.2014", DateOrder::day_first) == "2014-11-09");
    CHECK(said("31/12/69") == "1969-12-31");
    CHECK(said("12/31/68") == "2068-12-31");
    CHECK(said("5/5/2020") == "2020-05-05");
    CHECK(said("2020-02-29 23:59:07") == "2020-02-29 23:59:07");
    CHECK(said("2020-03-09T10:14:33+01:00") == "2020-03-09 09:14:33");
    CHECK(said("2020-01-01T00:30:00.250+0100") == "2019-12-31 23:30:00");
    CHECK(said("3/9/2020 1:05 PM", DateOrder::month_first) == "2020-03-09 13:05:00");
    CHECK(parse_instant("2020-01-01T00:00:00.25Z", DateOrder::unknown).value() == 1577836800250);
    CHECK(said("31-Feb-2014") == "date.no-such-day");
    CHECK(said("2014-02-31") == "date.no-such-day");
    CHECK(said("2100-02-29") == "date.no-such-day");
    CHECK(said("13/13/2014", DateOrder::day_first) == "date.no-such-day");
    CHECK(said("2014-01-01 25:00") == "date.no-such-day");
    CHECK(said("9/11/14") == "date.ambiguous");
    for (const char* bad : {"", "soon", "Date Not Captured", "2014", "2014-01", "1.5", "1-2-3", "Jun-Jun-06", "2014-01-01x", "2014-01-01 10", "20140101", "2-Jnu-06"}) {
        INFO(bad);
        CHECK(said(bad) == "date.format");
    }
    CHECK(parse_instant("31-Feb-2014", DateOrder::unknown).error().message.find("no day 31 of month 2 in 2014, found \"31-Feb-2014\"") != std::string::npos);
}

// Against Python's datetime: date(2012, 12, 31).timetuple().tm_yday, .weekday().
TEST_CASE("calendar parts") {
    const auto day = [](std::string_view text) { return table::calendar_day(parse_instant(text, DateOrder::unknown).value()); };
    CHECK(day("2012-12-31").day_of_year == 366);
    CHECK(day("2012-12-31").weekday == 0);
    CHECK(day("2014-01-01").weekday == 2);
    CHECK(day("1969-12-31 23:00:00").day_of_year == 365);
    CHECK(day("1969-12-31 23:00:00").weekday == 2);
}

TEST_CASE("units") {
    const auto convert = [](double value, const char* from, const char* to) { return table::conversion(from, to).value()(value); };
    CHECK(convert(212, "°F", "K") == doctest::Approx(373.15).epsilon(1e-12));
    CHECK(convert(0, "K", "°C") == doctest::Approx(-273.15).epsilon(1e-12));
    CHECK(convert(518.67, "°R", "K") == doctest::Approx(288.15).epsilon(1e-12));
    CHECK(convert(2.5, "bar", "kPa") == doctest::Approx(250).epsilon(1e-12));
    CHECK(convert(14.6959487755, "psi", "atm") == doctest::Approx(1).epsilon(1e-9));
    CHECK(convert(1500, "g", "kg") == doctest::Approx(1.5).epsilon(1e-12));
    CHECK(convert(3, "days", "h") == doctest::Approx(72).epsilon(1e-12));
    CHECK(convert(90, "min", "h") == doctest::Approx(1.5).epsilon(1e-12));
    CHECK(convert(60, "l/min", "m3/h") == doctest::Approx(3.6).epsilon(1e-12));
    CHECK(convert(0.1, "bar", "bar") == 0.1);
    CHECK(table::conversion("bar", "K").error().reason == "unit.mismatch");
    CHECK(table::conversion("USD", "EUR").error().reason == "unit.mismatch");
    CHECK(table::conversion("kPaa", "kPa").error().message.find("did you mean \"kPa\"?") != std::string::npos);
}
