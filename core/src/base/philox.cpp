#include "entente/base/philox.hpp"

#include <cmath>
#include <utility>

#include "entente/base/math.hpp"

namespace entente {

namespace {

std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

std::uint64_t fnv1a64(std::string_view text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x00000100000001b3u;
    }
    return hash;
}

constexpr std::uint32_t low(std::uint64_t x) noexcept { return static_cast<std::uint32_t>(x & 0xffffffffu); }
constexpr std::uint32_t high(std::uint64_t x) noexcept { return static_cast<std::uint32_t>(x >> 32); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, PhiloxKey key) noexcept {
    auto [c0, c1, c2, c3] = counter;
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0;
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2;
        c0 = high(p1) ^ c1 ^ key.k0;
        c1 = low(p1);
        c2 = high(p0) ^ c3 ^ key.k1;
        c3 = low(p0);
        key.k0 += 0x9E3779B9u;
        key.k1 += 0xBB67AE85u;
    }
    return {c0, c1, c2, c3};
}

PhiloxKey derive_key(std::uint64_t seed, std::uint64_t round, std::string_view participant,
                     Purpose purpose) noexcept {
    std::uint64_t h = mix(seed);
    h = mix(h ^ round);
    h = mix(h ^ fnv1a64(participant));
    h = mix(h ^ static_cast<std::uint64_t>(purpose));
    return {low(h), high(h)};
}

Philox::Philox(PhiloxKey key, std::uint64_t stream, std::uint64_t block) noexcept
    : key_(key), stream_(stream), next_block_(block) {}

void Philox::seek(std::uint64_t block) noexcept {
    next_block_ = block;
    used_ = 4;
}

std::uint32_t Philox::next_u32() noexcept {
    if (used_ == 4) {
        words_ = philox4x32({low(next_block_), high(next_block_), low(stream_), high(stream_)}, key_);
        ++next_block_;
        used_ = 0;
    }
    return words_[used_++];
}

std::uint64_t Philox::next_u64() noexcept {
    const std::uint64_t first = next_u32();
    return first | (std::uint64_t{next_u32()} << 32);
}

float Philox::uniform() noexcept { return static_cast<float>(next_u32() >> 8) * 0x1p-24f; }

double Philox::uniform_double() noexcept { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }

std::uint32_t Philox::bounded(std::uint32_t bound) noexcept {
    std::uint64_t product = std::uint64_t{next_u32()} * bound;
    if (low(product) < bound) {
        const std::uint32_t threshold = (0u - bound) % bound;
        while (low(product) < threshold) product = std::uint64_t{next_u32()} * bound;
    }
    return high(product);
}

double Philox::normal() noexcept {
    // 1 - u lies in (0, 1], so the logarithm is finite.
    const double radius = std::sqrt(-2.0 * math::log(1.0 - uniform_double()));
    return radius * math::cos_turns(uniform_double());
}

void Philox::shuffle(std::span<std::uint32_t> values) noexcept {
    for (std::size_t i = values.size(); i > 1; --i) {
        const std::size_t j = bounded(static_cast<std::uint32_t>(i));
        std::swap(values[i - 1], values[j]);
    }
}

}  // namespace entente
