#include "entente/aggregate/packed_update.hpp"

#include <algorithm>
#include <string>

namespace entente::aggregate {

PackedReader::PackedReader(const FixedPoint& grid, std::uint64_t values)
    : grid_(grid), values_(values), expected_bytes_(static_cast<std::size_t>(grid.content_bytes(values))) {
    content_.reserve(expected_bytes_);
}

Status PackedReader::append(ByteView piece) {
    if (piece.size() > expected_bytes_ - content_.size()) {
        return Error{Code::invalid_argument, "update.shape",
                     "update: expected " + std::to_string(values_) + " parameters, found more"};
    }
    content_.insert(content_.end(), piece.begin(), piece.end());
    // The last record may be shorter than the others.
    const std::size_t record = grid_.record_bytes(grid_.record_values());
    const bool last = content_.size() == expected_bytes_;
    const std::size_t records = (content_.size() - checked_bytes_) / record;
    const std::size_t fresh = last ? content_.size() - checked_bytes_ : records * record;
    const std::size_t before = checked_bytes_ / record * grid_.record_values();
    const std::size_t count = last ? static_cast<std::size_t>(values_) - before : records * grid_.record_values();
    ENTENTE_TRY(check_packed(ByteView(content_).subspan(checked_bytes_, fresh), grid_, count));
    checked_bytes_ += fresh;
    return done();
}

Result<PackedUpdate> PackedReader::finish() {
    if (content_.size() != expected_bytes_) {
        return Error{Code::invalid_argument, "update.shape",
                     "update: expected " + std::to_string(values_) + " parameters, found fewer"};
    }
    return PackedUpdate(std::move(content_), grid_, values_);
}

Result<PackedUpdate> PackedUpdate::of(Bytes content, const FixedPoint& grid, std::uint64_t values) {
    if (content.size() != grid.content_bytes(values)) {
        return Error{Code::invalid_argument, "update.shape",
                     "update: expected the " + std::to_string(grid.content_bytes(values)) + " bytes of " + std::to_string(values) +
                         " parameters, found " + std::to_string(content.size())};
    }
    ENTENTE_TRY(check_packed(content, grid, values));
    return PackedUpdate(std::move(content), grid, values);
}

}  // namespace entente::aggregate
