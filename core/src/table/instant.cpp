#include "entente/table/instant.hpp"

#include <array>
#include <optional>

#include "base/civil.hpp"
#include "entente/table/number.hpp"

namespace entente::table {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr std::array<std::string_view, 12> months{"january", "february", "march",     "april",   "may",      "june",
                                                  "july",    "august",   "september", "october", "november", "december"};
constexpr std::size_t longest = 40;

Error refuse(const char* reason, std::string_view text, const std::string& sentence) {
    std::string shown;
    for (const char c : text.substr(0, longest)) shown += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return Error{Code::invalid_argument, reason, sentence + ", found \"" + shown + "\""};
}

struct Field {
    std::uint32_t value = 0;
    std::size_t digits = 0;
    bool month = false;  // a month's name
};

std::optional<Field> take_number(std::string_view& text) {
    Field field;
    while (field.digits < text.size() && is_digit(text[field.digits]) && field.digits < 9) {
        field.value = field.value * 10 + static_cast<std::uint32_t>(text[field.digits] - '0');
        ++field.digits;
    }
    if (field.digits == 0) return std::nullopt;
    text.remove_prefix(field.digits);
    return field;
}

// The whole name or its first three letters, and a point behind it.
std::optional<Field> take_month(std::string_view& text) {
    std::string word;
    while (word.size() < text.size() && lower(text[word.size()]) >= 'a' && lower(text[word.size()]) <= 'z') word += lower(text[word.size()]);
    for (std::uint32_t m = 0; m < months.size(); ++m) {
        const bool abbreviated = word.size() == 3 || (m == 8 && word == "sept");
        if (word.empty() || (word != months[m] && !(abbreviated && months[m].starts_with(word)))) continue;
        text.remove_prefix(word.size());
        if (text.starts_with('.')) text.remove_prefix(1);
        return Field{m + 1, 0, true};
    }
    return std::nullopt;
}

// One of - / . or blanks and a comma.
bool take_separator(std::string_view& text) {
    const std::size_t before = text.size();
    while (!text.empty() && (text[0] == ' ' || text[0] == ',')) text.remove_prefix(1);
    if (text.size() == before && !text.empty() && (text[0] == '-' || text[0] == '/' || text[0] == '.')) text.remove_prefix(1);
    return text.size() < before;
}

struct Date {
    std::uint32_t year = 0, month = 0, day = 0;
};

std::uint32_t full_year(const Field& f) { return f.digits > 2 ? f.value : f.value + (f.value < 69 ? 2000u : 1900u); }

Result<Date> order_fields(const std::array<Field, 3>& f, DateOrder order, std::string_view whole) {
    if (f[0].digits == 4 && !f[0].month) return Date{f[0].value, f[1].value, f[2].value};
    const bool year_last = f[2].digits == 4 || f[2].digits == 2;
    if (!year_last || f[2].month) return refuse("date.format", whole, "expected a date such as 2006-06-02 or 2-Jun-06");
    if (f[0].month) return Date{full_year(f[2]), f[0].value, f[1].value};
    if (f[1].month) return Date{full_year(f[2]), f[1].value, f[0].value};
    if (f[0].digits > 2 || f[1].digits > 2) return refuse("date.format", whole, "expected a date such as 2006-06-02 or 2-Jun-06");
    // Only one of the two can be a month, or both are the same: no order is needed.
    const bool first_is_day = f[0].value > 12, second_is_day = f[1].value > 12;
    if (order == DateOrder::unknown && !first_is_day && !second_is_day && f[0].value != f[1].value) {
        return refuse("date.ambiguous", whole, "expected to be told whether the day or the month comes first (dates = \"day-first\" or \"month-first\")");
    }
    const bool day_first = order == DateOrder::unknown ? first_is_day : order == DateOrder::day_first;
    return day_first ? Date{full_year(f[2]), f[1].value, f[0].value} : Date{full_year(f[2]), f[0].value, f[1].value};
}

Result<Date> take_date(std::string_view& text, DateOrder order, std::string_view whole) {
    std::array<Field, 3> fields;
    for (std::size_t i = 0; i < 3; ++i) {
        if (i > 0 && !take_separator(text)) return refuse("date.format", whole, "expected a date such as 2006-06-02 or 2-Jun-06");
        std::optional<Field> field = take_number(text);
        if (!field && i < 2) field = take_month(text);
        if (!field) return refuse("date.format", whole, "expected a date such as 2006-06-02 or 2-Jun-06");
        fields[i] = *field;
    }
    if (fields[0].month && fields[1].month) return refuse("date.format", whole, "expected a date with one month");
    return order_fields(fields, order, whole);
}

// hh:mm, hh:mm:ss, hh:mm:ss.fff, and am or pm behind it. `text` begins behind the separator.
Result<InstantMs> take_time(std::string_view& text, std::string_view whole) {
    const auto fail = [whole] { return refuse("date.format", whole, "expected a time such as 10:14:33"); };
    std::uint32_t parts[3] = {0, 0, 0};
    std::size_t count = 0;
    for (; count < 3; ++count) {
        if (count > 0) {
            if (!text.starts_with(':')) break;
            text.remove_prefix(1);
        }
        const std::optional<Field> field = take_number(text);
        if (!field || field->digits > 2) return fail();
        parts[count] = field->value;
    }
    if (count < 2) return fail();
    std::uint32_t ms = 0;
    if (count == 3 && (text.starts_with('.') || text.starts_with(','))) {
        text.remove_prefix(1);
        const std::optional<Field> field = take_number(text);
        if (!field) return fail();
        ms = field->value;
        for (std::size_t d = field->digits; d < 3; ++d) ms *= 10;
        for (std::size_t d = 3; d < field->digits; ++d) ms /= 10;
    }
    if (text.starts_with(' ')) text.remove_prefix(1);
    if (text.size() >= 2 && lower(text[1]) == 'm' && (lower(text[0]) == 'a' || lower(text[0]) == 'p')) {
        if (parts[0] < 1 || parts[0] > 12) return refuse("date.no-such-day", whole, "expected an hour from 1 to 12 before am or pm");
        parts[0] = parts[0] % 12 + (lower(text[0]) == 'p' ? 12u : 0u);
        text.remove_prefix(2);
    }
    if (parts[0] > 23 || parts[1] > 59 || parts[2] > 60) return refuse("date.no-such-day", whole, "expected a time from 00:00:00 to 23:59:60");
    return ((InstantMs{parts[0]} * 60 + parts[1]) * 60 + parts[2]) * 1000 + ms;
}

Result<InstantMs> take_offset(std::string_view& text, std::string_view whole) {
    if (text.starts_with('Z') || text.starts_with('z')) {
        text.remove_prefix(1);
        return InstantMs{0};
    }
    if (!text.starts_with('+') && !text.starts_with('-')) return InstantMs{0};
    const bool east = text[0] == '+';
    text.remove_prefix(1);
    const std::optional<Field> first = take_number(text);
    if (!first) return refuse("date.format", whole, "expected an offset such as +01:00");
    std::uint32_t hours = first->value, minutes = 0;
    if (first->digits == 4) {
        minutes = hours % 100;
        hours /= 100;
    } else if (text.starts_with(':')) {
        text.remove_prefix(1);
        const std::optional<Field> second = take_number(text);
        if (!second) return refuse("date.format", whole, "expected an offset such as +01:00");
        minutes = second->value;
    }
    if (hours > 14 || minutes > 59) return refuse("date.no-such-day", whole, "expected an offset of at most 14 hours");
    const InstantMs ms = (InstantMs{hours} * 60 + minutes) * 60'000;
    return east ? -ms : ms;
}

}  // namespace

Result<InstantMs> parse_instant(std::string_view text, DateOrder order) {
    const std::string_view whole = trimmed(text);
    if (whole.size() > longest) return refuse("date.format", whole, "expected a date such as 2006-06-02 or 2-Jun-06");
    text = whole;
    ENTENTE_ASSIGN(const Date date, take_date(text, order, whole));
    if (date.year < 1900 || date.year > 2199) return refuse("date.no-such-day", whole, "expected a year from 1900 to 2199");
    const std::int64_t days = date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= 31 ? days_from_civil(date.year, date.month, date.day) : 0;
    const Civil back = civil_from_days(days);
    if (back.month != date.month || back.day != date.day || back.year != static_cast<std::int64_t>(date.year)) {
        return refuse("date.no-such-day", whole,
                      "expected a day of the calendar: there is no day " + std::to_string(date.day) + " of month " + std::to_string(date.month) +
                          " in " + std::to_string(date.year));
    }
    InstantMs instant = days * ms_per_day;
    if (text.starts_with('T') || text.starts_with('t') || text.starts_with(' ')) {
        text.remove_prefix(1);
        ENTENTE_ASSIGN(const InstantMs time, take_time(text, whole));
        ENTENTE_ASSIGN(const InstantMs offset, take_offset(text, whole));
        instant += time + offset;
    }
    if (!text.empty()) return refuse("date.format", whole, "expected nothing behind the date");
    return instant;
}

CalendarDay calendar_day(InstantMs instant) noexcept {
    const std::int64_t days = (instant >= 0 ? instant : instant - ms_per_day + 1) / ms_per_day;
    const Civil date = civil_from_days(days);
    CalendarDay day;
    day.year = date.year;
    day.month = date.month;
    day.day = date.day;
    day.day_of_year = static_cast<std::uint32_t>(days - days_from_civil(date.year, 1, 1) + 1);
    day.weekday = static_cast<std::uint32_t>(((days + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
    return day;
}

std::string format_instant(InstantMs instant) {
    const CalendarDay day = calendar_day(instant);
    const auto two = [](std::int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); };
    std::string out = std::to_string(day.year) + "-" + two(day.month) + "-" + two(day.day);
    const InstantMs rest = ((instant % ms_per_day) + ms_per_day) % ms_per_day;
    if (rest == 0) return out;
    return out + " " + two(rest / 3'600'000) + ":" + two(rest / 60'000 % 60) + ":" + two(rest / 1000 % 60);
}

}  // namespace entente::table
