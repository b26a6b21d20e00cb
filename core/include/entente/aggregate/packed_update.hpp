// One update as it was signed, in its canonical packed form and found good: what the fold takes. No integer of it is
// ever stored wider than it is.
//
//   PackedReader reader(grid, d);                              // behind a decoder: pieces of any size
//   ENTENTE_TRY(reader.append(piece));
//   ENTENTE_ASSIGN(PackedUpdate update, reader.finish());
//
//   ENTENTE_ASSIGN(PackedUpdate whole, PackedUpdate::of(content, grid, d));   // or at once
//
// Errors: "update.shape" when there are more or fewer than d values, "update.range" for a value or an exponent beyond
// the grid. Thread-safety: a PackedUpdate is a value; one PackedReader belongs to one thread at a time.
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
    friend class PackedReader;
    PackedUpdate(Bytes content, const FixedPoint& grid, std::uint64_t values)
        : content_(std::move(content)), grid_(grid), values_(values) {}

    Bytes content_;
    FixedPoint grid_;
    std::uint64_t values_;
};

// Looks at each record as soon as it is whole, while it is still in the cache.
class PackedReader {
public:
    // REQUIRES: check(grid) is ok. Allocates for all values at once.
    PackedReader(const FixedPoint& grid, std::uint64_t values);

    Status append(ByteView piece);
    Result<PackedUpdate> finish();  // call it once

private:
    FixedPoint grid_;
    std::uint64_t values_;
    std::size_t expected_bytes_;
    Bytes content_;
    std::size_t checked_bytes_ = 0;
};

}  // namespace entente::aggregate
