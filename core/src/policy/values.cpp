#include "values.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/civil.hpp"
#include "entente/policy/evaluate.hpp"

namespace entente::policy {
namespace {

constexpr std::int64_t ms_per_second = 1000;
constexpr std::int64_t seconds_per_day = 86400;
constexpr std::uint64_t most_units = 100'000'000;  // 273,000 years of days

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::size_t digits_at(std::string_view text, std::size_t at) noexcept {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    return end - at;
}

// At most eight digits, so that nothing overflows.
std::optional<std::int64_t> small_count(std::string_view text) noexcept {
    if (text.empty() || text.size() > 9 || digits_at(text, 0) != text.size()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) value = 10 * value + static_cast<std::uint64_t>(c - '0');
    if (value > most_units) return std::nullopt;
    return static_cast<std::int64_t>(value);
}

// A decimal's parts: value = 0.whole fraction x 10^(exponent + whole.size()).
struct Decimal {
    std::string_view whole;
    std::string_view fraction;
    int exponent = 0;
};

std::optional<Decimal> split_decimal(std::string_view text) noexcept {
    constexpr std::size_t longest = 1000;
    if (text.size() > longest) return std::nullopt;
    Decimal d;
    std::size_t at = digits_at(text, 0);
    if (at == 0) return std::nullopt;
    d.whole = text.substr(0, at);
    if (at < text.size() && text[at] == '.') {
        const std::size_t n = digits_at(text, at + 1);
        if (n == 0) return std::nullopt;
        d.fraction = text.substr(at + 1, n);
        at += 1 + n;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        const bool minus = at < text.size() && text[at] == '-';
        if (minus || (at < text.size() && text[at] == '+')) ++at;
        const std::size_t n = digits_at(text, at);
        if (n == 0 || n > 3) return std::nullopt;
        for (std::size_t i = 0; i < n; ++i) d.exponent = 10 * d.exponent + (text[at + i] - '0');
        if (minus) d.exponent = -d.exponent;
        at += n;
    }
    if (at != text.size()) return std::nullopt;
    return d;
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) noexcept {
    const auto d = split_decimal(text);
    if (!d) return std::nullopt;
    const auto digit = [&d](std::size_t i) {
        const std::size_t all = d->whole.size() + d->fraction.size();
        const char c = i < d->whole.size() ? d->whole[i] : i < all ? d->fraction[i - d->whole.size()] : '0';
        return static_cast<std::uint64_t>(c - '0');
    };
    const std::int64_t point = static_cast<std::int64_t>(d->whole.size()) + d->exponent;
    std::uint64_t value = 0;
    const auto end = static_cast<std::int64_t>(d->whole.size() + d->fraction.size());
    for (std::int64_t i = 0; i < std::max(point, end); ++i) {
        const std::uint64_t next = digit(static_cast<std::size_t>(i));
        if (i >= point) {
            if (next != 0) return std::nullopt;  // a fraction
            continue;
        }
        if (value > (std::numeric_limits<std::uint64_t>::max() - next) / 10) return std::nullopt;
        value = 10 * value + next;
    }
    return value;
}

bool is_decimal(std::string_view text) noexcept { return split_decimal(text).has_value(); }

bool is_zero_decimal(std::string_view text) noexcept {
    const auto d = split_decimal(text);
    const auto zeros = [](std::string_view digits) { return digits.find_first_not_of('0') == std::string_view::npos; };
    return d && zeros(d->whole) && zeros(d->fraction);
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept {
    struct Unit {
        char letter;
        std::int64_t seconds;
        bool of_day;  // behind the T
    };
    constexpr Unit units[] = {{'D', seconds_per_day, false}, {'H', 3600, true}, {'M', 60, true}, {'S', 1, true}};
    if (!text.starts_with('P')) return std::nullopt;
    text.remove_prefix(1);
    bool in_time = false;
    bool any = false;
    std::int64_t seconds = 0;
    std::size_t unit = 0;
    while (!text.empty()) {
        if (text.front() == 'T') {
            if (in_time || text.size() == 1) return std::nullopt;
            in_time = true;
            text.remove_prefix(1);
            continue;
        }
        const std::size_t n = digits_at(text, 0);
        const auto count = small_count(text.substr(0, n));
        if (!count || n == text.size()) return std::nullopt;
        // Each unit once, the larger before the smaller.
        while (unit < std::size(units) && (units[unit].letter != text[n] || units[unit].of_day != in_time)) ++unit;
        if (unit == std::size(units)) return std::nullopt;
        seconds += *count * units[unit++].seconds;
        any = true;
        text.remove_prefix(n + 1);
    }
    if (!any) return std::nullopt;
    return seconds * ms_per_second;
}

std::optional<DateBound> parse_date_bound(std::string_view text) noexcept {
    constexpr std::string_view prefix = "contractAgreement+";
    if (!text.starts_with(prefix)) {
        const auto instant = parse_instant_ms(text);
        if (!instant) return std::nullopt;
        return DateBound{false, *instant};
    }
    text.remove_prefix(prefix.size());
    if (text.size() < 2) return std::nullopt;
    std::int64_t unit_s = 0;
    switch (text.back()) {
        case 's': unit_s = 1; break;
        case 'm': unit_s = 60; break;
        case 'h': unit_s = 3600; break;
        case 'd': unit_s = seconds_per_day; break;
        default: return std::nullopt;
    }
    text.remove_suffix(1);
    const auto count = small_count(text);
    if (!count) return std::nullopt;
    return DateBound{true, *count * unit_s * ms_per_second};
}

std::optional<std::int64_t> parse_instant_ms(std::string_view text) noexcept {
    constexpr std::string_view pattern = "dddd-dd-ddTdd:dd:ddZ";
    if (text.size() != pattern.size()) return std::nullopt;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == 'd' ? !is_digit(text[i]) : text[i] != pattern[i]) return std::nullopt;
    }
    const auto number = [text](std::size_t at, std::size_t length) {
        return static_cast<unsigned>(*small_count(text.substr(at, length)));
    };
    const unsigned year = number(0, 4), month = number(5, 2), day = number(8, 2);
    const unsigned hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const std::int64_t days = days_from_civil(year, month, day);
    const Civil back = civil_from_days(days);
    if (back.day != day || back.month != month) return std::nullopt;  // 31 February and its like
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * ms_per_second;
}

std::string format_instant(std::int64_t ms) {
    const std::int64_t seconds = ms < 0 ? 0 : ms / ms_per_second;
    const Civil date = civil_from_days(seconds / seconds_per_day);
    const std::int64_t rest = seconds % seconds_per_day;
    std::string out;
    const auto put = [&out](std::int64_t value, std::size_t width, char behind) {
        const std::string text = std::to_string(value);
        out.append(text.size() < width ? width - text.size() : 0, '0').append(text) += behind;
    };
    put(date.year, 4, '-');
    put(date.month, 2, '-');
    put(date.day, 2, 'T');
    put(rest / 3600, 2, ':');
    put(rest / 60 % 60, 2, ':');
    put(rest % 60, 2, 'Z');
    return out;
}

}  // namespace entente::policy
