#include "entente/data/examples.hpp"

namespace entente::data {

std::span<const std::uint32_t> Examples::labels() const noexcept {
    return whole_ ? std::span<const std::uint32_t>(whole_->labels) : std::span<const std::uint32_t>();
}

std::span<const float> Examples::targets() const noexcept {
    return whole_ ? std::span<const float>(whole_->targets) : std::span<const float>();
}

Dataset Examples::gather(std::span<const std::uint32_t> rows) const {
    if (!levels_) return data::gather(*whole_, rows);
    Dataset part;
    part.example_shape = whole_->example_shape;
    part.classes = whole_->classes;
    const std::size_t size = whole_->example_size();
    part.features.resize(rows.size() * size);
    part.labels.reserve(rows.size());
    float* to = part.features.data();
    for (const std::uint32_t row : rows) {
        const std::byte* const levels = levels_->data() + header_ + row * size;
        // Vectors of divisions, as the compiler makes them, take no longer than a table of 256 quotients.
        for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<float>(std::to_integer<int>(levels[i])) / 255.0f;
        to += size;
        part.labels.push_back(whole_->labels[row]);
    }
    return part;
}

}  // namespace entente::data
