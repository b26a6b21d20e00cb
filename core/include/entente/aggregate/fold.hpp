// The exact sum: integers in, integers out, the same bytes whatever the order, the grouping or the machine.
//
//   auto fold = Fold::create(d, bounds).value();
//   Contribution update{&packed, weight};
//   if (auto ok = fold.validate(update); !ok) refuse(ok.error());   // never changes the fold
//   fold.accumulate({&update, 1}, executor);                        // or several at once: the sums are read once
//   fold.merge(std::move(other));                     // partial sums of another node
//   ENTENTE_TRY(fold.report(mean));                   // sum(w_i q_i) / sum(w_i), in the units of the grid
//
// An update may count for a fraction of itself (a stale one, or one of many local steps): its factor f_i is that
// fraction in units of 2^-factor_log2, an integer, and the mean is sum(w_i f_i q_i) / (2^factor_log2 sum(w_i)).
//
// sum_i w_i f_i q_i is held in 64 bits. The bounds (largest weight, factor, most participants, largest |q|) are fixed by
// the plan and checked at creation: their product is below 2^63, so no sum that passes validate() can overflow.
// McMahan et al. 2017 (arXiv 1602.05629), algorithm 1, the weighted mean of the server step.
//
// Memory: 8 bytes per parameter, whatever the number of participants. Not thread-safe; one writer. accumulate() and
// report() cut their work by ranges of parameters: the same integers whatever the executor's width.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "entente/aggregate/packed_update.hpp"
#include "entente/aggregate/sparse.hpp"
#include "entente/base/bytes.hpp"
#include "entente/base/executor.hpp"
#include "entente/base/result.hpp"

namespace entente::aggregate {

struct FoldBounds {
    FixedPoint grid;
    std::uint64_t max_weight = 1;        // examples that one participant may claim
    std::uint32_t max_participants = 1;  // in one round
    std::uint8_t factor_log2 = 0;        // the factor 1 is 2^factor_log2; 0 to 30

    friend bool operator==(const FoldBounds&, const FoldBounds&) = default;
};

Status check(const FoldBounds& bounds);  // invalid_argument "plan.overflow" when a sum could leave 64 bits

// One update and what it counts for.
struct Contribution {
    const PackedUpdate* update = nullptr;  // not owned, not null
    std::uint64_t weight = 1;
    std::uint32_t factor = 0;  // 1 to Fold::whole(); 0 means whole()
};

class Fold {
public:
    // Fails like check(bounds), and with "plan.model" for zero parameters.
    static Result<Fold> create(std::uint64_t parameters, const FoldBounds& bounds);

    // The factor of an update that counts whole.
    [[nodiscard]] std::uint32_t whole() const noexcept { return std::uint32_t{1} << bounds_.factor_log2; }

    // Refuses, without touching the sum: "update.shape" (another length or grid), "update.weight", "update.too-many".
    // waiting: how many that were validated are still to be accumulated.
    [[nodiscard]] Status validate(const Contribution& update, std::uint32_t waiting = 0) const;
    // REQUIRES: each has passed validate().
    void accumulate(std::span<const Contribution> updates, Executor& executor = inline_executor());
    // The same for an update whose other coordinates are zeros. "update.positions" where they do not rise or lie beyond,
    // "update.range" for a value beyond the grid.
    [[nodiscard]] Status validate(const Sparse& numbers, std::uint64_t weight, std::uint32_t factor = 0,
                                  std::uint32_t waiting = 0) const;
    void accumulate(const Sparse& numbers, std::uint64_t weight, std::uint32_t factor = 0) noexcept;
    // Adds another fold of the same shape and bounds; "fold.mismatch" or "update.too-many" otherwise.
    Status merge(Fold&& other);

    [[nodiscard]] std::uint32_t participants() const noexcept { return participants_; }
    [[nodiscard]] std::uint64_t weight() const noexcept { return weight_; }
    [[nodiscard]] std::uint64_t parameters() const noexcept { return sum_.size(); }

    // The sums themselves, in units of the grid times 2^factor_log2. Empty without updates.
    [[nodiscard]] std::span<const std::int64_t> sums() const noexcept { return participants_ > 0 ? std::span<const std::int64_t>(sum_) : std::span<const std::int64_t>(); }

    // The factor that all updates share; nothing when they differ or there is none.
    [[nodiscard]] std::optional<std::uint32_t> common_factor() const noexcept;

    // The weighted mean as float32, divided by `unit` (1, or what the strategy takes for one). "fold.empty" without
    // updates. Where all factors are the same it is divided out of the integers first: updates that all count the
    // same fraction f give exactly f times the mean of whole ones.
    [[nodiscard]] Status report(std::span<float> mean, double unit = 1.0, Executor& executor = inline_executor()) const;

    // Canonical bytes: little-endian; two folds of the same updates serialise to the same bytes.
    [[nodiscard]] Bytes serialize() const;
    // `bounds` come from the plan, never from the bytes. "fold.malformed", "fold.mismatch".
    static Result<Fold> deserialize(ByteView bytes, std::uint64_t parameters, const FoldBounds& bounds);

    // Empty again; the memory stays, and is cleared by whoever writes to it next.
    void reset() noexcept;

private:
    Fold(std::uint64_t parameters, const FoldBounds& bounds) : bounds_(bounds), sum_(static_cast<std::size_t>(parameters), 0) {}

    [[nodiscard]] Status validate_counts(std::uint64_t weight, std::uint32_t factor, std::uint32_t waiting) const;
    void count(std::uint64_t weight, std::uint32_t factor) noexcept;
    void clear_stale() noexcept;
    [[nodiscard]] std::int64_t times(std::uint64_t weight, std::uint32_t factor) const noexcept {
        return static_cast<std::int64_t>(weight) * std::int64_t{factor == 0 ? whole() : factor};
    }

    FoldBounds bounds_;
    std::vector<std::int64_t> sum_;
    bool stale_ = false;  // sum_ is that of updates before the last reset()
    std::uint64_t weight_ = 0;
    std::uint32_t participants_ = 0;
    std::uint32_t least_factor_ = 0;
    std::uint32_t most_factor_ = 0;
};

}  // namespace entente::aggregate
