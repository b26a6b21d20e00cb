// Tables that the project makes itself, for demonstrations where no real data is: small simulators of the three stories.
//
//   const std::string csv = table::make_table({.story = Story::sensor_anomalies, .partner = 2, .seed = 1});
//
// Partners differ by design: each has its own mixture of suppliers, faults or flights, its own level and noise; what makes
// an order late, a pump unusual or an engine old is the same for all of them, and is what a federation can learn. Time
// goes on and things change (drift). docs/tasks.md has the equations. They resemble no real company's data.
// The same bytes for the same options on every machine: Philox(derive_key(seed, partner, "made/...", Purpose::simulate)), own
// exp and cosine. Thread-safety: pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace entente::table {

enum class Story : std::uint32_t { late_deliveries = 1, sensor_anomalies = 2, engine_health = 3 };

std::span<const std::string_view> story_names() noexcept;  // in the order of their numbers from 1

struct MakeOptions {
    Story story = Story::late_deliveries;
    std::uint32_t partner = 0;  // from 0
    std::uint64_t seed = 1;
    std::uint32_t size = 0;     // order lines, rows of a run, engines; 0: 1,500, 1,200, 12. At most 100,000
};

// CSV with a header: comma, LF, decimal points, ISO 8601.
std::string make_table(const MakeOptions& options);

}  // namespace entente::table
