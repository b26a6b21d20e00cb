// A date, or a date and a time, as people write it in a cell; several formats in one column are read as they come.
//
//   parse_instant("2-Jun-06", {})                              2006-06-02
//   parse_instant("9/11/14", DateOrder::month_first)           2014-09-11
//   parse_instant("2020-03-09 10:14:33.5", {})                 with a time, to the millisecond
//   parse_instant("2020-03-09T10:14:33+01:00", {})             09:14:33 UTC; without an offset the time is taken as it stands
//
// Year, month, day in that order; day and month name in either order; numbers with `/`, `.` or `-` by DateOrder. A year of two digits is 1969
// to 2068 (POSIX). Years 1900 to 2199. Errors, invalid_argument: "date.format"; "date.no-such-day" (31 February, 25:00);
// "date.ambiguous" (9/11/14 when no order is known). Thread-safety: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "entente/base/result.hpp"

namespace entente::table {

enum class DateOrder : std::uint32_t { unknown = 1, day_first = 2, month_first = 3 };

using InstantMs = std::int64_t;  // milliseconds since 1970-01-01T00:00:00

inline constexpr InstantMs ms_per_day = 86'400'000;

Result<InstantMs> parse_instant(std::string_view text, DateOrder order);

// "2006-06-02", and with the time where there is one: "2020-03-09 10:14:33".
std::string format_instant(InstantMs instant);

struct CalendarDay {
    std::int64_t year = 1970;
    std::uint32_t month = 1;        // 1 to 12
    std::uint32_t day = 1;          // 1 to 31
    std::uint32_t day_of_year = 1;  // 1 to 366
    std::uint32_t weekday = 0;      // 0 Monday to 6 Sunday
};

CalendarDay calendar_day(InstantMs instant) noexcept;

}  // namespace entente::table
