#include "table/make.hpp"

#include <algorithm>
#include <array>

namespace entente::table {
namespace {

constexpr std::array<std::string_view, 3> names{"late-deliveries", "sensor-anomalies", "engine-health"};
constexpr std::uint32_t most = 100'000;

}  // namespace

std::span<const std::string_view> story_names() noexcept { return names; }

std::string make_table(const MakeOptions& options) {
    const auto size_or = [&options](std::uint32_t usual) { return std::min(options.size == 0 ? usual : options.size, most); };
    switch (options.story) {
        case Story::late_deliveries: return make_orders(options, size_or(1500));
        case Story::sensor_anomalies: return make_sensors(options, size_or(1200));
        case Story::engine_health: return make_engines(options, size_or(12));
    }
    return {};
}

}  // namespace entente::table
