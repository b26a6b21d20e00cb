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

// Restrict and a constant width let the compiler find the vectors of whatever instruction set it is told to use. Numbers are
// little-endian in memory on every target.
template <class T, bool integers>
__attribute__((always_inline)) inline void split(const std::byte* __restrict in, std::size_t count, std::byte* __restrict out) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        T value = 0;
        std::memcpy(&value, in + i * sizeof(T), sizeof(T));
        if constexpr (integers) value = sign_last(value);
        for (std::size_t plane = 0; plane < sizeof(T); ++plane) out[plane * count + i] = static_cast<std::byte>((value >> (8 * plane)) & 0xffu);
    }
}

template <class T, bool integers>
__attribute__((always_inline)) inline void join(const std::byte* __restrict in, std::size_t count, std::byte* __restrict out) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        T value = 0;
        for (std::size_t plane = 0; plane < sizeof(T); ++plane) {
            value = static_cast<T>(value | static_cast<T>(std::to_integer<T>(in[plane * count + i]) << (8 * plane)));
        }
        if constexpr (integers) value = sign_first(value);
        std::memcpy(out + i * sizeof(T), &value, sizeof(T));
    }
}

template <class T>
__attribute__((always_inline)) inline void rearrange(bool apart, bool integers, const std::byte* in, std::size_t count, std::byte* out) noexcept {
    if (apart) return integers ? split<T, true>(in, count, out) : split<T, false>(in, count, out);
    return integers ? join<T, true>(in, count, out) : join<T, false>(in, count, out);
}

// Between numbers and their planes, in either direction.
using Rearrange = void (*)(bool apart, Numbers numbers, const std::byte* in, std::size_t count, std::byte* out) noexcept;

__attribute__((always_inline)) inline void rearrange_any(bool apart, Numbers numbers, const std::byte* in, std::size_t count, std::byte* out) noexcept {
    if (numbers.width == 4) rearrange<std::uint32_t>(apart, numbers.integers, in, count, out);
    if (numbers.width == 2) rearrange<std::uint16_t>(apart, numbers.integers, in, count, out);
}

void rearrange_plain(bool apart, Numbers numbers, const std::byte* in, std::size_t count, std::byte* out) noexcept {
    rearrange_any(apart, numbers, in, count, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void rearrange_avx2(bool apart, Numbers numbers, const std::byte* in, std::size_t count, std::byte* out) noexcept {
    rearrange_any(apart, numbers, in, count, out);
}
__attribute__((target("avx512f,avx512vl,avx512bw"))) void rearrange_avx512(bool apart, Numbers numbers, const std::byte* in, std::size_t count,
                                                                       std::byte* out) noexcept {
    rearrange_any(apart, numbers, in, count, out);
}

Rearrange best() noexcept {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) return rearrange_avx512;
    return __builtin_cpu_supports("avx2") ? rearrange_avx2 : rearrange_plain;
}
#else
Rearrange best() noexcept { return rearrange_plain; }
#endif

void rearrange_planes(bool apart, ByteView in, Numbers numbers, std::span<std::byte> out) noexcept {
    static const Rearrange rearrange_best = best();
    const std::size_t count = numbers.width == 1 ? 0 : in.size() / numbers.width;
    rearrange_best(apart, numbers, in.data(), count, out.data());
    const auto done = static_cast<std::ptrdiff_t>(count * numbers.width);
    std::copy(in.begin() + done, in.end(), out.begin() + done);
}

}  // namespace

void split_planes(ByteView in, Numbers numbers, std::span<std::byte> out) noexcept { rearrange_planes(true, in, numbers, out); }
void join_planes(ByteView in, Numbers numbers, std::span<std::byte> out) noexcept { rearrange_planes(false, in, numbers, out); }

}  // namespace entente::codec
