// A data set that is handed out row by row: memory for the rows in use, however large the whole is.
//
//   Examples digits = data::read_idx_examples(images, labels).value();   // a byte a pixel, as it lies in the file
//   Dataset mine = digits.gather(rows);                                  // floats, for these rows
//
// A cheap, shared, read-only value: share it between threads.
#pragma once

#include <memory>
#include <span>

#include "entente/base/bytes.hpp"
#include "entente/data/dataset.hpp"

namespace entente::data {

class Examples {
public:
    Examples() = default;
    // The whole as floats. Null is no examples at all.
    Examples(std::shared_ptr<const Dataset> whole)  // NOLINT(google-explicit-constructor): a data set is examples
        : whole_(std::move(whole)) {}
    // Features lie behind `header` bytes of `levels`, one byte each, and mean byte / 255. `rest` has everything but
    // features. REQUIRES: header + labels times the product of example_shape bytes.
    Examples(Dataset rest, Bytes levels, std::size_t header)
        : whole_(std::make_shared<const Dataset>(std::move(rest))),
          levels_(std::make_shared<const Bytes>(std::move(levels))),
          header_(header) {}

    [[nodiscard]] std::size_t size() const noexcept { return whole_ ? whole_->size() : 0; }
    [[nodiscard]] std::span<const std::uint32_t> labels() const noexcept;
    [[nodiscard]] std::span<const float> targets() const noexcept;
    // The same floats whichever way the whole is kept. REQUIRES: every row < size().
    [[nodiscard]] Dataset gather(std::span<const std::uint32_t> rows) const;

private:
    std::shared_ptr<const Dataset> whole_;
    std::shared_ptr<const Bytes> levels_;
    std::size_t header_ = 0;
};

}  // namespace entente::data
