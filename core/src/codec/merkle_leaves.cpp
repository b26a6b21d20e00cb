#include "codec/merkle_leaves.hpp"

#include <algorithm>
#include <cstring>

#include "codec/sha256_blocks.hpp"
#include "entente/tensor/kernels.hpp"

namespace entente::codec {

namespace {

constexpr std::size_t most_lanes = 16;

// A leaf's message is a zero byte, the chunk, and FIPS 180-4's padding: a first block with 63 bytes of the chunk, blocks
// that lie in it as they are, and a last one with its last byte.
constexpr std::size_t first_bytes = sha256_block_bytes - 1;
constexpr std::size_t inner_blocks = (chunk_bytes - first_bytes) / sha256_block_bytes;
static_assert(first_bytes + inner_blocks * sha256_block_bytes + 1 == chunk_bytes);
constexpr std::uint64_t message_bits = 8 * (1 + std::uint64_t{chunk_bytes});

void hash_group(const kernels::Table& table, const std::byte* chunks, std::span<Digest> leaves) noexcept {
    std::array<std::array<unsigned char, sha256_block_bytes>, most_lanes> first{};
    std::array<std::array<unsigned char, sha256_block_bytes>, most_lanes> last{};
    std::array<const unsigned char*, most_lanes> firsts{}, inners{}, lasts{};
    alignas(64) std::array<std::uint32_t, 8 * most_lanes> state;
    const std::size_t lanes = table.lanes;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        // Lanes without a chunk of their own do the first one's again.
        const auto* chunk = reinterpret_cast<const unsigned char*>(chunks + (lane < leaves.size() ? lane : 0) * chunk_bytes);
        std::memcpy(first[lane].data() + 1, chunk, first_bytes);
        last[lane][0] = chunk[chunk_bytes - 1];
        last[lane][1] = 0x80;
        for (std::size_t i = 0; i < 8; ++i) {
            last[lane][sha256_block_bytes - 1 - i] = static_cast<unsigned char>((message_bits >> (8 * i)) & 0xffu);
        }
        firsts[lane] = first[lane].data();
        inners[lane] = chunk + first_bytes;
        lasts[lane] = last[lane].data();
        for (std::size_t i = 0; i < 8; ++i) state[i * lanes + lane] = sha256_initial_state[i];
    }
    table.sha256_lanes(sha256_constants.data(), firsts.data(), 1, state.data());
    table.sha256_lanes(sha256_constants.data(), inners.data(), inner_blocks, state.data());
    table.sha256_lanes(sha256_constants.data(), lasts.data(), 1, state.data());
    for (std::size_t lane = 0; lane < leaves.size(); ++lane) {
        for (std::size_t i = 0; i < 32; ++i) {
            leaves[lane].bytes[i] = static_cast<std::byte>((state[i / 4 * lanes + lane] >> (24 - 8 * (i % 4))) & 0xffu);
        }
    }
}

}  // namespace

std::size_t leaves_at_once() noexcept {
    // Measured on Zen 5, GB/s: the SHA instructions 2.0, sixteen lanes 4.9, eight 1.8, four 0.9, one without either 0.5.
    static const bool instructions = sha256_blocks_x86() != nullptr;
    const unsigned lanes = kernels::active().lanes;
    return instructions && lanes < most_lanes ? 1 : lanes;
}

void merkle_leaves(ByteView chunks, std::span<Digest> leaves) noexcept {
    const kernels::Table& table = kernels::active();
    const std::size_t together = leaves_at_once();
    while (!leaves.empty()) {
        const std::size_t count = std::min(leaves.size(), together);
        // A group costs the same however few of its lanes are of use.
        if (3 * count > together && together > 1) {
            hash_group(table, chunks.data(), leaves.first(count));
        } else {
            for (std::size_t i = 0; i < count; ++i) leaves[i] = merkle_leaf(chunks.subspan(i * chunk_bytes, chunk_bytes));
        }
        chunks = chunks.subspan(count * chunk_bytes);
        leaves = leaves.subspan(count);
    }
}

}  // namespace entente::codec
