// What a plan needs of tasks on tables, behind one object that a program may be linked without: the pages for digits alone are
// smaller by it, and say "plan.no-tables" where a plan has one (wasm/CMakeLists.txt).
#pragma once

#include "entente/codec/archive.hpp"
#include "entente/plan/plan.hpp"
#include "entente/task/sums.hpp"

namespace entente::plan {

struct Tables {
    void (*load)(codec::BoundedInputArchive& archive, task::Task& table);
    void (*save)(codec::BoundedOutputArchive& archive, task::Task& table);
    Status (*check)(const Plan& plan);
    std::uint64_t (*sums_length)(const task::Task& table);
    Result<task::Shared> (*read_sums)(const task::Task& table, std::span<const float> digits);
};

// Null without: from_canonical_bytes() and check() then refuse with "plan.no-tables".
const Tables* tables() noexcept;

// task::read_sums of the plan's task. REQUIRES: sums_length(plan) > 0.
Result<task::Shared> read_sums(const Plan& plan, std::span<const float> digits);

void serialize_table(codec::BoundedInputArchive& archive, task::Task& table);
void serialize_table(codec::BoundedOutputArchive& archive, task::Task& table);

}  // namespace entente::plan
