// Right operands as they are written, read exactly. Empty where the text is none of its kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace entente::policy {

// [0-9]+(.[0-9]+)?([eE][+-]?[0-9]+)? that is a whole number below 2^64: "5", "5.0", "0.5e1".
std::optional<std::uint64_t> parse_count(std::string_view text) noexcept;
// The same form, whatever its value; false for more than 1000 characters or an exponent beyond three digits.
bool is_decimal(std::string_view text) noexcept;
bool is_zero_decimal(std::string_view text) noexcept;

// ISO 8601 in days, hours, minutes and seconds: "P7D", "PT12H", "P1DT30M". No months or years: their length varies.
std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept;

// "contractAgreement+30d", relative to the agreement, or an instant.
struct DateBound {
    bool relative = false;
    std::int64_t ms = 0;

    [[nodiscard]] std::int64_t at(std::int64_t agreed_at_ms) const noexcept { return relative ? agreed_at_ms + ms : ms; }
};
std::optional<DateBound> parse_date_bound(std::string_view text) noexcept;

}  // namespace entente::policy
