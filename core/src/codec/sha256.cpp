#include "entente/codec/sha256.hpp"

#include <algorithm>
#include <cstring>

#include "codec/sha256_blocks.hpp"

namespace entente::codec {

namespace {

constexpr std::uint32_t rotate_right(std::uint32_t x, unsigned n) noexcept {
    return (x >> n) | (x << (32u - n));
}

std::uint32_t read_be32(const std::byte* in) noexcept {
    return (std::to_integer<std::uint32_t>(in[0]) << 24u) | (std::to_integer<std::uint32_t>(in[1]) << 16u) |
           (std::to_integer<std::uint32_t>(in[2]) << 8u) | std::to_integer<std::uint32_t>(in[3]);
}

void hash_blocks(Sha256State& state, const std::byte* blocks, std::size_t count) noexcept {
    static const Sha256Blocks best =
        sha256_blocks_x86() != nullptr ? sha256_blocks_x86() : sha256_blocks_portable;
    best(state, blocks, count);
}

}  // namespace

void sha256_blocks_portable(Sha256State& state, const std::byte* blocks, std::size_t count) noexcept {
    for (; count != 0; --count, blocks += sha256_block_bytes) {
        std::array<std::uint32_t, 64> w;
        for (std::size_t i = 0; i < 16; ++i) w[i] = read_be32(blocks + 4 * i);
        for (std::size_t i = 16; i < 64; ++i) {
            const std::uint32_t s0 =
                rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ (w[i - 15] >> 3u);
            const std::uint32_t s1 =
                rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ (w[i - 2] >> 10u);
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        auto [a, b, c, d, e, f, g, h] = state;
        for (std::size_t i = 0; i < 64; ++i) {
            const std::uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
            const std::uint32_t choice = (e & f) ^ (~e & g);
            const std::uint32_t t1 = h + s1 + choice + sha256_constants[i] + w[i];
            const std::uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
            const std::uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + s0 + majority;
        }
        const Sha256State added{a, b, c, d, e, f, g, h};
        for (std::size_t i = 0; i < 8; ++i) state[i] += added[i];
    }
}

Sha256::Sha256() noexcept : state_(sha256_initial_state), block_{}, total_bytes_(0) {}

void Sha256::update(ByteView bytes) noexcept {
    const std::size_t filled = total_bytes_ % sha256_block_bytes;
    total_bytes_ += bytes.size();
    if (filled != 0) {
        const std::size_t taken = std::min(bytes.size(), sha256_block_bytes - filled);
        std::copy_n(bytes.begin(), taken, block_.begin() + static_cast<std::ptrdiff_t>(filled));
        bytes = bytes.subspan(taken);
        if (filled + taken < sha256_block_bytes) return;
        hash_blocks(state_, block_.data(), 1);
    }
    const std::size_t whole = bytes.size() / sha256_block_bytes;
    if (whole != 0) hash_blocks(state_, bytes.data(), whole);
    bytes = bytes.subspan(whole * sha256_block_bytes);
    std::copy(bytes.begin(), bytes.end(), block_.begin());
}

Digest Sha256::finish() noexcept {
    const std::uint64_t total_bits = total_bytes_ * 8;
    const std::size_t filled = total_bytes_ % sha256_block_bytes;
    std::array<std::byte, 2 * sha256_block_bytes> tail{};
    std::copy_n(block_.begin(), filled, tail.begin());
    tail[filled] = std::byte{0x80};
    const std::size_t blocks = filled + 9 <= sha256_block_bytes ? 1 : 2;
    for (std::size_t i = 0; i < 8; ++i) {
        tail[blocks * sha256_block_bytes - 1 - i] = static_cast<std::byte>((total_bits >> (8 * i)) & 0xffu);
    }
    hash_blocks(state_, tail.data(), blocks);

    Digest digest;
    for (std::size_t i = 0; i < 32; ++i) {
        digest.bytes[i] = static_cast<std::byte>((state_[i / 4] >> (24 - 8 * (i % 4))) & 0xffu);
    }
    *this = Sha256();
    return digest;
}

Digest sha256(ByteView bytes) noexcept {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

}  // namespace entente::codec
