// Units of a column's numbers, and the way from one to another of the same quantity.
//
//   ENTENTE_ASSIGN(const table::Conversion to_kelvin, table::conversion("°F", "K"));
//   to_kelvin(212.0)            // 373.15
//
// Factors are exact by definition (SI brochure, 9th ed.; NIST SP 811, appendix B). "unit.unknown" names the nearest known unit, "unit.mismatch" two that measure
// different things; both invalid_argument. Money is only ever converted into itself. "" is a plain number. Thread-safety: pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "entente/base/result.hpp"

namespace entente::table {

struct Unit {
    std::string_view name;
    std::string_view quantity;  // "temperature"
    double factor = 1.0;        // value * factor + offset is in the quantity's base unit
    double offset = 0.0;
};

std::span<const Unit> units() noexcept;
Result<Unit> find_unit(std::string_view name);

struct Conversion {
    Unit from;
    Unit to;

    [[nodiscard]] bool same() const noexcept { return from.factor == to.factor && from.offset == to.offset; }
    [[nodiscard]] double operator()(double value) const noexcept {
        return same() ? value : (value * from.factor + from.offset - to.offset) / to.factor;
    }
};

Result<Conversion> conversion(std::string_view from, std::string_view to);

}  // namespace entente::table
