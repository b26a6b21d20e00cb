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
        const std::size_t width = grid_.bytes_per_value();
        while (!bytes.empty()) {
            if (partial_.empty() && bytes.size() >= width) {
                const std::size_t count = bytes.size() / width;
                ENTENTE_TRY(unpack(bytes.first(count * width), count));
                bytes = bytes.subspan(count * width);
                continue;
            }
            const std::size_t take = std::min(width - partial_.size(), bytes.size());
            partial_.insert(partial_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(take));
            bytes = bytes.subspan(take);
            if (partial_.size() == width) {
                ENTENTE_TRY(unpack(partial_, 1));
                partial_.clear();
            }
        }
        return done();
    }

    [[nodiscard]] bool complete() const noexcept { return filled_ == values_.size() && partial_.empty(); }
    std::vector<std::int32_t> take() noexcept { return std::move(values_); }

private:
    Status unpack(ByteView bytes, std::size_t count) {
        if (count > values_.size() - filled_) {
            return Error{Code::invalid_argument, "update.shape",
                         "update: expected " + std::to_string(values_.size()) + " parameters, found more"};
        }
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
