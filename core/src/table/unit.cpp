#include "entente/table/unit.hpp"

#include <array>

#include "entente/base/nearest.hpp"

namespace entente::table {
namespace {

constexpr double day_s = 86400.0;
constexpr double pound_kg = 0.45359237;
constexpr double foot_m = 0.3048;
constexpr double psi_pa = pound_kg * 9.80665 / (0.0254 * 0.0254);

constexpr std::array all{
    Unit{"", "number"},
    Unit{"1", "number"},
    Unit{"%", "number", 0.01},
    Unit{"K", "temperature"},
    Unit{"°C", "temperature", 1.0, 273.15},
    Unit{"C", "temperature", 1.0, 273.15},
    Unit{"degC", "temperature", 1.0, 273.15},
    Unit{"°F", "temperature", 5.0 / 9.0, 459.67 * 5.0 / 9.0},
    Unit{"F", "temperature", 5.0 / 9.0, 459.67 * 5.0 / 9.0},
    Unit{"degF", "temperature", 5.0 / 9.0, 459.67 * 5.0 / 9.0},
    Unit{"°R", "temperature", 5.0 / 9.0},
    Unit{"Pa", "pressure"},
    Unit{"hPa", "pressure", 100.0},
    Unit{"kPa", "pressure", 1e3},
    Unit{"MPa", "pressure", 1e6},
    Unit{"mbar", "pressure", 100.0},
    Unit{"bar", "pressure", 1e5},
    Unit{"atm", "pressure", 101325.0},
    Unit{"psi", "pressure", psi_pa},
    Unit{"kg", "mass"},
    Unit{"g", "mass", 1e-3},
    Unit{"mg", "mass", 1e-6},
    Unit{"t", "mass", 1e3},
    Unit{"lb", "mass", pound_kg},
    Unit{"s", "time"},
    Unit{"ms", "time", 1e-3},
    Unit{"min", "time", 60.0},
    Unit{"h", "time", 3600.0},
    Unit{"d", "time", day_s},
    Unit{"days", "time", day_s},
    Unit{"weeks", "time", 7 * day_s},
    Unit{"m", "length"},
    Unit{"km", "length", 1e3},
    Unit{"cm", "length", 1e-2},
    Unit{"mm", "length", 1e-3},
    Unit{"um", "length", 1e-6},
    Unit{"in", "length", 0.0254},
    Unit{"ft", "length", foot_m},
    Unit{"kft", "length", 1e3 * foot_m},
    Unit{"mi", "length", 1609.344},
    Unit{"m/s", "speed"},
    Unit{"mm/s", "speed", 1e-3},
    Unit{"km/h", "speed", 1.0 / 3.6},
    Unit{"mph", "speed", 0.44704},
    Unit{"m/s2", "acceleration"},
    Unit{"g0", "acceleration", 9.80665},
    Unit{"Hz", "frequency"},
    Unit{"kHz", "frequency", 1e3},
    Unit{"rpm", "frequency", 1.0 / 60.0},
    Unit{"m3", "volume"},
    Unit{"l", "volume", 1e-3},
    Unit{"ml", "volume", 1e-6},
    Unit{"m3/s", "flow"},
    Unit{"m3/h", "flow", 1.0 / 3600.0},
    Unit{"l/s", "flow", 1e-3},
    Unit{"l/min", "flow", 1e-3 / 60.0},
    Unit{"kg/s", "mass flow"},
    Unit{"lb/s", "mass flow", pound_kg},
    Unit{"V", "voltage"},
    Unit{"mV", "voltage", 1e-3},
    Unit{"kV", "voltage", 1e3},
    Unit{"A", "current"},
    Unit{"mA", "current", 1e-3},
    Unit{"W", "power"},
    Unit{"kW", "power", 1e3},
    Unit{"MW", "power", 1e6},
    Unit{"J", "energy"},
    Unit{"kJ", "energy", 1e3},
    Unit{"Wh", "energy", 3600.0},
    Unit{"kWh", "energy", 3.6e6},
    Unit{"Nm", "torque"},
    Unit{"N", "force"},
    Unit{"kN", "force", 1e3},
    Unit{"USD", "US dollars"},
    Unit{"EUR", "euros"},
};

}  // namespace

std::span<const Unit> units() noexcept { return all; }

Result<Unit> find_unit(std::string_view name) {
    std::array<std::string_view, all.size()> names{};
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].name == name) return all[i];
        names[i] = all[i].name;
    }
    const std::string near = nearest(name, names);
    return Error{Code::invalid_argument, "unit.unknown",
                 "expected a unit that is known, such as K, bar, kg or h, found \"" + std::string(name) + "\"" +
                     (near.empty() ? "" : "; did you mean \"" + near + "\"?")};
}

Result<Conversion> conversion(std::string_view from, std::string_view to) {
    ENTENTE_ASSIGN(const Unit a, find_unit(from));
    ENTENTE_ASSIGN(const Unit b, find_unit(to));
    if (a.quantity != b.quantity) {
        return Error{Code::invalid_argument, "unit.mismatch",
                     "expected a unit of " + std::string(b.quantity) + ", as \"" + std::string(to) + "\", found \"" + std::string(from) + "\", a unit of " +
                         std::string(a.quantity)};
    }
    return Conversion{a, b};
}

}  // namespace entente::table
