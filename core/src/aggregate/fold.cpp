#include "entente/aggregate/fold.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "entente/tensor/kernels.hpp"

namespace entente::aggregate {
namespace {

Error refuse(const char* reason, std::string message) {
    return Error{Code::invalid_argument, reason, std::move(message)};
}

constexpr std::uint32_t layout_version = 2;
constexpr std::size_t header_bytes = 4 + 4 + 8 + 8 + 4 + 4;

}  // namespace

Status check(const FoldBounds& bounds) {
    ENTENTE_TRY(check(bounds.grid));
    if (bounds.max_weight == 0 || bounds.max_participants == 0) {
        return refuse("plan.overflow", "bounds of the fold: expected a positive weight and number of participants");
    }
    constexpr auto top = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto limit = static_cast<std::uint64_t>(bounds.grid.limit());
    if (bounds.factor_log2 > 30) return refuse("plan.overflow", "bounds of the fold: expected factor_log2 up to 30");
    if (bounds.max_weight > (top / limit / bounds.max_participants) >> bounds.factor_log2) {
        return refuse("plan.overflow",
                      "bounds of the fold: expected max_weight x max_participants x 2^(bits-1) below 2^63, found " +
                          std::to_string(bounds.max_weight) + " x " + std::to_string(bounds.max_participants) +
                          " x 2^" + std::to_string(bounds.grid.bits - 1) +
                          (bounds.factor_log2 == 0 ? std::string() : " x 2^" + std::to_string(int{bounds.factor_log2})) +
                          "; lower max_weight, max_participants or encoding.bits");
    }
    return done();
}

Result<Fold> Fold::create(std::uint64_t parameters, const FoldBounds& bounds) {
    ENTENTE_TRY(check(bounds));
    if (parameters == 0) return refuse("plan.model", "Fold::create: expected at least one parameter, found none");
    return Fold(parameters, bounds);
}

Status Fold::validate(const Contribution& update, std::uint32_t waiting) const {
    if (update.update->values() != sum_.size() || update.update->grid() != bounds_.grid) {
        return refuse("update.shape", "update: expected " + std::to_string(sum_.size()) + " parameters on the plan's grid, found " +
                                          std::to_string(update.update->values()) +
                                          (update.update->grid() == bounds_.grid ? "" : " on another"));
    }
    return validate_counts(update.weight, update.factor, waiting);
}

Status Fold::validate(const Sparse& numbers, std::uint64_t weight, std::uint32_t factor, std::uint32_t waiting) const {
    const std::vector<std::uint32_t>& positions = numbers.positions;
    if (positions.size() != numbers.values.size()) {
        return refuse("update.shape", "update: expected a value for each of " + std::to_string(positions.size()) +
                                          " positions, found " + std::to_string(numbers.values.size()));
    }
    const bool rising = std::adjacent_find(positions.begin(), positions.end(), std::greater_equal<>()) == positions.end();
    if (!rising || (!positions.empty() && positions.back() >= sum_.size())) {
        return refuse("update.positions", "update: expected strictly rising positions below " + std::to_string(sum_.size()));
    }
    const std::int32_t limit = bounds_.grid.limit();
    const auto beyond = std::find_if(numbers.values.begin(), numbers.values.end(),
                                     [limit](std::int32_t v) { return v > limit || v < -limit; });
    if (beyond != numbers.values.end()) {
        return refuse("update.range", "update: expected magnitudes up to " + std::to_string(limit) + ", found " +
                                          std::to_string(*beyond));
    }
    return validate_counts(weight, factor, waiting);
}

Status Fold::validate_counts(std::uint64_t weight, std::uint32_t factor, std::uint32_t waiting) const {
    if (weight == 0 || weight > bounds_.max_weight) {
        return refuse("update.weight", "update: expected a weight from 1 to " + std::to_string(bounds_.max_weight) +
                                           ", found " + std::to_string(weight));
    }
    if (factor > whole()) {
        return refuse("update.weight", "update: expected a factor up to " + std::to_string(whole()) + ", found " +
                                           std::to_string(factor));
    }
    if (participants_ >= bounds_.max_participants || waiting >= bounds_.max_participants - participants_) {
        return refuse("update.too-many", "round: expected at most " + std::to_string(bounds_.max_participants) +
                                             " participants, found one more");
    }
    return done();
}

namespace {

constexpr std::size_t tile_values = 8192;  // whose sums stay in the first cache while all updates pass

// Adds one tile of every update to its sums. As long as 32 bits are enough for the sum of what has passed, they are
// taken: most plans' updates fit by the dozen.
class Tile {
public:
    explicit Tile(std::span<std::int64_t> sums) noexcept : sums_(sums) {}

    void add(const kernels::Packed& values, std::int64_t factor, std::int64_t limit) noexcept {
        constexpr std::int64_t top = std::numeric_limits<std::int32_t>::max();
        if (factor > top / limit) return table_.fold_wide(values, factor, sums_.data());
        if (factor * limit > top - reach_ || !used_) restart();
        table_.fold_narrow(values, static_cast<std::int32_t>(factor), narrow_.data());
        reach_ += factor * limit;
    }

    void finish() noexcept {
        if (used_) table_.widen(narrow_.data(), sums_.size(), sums_.data());
    }

private:
    void restart() noexcept {
        finish();
        std::fill_n(narrow_.begin(), sums_.size(), 0);
        reach_ = 0;
        used_ = true;
    }

    const kernels::Table& table_ = kernels::active();
    std::span<std::int64_t> sums_;
    alignas(64) std::array<std::int32_t, tile_values> narrow_;
    std::int64_t reach_ = 0;  // the largest magnitude that a narrow sum can have
    bool used_ = false;
};

}  // namespace

void Fold::accumulate(std::span<const Contribution> updates, Executor& executor) {
    if (updates.empty()) return;
    const FixedPoint& grid = bounds_.grid;
    const std::size_t together = tile_values / grid.record_values() * grid.record_values();
    executor.run((sum_.size() + together - 1) / together, [&](std::size_t number, unsigned) {
        const std::size_t first = number * together;
        const std::size_t count = std::min(together, sum_.size() - first);
        const auto at = static_cast<std::size_t>(grid.content_bytes(first));
        if (stale_) std::fill_n(sum_.data() + first, count, 0);
        Tile tile({sum_.data() + first, count});
        const auto part_of = [&](const Contribution& u) { return reinterpret_cast<const unsigned char*>(u.update->content().data()) + at; };
        const auto bytes = static_cast<std::size_t>(grid.content_bytes(count));
        for (std::size_t i = 0; i < updates.size(); ++i) {
            const Contribution& u = updates[i];
            // The CPU does not guess where the next update's part begins: a fifth of the time was waiting for it.
            for (std::size_t line = 0; i + 1 < updates.size() && line < bytes; line += 64) {
                __builtin_prefetch(part_of(updates[i + 1]) + line);
            }
            tile.add({part_of(u), count, grid.block, grid.bits}, times(u.weight, u.factor), grid.limit());
        }
        tile.finish();
    });
    stale_ = false;
    for (const Contribution& u : updates) count(u.weight, u.factor);
}

void Fold::accumulate(const Sparse& numbers, std::uint64_t weight, std::uint32_t factor) noexcept {
    clear_stale();
    const std::int64_t by = times(weight, factor);
    for (std::size_t i = 0; i < numbers.values.size(); ++i) sum_[numbers.positions[i]] += by * numbers.values[i];
    count(weight, factor);
}

void Fold::clear_stale() noexcept {
    if (std::exchange(stale_, false)) std::fill(sum_.begin(), sum_.end(), 0);
}

void Fold::count(std::uint64_t weight, std::uint32_t factor) noexcept {
    if (factor == 0) factor = whole();
    least_factor_ = participants_ == 0 ? factor : std::min(least_factor_, factor);
    most_factor_ = std::max(most_factor_, factor);
    weight_ += weight;
    ++participants_;
}

Status Fold::merge(Fold&& other) {
    if (other.sum_.size() != sum_.size() || other.bounds_ != bounds_) {
        return refuse("fold.mismatch", "merge: expected a fold of the same model and bounds");
    }
    if (other.participants_ > bounds_.max_participants - participants_) {
        return refuse("update.too-many", "merge: more participants than the plan's bound");
    }
    if (other.participants_ == 0) return done();
    clear_stale();
    least_factor_ = participants_ == 0 ? other.least_factor_ : std::min(least_factor_, other.least_factor_);
    most_factor_ = std::max(most_factor_, other.most_factor_);
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += other.sum_[i];
    weight_ += other.weight_;
    participants_ += other.participants_;
    other.reset();
    return done();
}

std::optional<std::uint32_t> Fold::common_factor() const noexcept {
    if (participants_ == 0 || least_factor_ != most_factor_) return std::nullopt;
    return most_factor_;
}

Status Fold::report(std::span<float> mean, double unit, Executor& executor) const {
    if (participants_ == 0) return refuse("fold.empty", "report: expected at least one update, found none");
    if (mean.size() != sum_.size()) return refuse("update.shape", "report: output has another length than the fold");
    const double divisor = static_cast<double>(weight_) * std::ldexp(1.0, bounds_.grid.scale_log2);
    const double one = std::ldexp(1.0, bounds_.factor_log2);
    const std::optional<std::uint32_t> common = common_factor();
    const std::int64_t shared = common.value_or(1);
    const double share = static_cast<double>(shared) / one / unit;
    executor.run((sum_.size() + tile_values - 1) / tile_values, [&](std::size_t number, unsigned) {
        const std::size_t first = number * tile_values;
        const std::size_t count = std::min(tile_values, sum_.size() - first);
        std::array<std::int64_t, tile_values> quotients;
        const std::int64_t* sums = sum_.data() + first;
        if (shared != 1) {
            std::transform(sums, sums + count, quotients.begin(), [shared](std::int64_t sum) { return sum / shared; });
            sums = quotients.data();
        }
        kernels::active().mean_of(sums, count, divisor, share, mean.data() + first);
    });
    return done();
}

Bytes Fold::serialize() const {
    Bytes out;
    out.reserve(header_bytes + 8 * sum_.size());
    append_le(out, layout_version);
    append_le(out, participants_);
    append_le(out, weight_);
    append_le(out, static_cast<std::uint64_t>(sum_.size()));
    append_le(out, least_factor_);
    append_le(out, most_factor_);
    for (const std::int64_t value : sum_) append_le(out, stale_ ? 0 : value);
    return out;
}

Result<Fold> Fold::deserialize(ByteView bytes, std::uint64_t parameters, const FoldBounds& bounds) {
    ENTENTE_ASSIGN(Fold fold, create(parameters, bounds));
    if (bytes.size() != header_bytes + 8 * parameters || read_le<std::uint32_t>(bytes) != layout_version ||
        read_le<std::uint64_t>(bytes.subspan(16)) != parameters) {
        return refuse("fold.malformed", "Fold::deserialize: expected a fold of " + std::to_string(parameters) +
                                            " parameters, found " + std::to_string(bytes.size()) + " other bytes");
    }
    fold.participants_ = read_le<std::uint32_t>(bytes.subspan(4));
    fold.weight_ = read_le<std::uint64_t>(bytes.subspan(8));
    fold.least_factor_ = read_le<std::uint32_t>(bytes.subspan(24));
    fold.most_factor_ = read_le<std::uint32_t>(bytes.subspan(28));
    const bool possible = fold.participants_ <= bounds.max_participants && fold.weight_ >= fold.participants_ &&
                          fold.weight_ <= fold.participants_ * bounds.max_weight &&
                          fold.least_factor_ <= fold.most_factor_ && fold.most_factor_ <= fold.whole() &&
                          (fold.least_factor_ > 0) == (fold.participants_ > 0) &&
                          (fold.most_factor_ > 0) == (fold.participants_ > 0);
    const std::int64_t top =
        possible ? static_cast<std::int64_t>(fold.weight_) * bounds.grid.limit() * std::int64_t{fold.most_factor_} : 0;
    for (std::size_t i = 0; possible && i < fold.sum_.size(); ++i) {
        fold.sum_[i] = read_le<std::int64_t>(bytes.subspan(header_bytes + 8 * i));
        if (fold.sum_[i] > top || fold.sum_[i] < -top) {
            return refuse("fold.malformed", "Fold::deserialize: a sum beyond what its weight allows at parameter " +
                                                std::to_string(i));
        }
    }
    if (!possible) return refuse("fold.malformed", "Fold::deserialize: weight and participants contradict the bounds");
    return fold;
}

void Fold::reset() noexcept {
    stale_ = true;
    weight_ = 0;
    participants_ = 0;
    least_factor_ = 0;
    most_factor_ = 0;
}

}  // namespace entente::aggregate
