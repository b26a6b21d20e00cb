// A number as people write it in a cell.
//
//   parse_number("1.234,5", ',')      1234.5     a decimal comma; thousands grouped by the other mark
//   parse_number("1 234.5", '.')      1234.5     or by a blank, a no-break space or an apostrophe
//   parse_number("3.1e-4", '.')       0.00031
//   parse_number("12,34", '.')        nothing    a group has three digits
//
// Signs + - and U+2212; blanks around it. Nothing for everything else: "nan", "inf", "12 kg", "". The double nearest to what
// is written, the same on every machine. Thread-safety: pure.
#pragma once

#include <optional>
#include <string_view>

namespace entente::table {

std::optional<double> parse_number(std::string_view text, char decimal = '.');

// What says, in most files, that a number or an instant is missing: an empty cell, NA, N/A, #N/A, NaN, null, none, -, --, ?
// (in any case of letters, blanks around it).
bool is_missing(std::string_view cell) noexcept;

// Without blanks, tabs and no-break spaces at its ends.
std::string_view trimmed(std::string_view cell) noexcept;

}  // namespace entente::table
