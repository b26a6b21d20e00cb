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
    part.features.reserve(rows.size() * size);
    part.labels.reserve(rows.size());
    for (const std::uint32_t row : rows) {
        for (const std::byte level : ByteView(*levels_).subspan(header_ + row * size, size)) {
            part.features.push_back(static_cast<float>(std::to_integer<std::uint32_t>(level)) / 255.0f);
        }
        part.labels.push_back(whole_->labels[row]);
    }
    return part;
}

}  // namespace entente::data
