// One update as it was signed, in its canonical packed form and found good: what the fold takes. No integer of it is
// ever stored wider than it is.
//
//   ENTENTE_ASSIGN(PackedUpdate update, PackedUpdate::of(content, grid, d));
//
// Errors: "update.shape" when there are more or fewer than d values, "update.range" for a value or an exponent beyond
// the grid. Thread-safety: a value.
#pragma once

#include <cstdint>

#include "entente/aggregate/fixed_point.hpp"

namespace entente::aggregate {

class PackedUpdate {
public:
    static Result<PackedUpdate> of(Bytes content, const FixedPoint& grid, std::uint64_t values);

    [[nodiscard]] ByteView content() const noexcept { return content_; }
    [[nodiscard]] const FixedPoint& grid() const noexcept { return grid_; }
    [[nodiscard]] std::uint64_t values() const noexcept { return values_; }

private:
    PackedUpdate(Bytes content, const FixedPoint& grid, std::uint64_t values)
        : content_(std::move(content)), grid_(grid), values_(values) {}

    Bytes content_;
    FixedPoint grid_;
    std::uint64_t values_;
};

}  // namespace entente::aggregate
