// engine-health: engines that run until they fail, in one to six regimes of flight.
#include <array>
#include <cmath>

#include "table/make.hpp"

namespace entente::table {
namespace {

constexpr std::size_t sensors = 14;
constexpr std::array<std::string_view, sensors> names{"t24", "t30", "t50", "p30", "nf", "nc", "ps30", "phi", "nrf", "nrc", "bpr", "bleed", "w31", "w32"};
constexpr std::array<double, sensors> level{642, 1590, 1408, 553, 2388, 9060, 47.5, 521, 2388, 8140, 8.44, 393, 38.8, 23.3};
// At the end of a life, and the noise of one reading, both as shares of the level.
constexpr std::array<double, sensors> worn{0.0025, 0.012, 0.021, -0.006, 0.00012, 0.004, 0.013, -0.0065, 0.00012, 0.003, 0.017, 0.012, -0.013, -0.013};
constexpr std::array<double, sensors> noise{0.0006, 0.003, 0.0045, 0.0012, 0.00002, 0.0012, 0.0035, 0.0012, 0.00002, 0.0012, 0.003, 0.0035, 0.0035, 0.0035};
constexpr std::array<double, 6> altitudes{0, 10, 20, 25, 35, 42};  // kft

}  // namespace

std::string make_engines(const MakeOptions& o, std::uint32_t size) {
    Philox own = draws(o, "engines", 0);
    // One operator flies one route, another all of them.
    const std::vector<double> of_altitude = shares(own, altitudes.size(), 2.0);
    const double harshness = math::exp(0.2 * own.normal());
    std::array<double, sensors> gauge;
    for (double& x : gauge) x = 1.0 + 0.0005 * own.normal();
    std::string out = "engine,cycle,altitude";
    for (const std::string_view name : names) out += "," + std::string(name);
    out += "\n";
    for (std::uint32_t engine = 0; engine < size; ++engine) {
        Philox random = draws(o, "engines", engine + 1);
        // Later engines are built better: lives grow by a fifth over the fleet.
        const double better = 1.0 + 0.2 * static_cast<double>(engine) / static_cast<double>(size);
        const double life = 60.0 + better / harshness * (130.0 + 35.0 * random.normal());
        const auto cycles = static_cast<std::uint32_t>(life < 40 ? 40 : life);
        const double start = 0.08 * random.uniform_double();  // wear of a new engine
        const double shape = 2.0 + random.uniform_double();
        for (std::uint32_t t = 1; t <= cycles; ++t) {
            const std::size_t regime = pick(random, of_altitude);
            const double altitude = altitudes[regime] + 0.004 * random.normal();
            // wear = start + (1 - start) (t / life)^shape
            const double age = static_cast<double>(t) / static_cast<double>(cycles);
            const double wear = start + (1.0 - start) * math::exp(shape * math::log(age));
            out += "P" + std::to_string(o.partner + 1) + "-" + std::to_string(engine + 1) + "," + std::to_string(t) + "," + measured(std::floor(altitude * 1e4 + 0.5) / 1e4);
            for (std::size_t s = 0; s < sensors; ++s) {
                const double thin_air = 1.0 - 0.006 * altitudes[regime] * (s % 3 == 0 ? 1.0 : 0.5);
                const double x = level[s] * gauge[s] * thin_air * (1.0 + worn[s] * wear + noise[s] * random.normal());
                out += "," + measured(std::floor(x * 1e3 + 0.5) / 1e3);
            }
            out += "\n";
        }
    }
    return out;
}

}  // namespace entente::table
