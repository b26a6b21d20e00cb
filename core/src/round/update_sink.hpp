#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "entente/aggregate/fixed_point.hpp"
#include "entente/codec/frame.hpp"

namespace entente::round {

// Turns the content of an update envelope into integers while it arrives; never holds both whole.
class UpdateSink final : public codec::ContentSink {
public:
    UpdateSink(const aggregate::FixedPoint& grid, std::uint64_t parameters) : grid_(grid),
          // A plan has at most nn::max_parameters, so a count fits everywhere.
          values_(static_cast<std::size_t>(parameters)) {}

    Status append(ByteView bytes) override {
        while (!bytes.empty()) {
            const std::size_t left = values_.size() - filled_;
            if (left == 0) {
                return Error{Code::invalid_argument, "update.shape",
                             "update: expected " + std::to_string(values_.size()) + " parameters, found more"};
            }
            // One record: a number, or a block with its exponent; the last block may be shorter.
            const std::size_t together = std::min(grid_.record_values(), left);
            const std::size_t size = grid_.record_bytes(together);
            if (partial_.empty() && bytes.size() >= size) {
                const std::size_t count = std::min(bytes.size() / size, left / together);
                ENTENTE_TRY(unpack(bytes.first(count * size), count * together));
                bytes = bytes.subspan(count * size);
                continue;
            }
            const std::size_t take = std::min(size - partial_.size(), bytes.size());
            partial_.insert(partial_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(take));
            bytes = bytes.subspan(take);
            if (partial_.size() == size) {
                ENTENTE_TRY(unpack(partial_, together));
                partial_.clear();
            }
        }
        return done();
    }

    [[nodiscard]] bool complete() const noexcept { return filled_ == values_.size() && partial_.empty(); }
    std::vector<std::int32_t> take() noexcept { return std::move(values_); }

private:
    Status unpack(ByteView bytes, std::size_t count) {
        ENTENTE_TRY(aggregate::unpack(bytes, grid_, std::span(values_).subspan(filled_, count)));
        filled_ += count;
        return done();
    }

    aggregate::FixedPoint grid_;
    std::vector<std::int32_t> values_;
    std::size_t filled_ = 0;
    Bytes partial_;
};

}  // namespace entente::round
