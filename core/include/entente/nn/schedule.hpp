// How the learning rate of local training goes from round to round.
//
//   float rate = nn::learning_rate({.kind = nn::ScheduleKind::cosine, .warmup_rounds = 5}, 0.1f, round, rounds);
//
// Rounds count from 1. In the first `warmup_rounds` the rate grows linearly, base * round / warmup_rounds (Goyal et al.
// 2017, arXiv 1706.02677, section 2.2). Then, r being the rounds since the first with the whole rate and n their number
// with it:
//   constant   base
//   step       base * step_factor^(r / step_rounds), rounded down
//   cosine     base * (floor + (1 - floor) (1 + cos(pi r / n)) / 2) (Loshchilov and Hutter 2016, arXiv 1608.03983,
//              equation 5); rounds beyond those that were planned count as the last
// In double, with the project's own cosine: the same bits everywhere. Thread-safety: pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "entente/base/result.hpp"

namespace entente::nn {

// The values are part of a plan's bytes: append, never renumber.
enum class ScheduleKind : std::uint32_t { constant = 1, step = 2, cosine = 3 };

std::string_view to_string(ScheduleKind kind) noexcept;
std::span<const std::string_view> schedule_kind_names() noexcept;  // in the order of their numbers, from 1

struct Schedule {
    ScheduleKind kind = ScheduleKind::constant;
    std::uint32_t warmup_rounds = 0;
    std::uint32_t step_rounds = 10;  // step
    float step_factor = 0.1f;        // step: above 0, at most 1
    float floor = 0.0f;              // cosine: the share of the base rate that is left at the end, [0, 1]

    friend bool operator==(const Schedule&, const Schedule&) = default;
};

// invalid_argument "schedule.kind", "schedule.key": out of range, or not one of the kind's.
Status check(const Schedule& schedule);

// REQUIRES: check() passed, round >= 1.
float learning_rate(const Schedule& schedule, float base, std::uint64_t round, std::uint64_t rounds) noexcept;

}  // namespace entente::nn
