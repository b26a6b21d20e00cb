#include "entente/data/examples.hpp"

#include <algorithm>
#include <array>

namespace entente::data {

std::span<const std::uint32_t> Examples::labels() const noexcept {
    return whole_ ? std::span<const std::uint32_t>(whole_->labels) : std::span<const std::uint32_t>();
}

std::span<const float> Examples::targets() const noexcept {
    return whole_ ? std::span<const float>(whole_->targets) : std::span<const float>();
}

Dataset Examples::gather(std::span<const std::uint32_t> rows) const {
    if (!levels_) return data::gather(*whole_, rows);
    std::array<float, 256> value;  // of a level: a division for each pixel would take longer than all the rest
    for (std::size_t level = 0; level < value.size(); ++level) value[level] = static_cast<float>(level) / 255.0f;
    std::array<float, 256> piece;
    Dataset part;
    part.example_shape = whole_->example_shape;
    part.classes = whole_->classes;
    const std::size_t size = whole_->example_size();
    part.features.reserve(rows.size() * size);
    part.labels.reserve(rows.size());
    for (const std::uint32_t row : rows) {
        // Piece by piece, so that the floats are written once.
        ByteView levels = ByteView(*levels_).subspan(header_ + row * size, size);
        while (!levels.empty()) {
            const std::size_t count = std::min(piece.size(), levels.size());
            for (std::size_t i = 0; i < count; ++i) piece[i] = value[std::to_integer<std::size_t>(levels[i])];
            part.features.insert(part.features.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
            levels = levels.subspan(count);
        }
        part.labels.push_back(whole_->labels[row]);
    }
    return part;
}

}  // namespace entente::data
