#include "entente/nn/schedule.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "entente/base/decimal.hpp"
#include "entente/base/math.hpp"

namespace entente::nn {

namespace {

constexpr std::array<std::string_view, 3> names{"constant", "step", "cosine"};

Error fault(const std::string& message) { return {Code::invalid_argument, "schedule.key", "schedule: " + message}; }

double power(double base, std::uint64_t exponent) {
    double result = 1.0;
    for (; exponent != 0; exponent >>= 1u, base *= base)
        if ((exponent & 1u) != 0) result *= base;
    return result;
}

}  // namespace

std::string_view to_string(ScheduleKind kind) noexcept {
    const auto number = static_cast<std::size_t>(kind);
    return number >= 1 && number <= names.size() ? names[number - 1] : "unknown";
}

std::span<const std::string_view> schedule_kind_names() noexcept { return names; }

Status check(const Schedule& s) {
    if (to_string(s.kind) == "unknown") {
        return Error{Code::invalid_argument, "schedule.kind",
                     "schedule: expected a known kind, found number " + std::to_string(static_cast<std::uint32_t>(s.kind))};
    }
    const Schedule defaults;
    if (s.warmup_rounds > 1'000'000) return fault("expected warmup_rounds of at most 1000000, found " + std::to_string(s.warmup_rounds));
    if (s.kind == ScheduleKind::step) {
        if (s.step_rounds == 0 || s.step_rounds > 1'000'000)
            return fault("expected step_rounds from 1 to 1000000, found " + std::to_string(s.step_rounds));
        if (!(s.step_factor >= 1e-6f && s.step_factor <= 1.0f))  // so that NaN is refused
            return fault("expected step_factor from 1e-6 to 1, found " + decimal(s.step_factor));
    } else if (s.step_rounds != defaults.step_rounds || s.step_factor != defaults.step_factor) {
        return fault("expected step_rounds and step_factor only with the schedule step, found them with " +
                     std::string(to_string(s.kind)));
    }
    if (s.kind == ScheduleKind::cosine) {
        if (!(s.floor >= 0.0f && s.floor <= 1.0f)) return fault("expected cosine_floor from 0 to 1, found " + decimal(s.floor));
    } else if (s.floor != defaults.floor) {
        return fault("expected cosine_floor only with the schedule cosine, found it with " + std::string(to_string(s.kind)));
    }
    return done();
}

float learning_rate(const Schedule& s, float base, std::uint64_t round, std::uint64_t rounds) noexcept {
    const double rate = static_cast<double>(base);
    if (round < s.warmup_rounds) return static_cast<float>(rate * static_cast<double>(round) / static_cast<double>(s.warmup_rounds));
    const std::uint64_t first = std::max<std::uint64_t>(s.warmup_rounds, 1);  // with the whole rate
    const std::uint64_t since = round - first;
    switch (s.kind) {
        case ScheduleKind::step:
            // Never zero, which training refuses.
            return std::max(1e-30f, static_cast<float>(rate * power(static_cast<double>(s.step_factor), since / s.step_rounds)));
        case ScheduleKind::cosine: {
            const std::uint64_t planned = rounds >= first ? rounds - first + 1 : 1;
            const double part = static_cast<double>(std::min(since, planned - 1)) / static_cast<double>(planned);
            const double wave = (1.0 + math::cos_turns(0.5 * part)) / 2.0;
            const auto floor = static_cast<double>(s.floor);
            return static_cast<float>(rate * (floor + (1.0 - floor) * wave));
        }
        case ScheduleKind::constant: break;
    }
    return base;
}

}  // namespace entente::nn
