// sensor-anomalies: a pump in a loop of water, once a second, whose valves close, whose bearings wear and whose motor runs hot.
#include <array>
#include <cmath>

#include "entente/table/instant.hpp"
#include "table/make.hpp"

namespace entente::table {
namespace {

constexpr std::size_t sensors = 8;
constexpr std::array<std::string_view, sensors> names{"vibration1", "vibration2", "current", "pressure", "temperature", "thermocouple", "voltage", "flow"};
constexpr std::array<double, sensors> level{0.2, 0.25, 2.2, 1.5, 75, 27, 230, 90};
constexpr std::array<double, sensors> noise{0.004, 0.005, 0.08, 0.06, 0.25, 0.05, 4.0, 0.8};
// What a change of the load by one deviation does to each.
constexpr std::array<double, sensors> of_load{0.006, 0.007, 0.15, 0.10, 0.5, 0.05, -2.0, 2.5};
constexpr std::size_t faults = 4;
// At full strength, in deviations of the noise: a valve closes, the rotor is out of balance, the motor runs hot, the loop leaks.
constexpr std::array<std::array<double, sensors>, faults> of_fault{{{1, 1, 3, 6, 2, 1, 0, -8}, {9, 7, 2, 0, 1, 0, 0, 0}, {0, 0, 4, 0, 8, 5, -1, 0}, {1, 0, -2, -5, 0, 0, 0, -4}}};
constexpr std::uint32_t normal_rows = 400;
constexpr std::int64_t first_ms = 1583748000000;  // 2020-03-09 10:00:00

}  // namespace

std::string make_sensors(const MakeOptions& o, std::uint32_t size) {
    Philox own = draws(o, "sensors", 0);
    std::array<double, sensors> offset, spread, drift;
    for (std::size_t s = 0; s < sensors; ++s) {
        offset[s] = level[s] * (1.0 + 0.08 * own.normal());
        spread[s] = noise[s] * math::exp(0.3 * own.normal());
        drift[s] = 0.8 * own.normal();  // deviations over the whole run
    }
    const std::vector<double> of_kind = shares(own, faults, 1.5);
    const double slow = 200.0 + 400.0 * own.uniform_double();  // seconds of the load's period
    std::string out = "at";
    for (const std::string_view name : names) out += "," + std::string(name);
    out += ",anomaly\n";
    Philox random = draws(o, "sensors", 1);
    double load = 0.0, strength = 0.0;
    std::size_t fault = 0;
    std::uint32_t fault_ends = 0, next_fault = normal_rows + 50 + random.bounded(100);
    for (std::uint32_t t = 0; t < size; ++t) {
        load = 0.97 * load + 0.24 * random.normal();
        if (t == next_fault) {
            fault = pick(random, of_kind);
            fault_ends = t + 60 + random.bounded(120);
            next_fault = fault_ends + 80 + random.bounded(200);
        }
        const bool abnormal = t < fault_ends;
        // A fault grows over a quarter of a minute and goes as it came.
        strength += ((abnormal ? 1.0 : 0.0) - strength) / 15.0;
        out += format_instant(first_ms + std::int64_t{t} * 1000);
        const double z = load + sine(static_cast<double>(t) / slow);
        for (std::size_t s = 0; s < sensors; ++s) {
            double x = offset[s] + of_load[s] * z + spread[s] * random.normal();
            x += spread[s] * (strength * of_fault[fault][s] + drift[s] * static_cast<double>(t) / static_cast<double>(size));
            out += "," + measured(std::floor(x * 1e4 + 0.5) / 1e4);
        }
        out += abnormal ? ",1\n" : ",0\n";
    }
    return out;
}

}  // namespace entente::table
