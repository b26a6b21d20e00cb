#include "entente/codec/planes.hpp"

#include <algorithm>

namespace entente::codec {

namespace {

// Restrict and a constant width let the compiler vectorise.
template <std::size_t Width>
void split(const std::byte* __restrict in, std::size_t count, std::byte* __restrict out) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t plane = 0; plane < Width; ++plane) out[plane * count + i] = in[i * Width + plane];
    }
}

template <std::size_t Width>
void join(const std::byte* __restrict in, std::size_t count, std::byte* __restrict out) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t plane = 0; plane < Width; ++plane) out[i * Width + plane] = in[plane * count + i];
    }
}

void copy_tail(ByteView in, std::size_t done, std::span<std::byte> out) noexcept {
    std::copy(in.begin() + static_cast<std::ptrdiff_t>(done), in.end(),
              out.begin() + static_cast<std::ptrdiff_t>(done));
}

}  // namespace

void split_planes(ByteView in, std::size_t width, std::span<std::byte> out) noexcept {
    const std::size_t count = width == 1 ? 0 : in.size() / width;
    if (width == 4) split<4>(in.data(), count, out.data());
    if (width == 2) split<2>(in.data(), count, out.data());
    copy_tail(in, count * width, out);
}

void join_planes(ByteView in, std::size_t width, std::span<std::byte> out) noexcept {
    const std::size_t count = width == 1 ? 0 : in.size() / width;
    if (width == 4) join<4>(in.data(), count, out.data());
    if (width == 2) join<2>(in.data(), count, out.data());
    copy_tail(in, count * width, out);
}

}  // namespace entente::codec
