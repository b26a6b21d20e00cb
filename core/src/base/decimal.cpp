#include "entente/base/decimal.hpp"

#include <cmath>
#include <cstdint>

namespace entente {

namespace {

constexpr int most_digits = 9;

double scaled(double value, int power) noexcept {
    for (; power > 0; --power) value *= 10.0;
    for (; power < 0; ++power) value /= 10.0;
    return value;
}

// digits 10^exponent, `digits` without trailing zeros
struct Decimal {
    std::uint64_t digits = 0;
    int exponent = 0;

    [[nodiscard]] double value() const noexcept { return scaled(static_cast<double>(digits), exponent); }
};

// REQUIRES: value > 0 and finite.
Decimal round_to(double value, int count) noexcept {
    int first = 0;  // the power of ten of the first digit
    double rest = value;
    for (; rest >= 10.0; ++first) rest /= 10.0;
    for (; rest < 1.0; --first) rest *= 10.0;
    Decimal out{static_cast<std::uint64_t>(scaled(rest, count - 1) + 0.5), first - count + 1};
    for (; out.digits % 10 == 0; ++out.exponent) out.digits /= 10;
    return out;
}

std::string write(const Decimal& number, bool negative) {
    std::string text = std::to_string(number.digits);
    const int before_point = static_cast<int>(text.size()) + number.exponent;
    if (before_point < -4 || before_point > 16) {
        if (text.size() > 1) text.insert(1, 1, '.');
        text += "e" + std::to_string(before_point - 1);
    } else if (before_point <= 0) {
        text.insert(0, "0." + std::string(static_cast<std::size_t>(-before_point), '0'));
    } else if (number.exponent >= 0) {
        text.append(static_cast<std::size_t>(number.exponent), '0');
    } else {
        text.insert(static_cast<std::size_t>(before_point), 1, '.');
    }
    return negative ? "-" + text : text;
}

// Fills `text` for what has no digits to find.
bool special(double value, std::string& text) {
    if (std::isnan(value)) {
        text = "nan";
    } else if (std::isinf(value)) {
        text = value < 0 ? "-inf" : "inf";
    } else if (value == std::floor(value) && std::fabs(value) < 9e15) {
        text = std::to_string(static_cast<std::int64_t>(value));
    }
    return !text.empty();
}

}  // namespace

std::string decimal(float value) {
    std::string text;
    if (special(static_cast<double>(value), text)) return text;
    const float size = std::fabs(value);
    Decimal found;
    for (int count = 1; count <= most_digits; ++count) {
        found = round_to(static_cast<double>(size), count);
        if (static_cast<float>(found.value()) == size) break;
    }
    return write(found, value < 0);
}

std::string decimal(double value) {
    std::string text;
    if (special(value, text)) return text;
    return write(round_to(std::fabs(value), most_digits), value < 0);
}

std::string grouped(std::uint64_t value) {
    std::string text = std::to_string(value);
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, " ");
    return text;
}

}  // namespace entente
