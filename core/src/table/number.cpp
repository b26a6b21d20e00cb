#include "entente/table/number.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <string>

namespace entente::table {
namespace {

constexpr std::string_view no_break = "\xc2\xa0";
constexpr std::string_view narrow_no_break = "\xe2\x80\xaf";
constexpr std::string_view minus_sign = "\xe2\x88\x92";
constexpr std::string_view right_quote = "\xe2\x80\x99";
constexpr std::size_t longest = 64;  // characters of a number

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool take(std::string_view& text, std::string_view what) {
    if (!text.starts_with(what)) return false;
    text.remove_prefix(what.size());
    return true;
}

// Takes what separates thousands; empty when nothing does.
std::string_view take_separator(std::string_view& text, char decimal) {
    const std::string_view other = decimal == '.' ? "," : ".";
    for (const std::string_view s : {other, std::string_view(" "), std::string_view("'"), no_break, narrow_no_break, right_quote}) {
        if (text.size() > s.size() && text.starts_with(s) && is_digit(text[s.size()])) {
            text.remove_prefix(s.size());
            return s;
        }
    }
    return {};
}

std::size_t take_digits(std::string_view& text, std::string& out) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    out.append(text.substr(0, n));
    text.remove_prefix(n);
    return n;
}

}  // namespace

std::string_view trimmed(std::string_view cell) noexcept {
    for (;;) {
        if (cell.starts_with(' ') || cell.starts_with('\t')) {
            cell.remove_prefix(1);
        } else if (cell.ends_with(' ') || cell.ends_with('\t')) {
            cell.remove_suffix(1);
        } else if (cell.starts_with(no_break)) {
            cell.remove_prefix(no_break.size());
        } else if (cell.ends_with(no_break)) {
            cell.remove_suffix(no_break.size());
        } else {
            return cell;
        }
    }
}

bool is_missing(std::string_view cell) noexcept {
    constexpr std::array<std::string_view, 9> marks{"na", "n/a", "#n/a", "nan", "null", "none", "-", "--", "?"};
    const std::string_view text = trimmed(cell);
    if (text.empty()) return true;
    for (const std::string_view mark : marks) {
        if (mark.size() != text.size()) continue;
        bool same = true;
        for (std::size_t i = 0; i < mark.size(); ++i) {
            const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
            same = same && c == mark[i];
        }
        if (same) return true;
    }
    return false;
}

std::optional<double> parse_number(std::string_view text, char decimal) {
    text = trimmed(text);
    if (text.empty() || text.size() > longest) return std::nullopt;
    std::string digits;
    if (take(text, "-") || take(text, minus_sign)) {
        digits = "-";
    } else {
        take(text, "+");
    }
    const std::size_t leading = take_digits(text, digits);
    std::string_view separator;
    while (leading > 0 && leading <= 3) {
        const std::string_view found = take_separator(text, decimal);
        if (found.empty()) break;
        if (!separator.empty() && found != separator) return std::nullopt;
        separator = found;
        if (take_digits(text, digits) != 3) return std::nullopt;
    }
    long exponent = 0;
    std::size_t behind = 0;
    if (take(text, std::string_view(&decimal, 1))) {
        behind = take_digits(text, digits);
        exponent = -static_cast<long>(behind);
    }
    if (leading + behind == 0) return std::nullopt;
    if (take(text, "e") || take(text, "E")) {
        const bool negative = take(text, "-");
        if (!negative) take(text, "+");
        std::string power;
        if (take_digits(text, power) == 0 || power.size() > 4) return std::nullopt;
        const long value = std::strtol(power.c_str(), nullptr, 10);
        exponent += negative ? -value : value;
    }
    if (!text.empty()) return std::nullopt;
    // Digits and an exponent, no mark: the C library's reading depends on no locale and is the nearest double.
    digits += "e" + std::to_string(exponent);
    const double value = std::strtod(digits.c_str(), nullptr);
    if (!std::isfinite(value)) return std::nullopt;
    return value;
}

}  // namespace entente::table
