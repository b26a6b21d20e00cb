// The exact sum: integers in, integers out, the same bytes whatever the order, the grouping or the machine.
//
//   auto fold = Fold::create(d, bounds).value();
//   if (auto ok = fold.validate(values, weight); !ok) refuse(ok.error());   // never changes the fold
//   fold.accumulate(values, weight);
//   fold.merge(std::move(other));                     // partial sums of another node
//   std::vector<float> mean = fold.report().value();  // sum(w_i q_i) / sum(w_i), in the units of the grid
//
// sum_i w_i q_i is held in 64 bits. The bounds (largest weight, most participants, largest |q|) are fixed by the
// plan and checked at creation: their product is below 2^63, so no sum that passes validate() can overflow.
// McMahan et al. 2017 (arXiv 1602.05629), algorithm 1, the weighted mean of the server step.
//
// Memory: 8 bytes per parameter, whatever the number of participants. Not thread-safe; one writer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entente/aggregate/fixed_point.hpp"
#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

namespace entente::aggregate {

struct FoldBounds {
    FixedPoint grid;
    std::uint64_t max_weight = 1;        // examples that one participant may claim
    std::uint32_t max_participants = 1;  // in one round

    friend bool operator==(const FoldBounds&, const FoldBounds&) = default;
};

Status check(const FoldBounds& bounds);  // invalid_argument "plan.overflow" when a sum could leave 64 bits

class Fold {
public:
    // Fails like check(bounds), and with "plan.model" for zero parameters.
    static Result<Fold> create(std::uint64_t parameters, const FoldBounds& bounds);

    // Refuses, without touching the sum: "update.shape", "update.range", "update.weight", "update.too-many".
    [[nodiscard]] Status validate(std::span<const std::int32_t> values, std::uint64_t weight) const;
    // REQUIRES: validate(values, weight) is ok.
    void accumulate(std::span<const std::int32_t> values, std::uint64_t weight) noexcept;
    // Adds another fold of the same shape and bounds; "fold.mismatch" or "update.too-many" otherwise.
    Status merge(Fold&& other);

    [[nodiscard]] std::uint32_t participants() const noexcept { return participants_; }
    [[nodiscard]] std::uint64_t weight() const noexcept { return weight_; }
    [[nodiscard]] std::uint64_t parameters() const noexcept { return sum_.size(); }

    // The weighted mean as float32: round(double(sum) / (double(weight) * 2^scale)). "fold.empty" without updates.
    [[nodiscard]] Status report(std::span<float> mean) const;

    // Canonical bytes: little-endian; two folds of the same updates serialise to the same bytes.
    [[nodiscard]] Bytes serialize() const;
    // `bounds` come from the plan, never from the bytes. "fold.malformed", "fold.mismatch".
    static Result<Fold> deserialize(ByteView bytes, std::uint64_t parameters, const FoldBounds& bounds);

    void reset() noexcept;

private:
    Fold(std::uint64_t parameters, const FoldBounds& bounds) : bounds_(bounds), sum_(static_cast<std::size_t>(parameters), 0) {}

    FoldBounds bounds_;
    std::vector<std::int64_t> sum_;
    std::uint64_t weight_ = 0;
    std::uint32_t participants_ = 0;
};

}  // namespace entente::aggregate
