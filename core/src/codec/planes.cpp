#include "entente/codec/planes.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace entente::codec {

namespace {

template <class T>
constexpr T sign_last(T value) noexcept {
    const T sign = static_cast<T>(T{0} - static_cast<T>(value >> (8 * sizeof(T) - 1)));
    return static_cast<T>(static_cast<T>(value << 1u) ^ sign);
}

template <class T>
constexpr T sign_first(T value) noexcept {
    return static_cast<T>(static_cast<T>(value >> 1u) ^ static_cast<T>(T{0} - static_cast<T>(value & 1u)));
}

// Restrict and a constant width let the compiler vectorise. Numbers are little-endian in memory on every target.
template <class T, bool integers>
void split(const std::byte* __restrict in, std::size_t count, std::byte* __restrict out) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        T value = 0;
        std::memcpy(&value, in + i * sizeof(T), sizeof(T));
        if constexpr (integers) value = sign_last(value);
        for (std::size_t plane = 0; plane < sizeof(T); ++plane) out[plane * count + i] = static_cast<std::byte>((value >> (8 * plane)) & 0xffu);
    }
}

template <class T, bool integers>
void join(const std::byte* __restrict in, std::size_t count, std::byte* __restrict out) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        T value = 0;
        for (std::size_t plane = 0; plane < sizeof(T); ++plane) {
            value = static_cast<T>(value | static_cast<T>(std::to_integer<T>(in[plane * count + i]) << (8 * plane)));
        }
        if constexpr (integers) value = sign_first(value);
        std::memcpy(out + i * sizeof(T), &value, sizeof(T));
    }
}

void copy_tail(ByteView in, std::size_t done, std::span<std::byte> out) noexcept {
    std::copy(in.begin() + static_cast<std::ptrdiff_t>(done), in.end(),
              out.begin() + static_cast<std::ptrdiff_t>(done));
}

}  // namespace

void split_planes(ByteView in, Numbers numbers, std::span<std::byte> out) noexcept {
    const std::size_t count = numbers.width == 1 ? 0 : in.size() / numbers.width;
    if (numbers.width == 4) (numbers.integers ? split<std::uint32_t, true> : split<std::uint32_t, false>)(in.data(), count, out.data());
    if (numbers.width == 2) (numbers.integers ? split<std::uint16_t, true> : split<std::uint16_t, false>)(in.data(), count, out.data());
    copy_tail(in, count * numbers.width, out);
}

void join_planes(ByteView in, Numbers numbers, std::span<std::byte> out) noexcept {
    const std::size_t count = numbers.width == 1 ? 0 : in.size() / numbers.width;
    if (numbers.width == 4) (numbers.integers ? join<std::uint32_t, true> : join<std::uint32_t, false>)(in.data(), count, out.data());
    if (numbers.width == 2) (numbers.integers ? join<std::uint16_t, true> : join<std::uint16_t, false>)(in.data(), count, out.data());
    copy_tail(in, count * numbers.width, out);
}

}  // namespace entente::codec
