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

// Up to sixteen leaves' messages as their blocks lie in memory.
struct Messages {
    explicit Messages(const std::byte* chunks, std::size_t count) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            const std::byte* chunk = chunks + i * chunk_bytes;
            std::memcpy(first_blocks[i].data() + 1, chunk, first_bytes);
            last_blocks[i][0] = chunk[chunk_bytes - 1];
            last_blocks[i][1] = std::byte{0x80};
            for (std::size_t b = 0; b < 8; ++b) {
                last_blocks[i][sha256_block_bytes - 1 - b] = static_cast<std::byte>((message_bits >> (8 * b)) & 0xffu);
            }
            first[i] = first_blocks[i].data();
            inner[i] = chunk + first_bytes;
            last[i] = last_blocks[i].data();
        }
    }
    Messages(const Messages&) = delete;

    using Pointers = std::array<const std::byte*, most_lanes>;
    Pointers first{}, inner{}, last{};

private:
    std::array<std::array<std::byte, sha256_block_bytes>, most_lanes> first_blocks{};
    std::array<std::array<std::byte, sha256_block_bytes>, most_lanes> last_blocks{};
};

// The words of a state lie `stride` apart.
void write_digest(const std::uint32_t* state, std::size_t stride, Digest& out) noexcept {
    for (std::size_t i = 0; i < 32; ++i) {
        out.bytes[i] = static_cast<std::byte>((state[i / 4 * stride] >> (24 - 8 * (i % 4))) & 0xffu);
    }
}

void hash_in_lanes(const kernels::Table& table, const std::byte* chunks, std::span<Digest> leaves) noexcept {
    Messages messages(chunks, leaves.size());
    // Lanes without a chunk of their own do the first one's again.
    for (Messages::Pointers* blocks : {&messages.first, &messages.inner, &messages.last}) {
        std::fill(blocks->begin() + static_cast<std::ptrdiff_t>(leaves.size()), blocks->end(), blocks->front());
    }
    const std::size_t lanes = table.lanes;
    alignas(64) std::array<std::uint32_t, 8 * most_lanes> state;
    for (std::size_t i = 0; i < 8; ++i) std::fill_n(state.begin() + static_cast<std::ptrdiff_t>(i * lanes), lanes, sha256_initial_state[i]);
    const auto add = [&](const Messages::Pointers& blocks, std::size_t count) {
        std::array<const unsigned char*, most_lanes> in;
        std::transform(blocks.begin(), blocks.end(), in.begin(), [](const std::byte* b) { return reinterpret_cast<const unsigned char*>(b); });
        table.sha256_lanes(sha256_constants.data(), in.data(), count, state.data());
    };
    add(messages.first, 1);
    add(messages.inner, inner_blocks);
    add(messages.last, 1);
    for (std::size_t lane = 0; lane < leaves.size(); ++lane) write_digest(state.data() + lane, lanes, leaves[lane]);
}

void hash_in_streams(Sha256Streams streams, const std::byte* chunks, std::span<Digest> leaves) noexcept {
    const Messages messages(chunks, leaves.size());
    std::array<Sha256State, sha256_most_streams> states;
    states.fill(sha256_initial_state);
    const std::span<Sha256State> ours(states.data(), leaves.size());
    streams(ours, messages.first, 1);
    streams(ours, messages.inner, inner_blocks);
    streams(ours, messages.last, 1);
    for (std::size_t i = 0; i < leaves.size(); ++i) write_digest(states[i].data(), 1, leaves[i]);
}

// Measured on Zen 5, GB/s: sixteen lanes 6.1, eight 1.8, four 0.9; the SHA instructions in four streams 3.8, in three 3.7,
// two 3.1, one 2.1; one message without either 0.5. Lanes cost the same however few of them are of use. Both at once are no
// quicker: the instructions take the lanes' turns.
void hash_some(const kernels::Table& table, const std::byte* chunks, std::span<Digest> leaves) noexcept {
    static const Sha256Streams streams = sha256_streams_x86();
    if (streams == nullptr ? 3 * leaves.size() > table.lanes && table.lanes > 1 : leaves.size() > 9) {
        return hash_in_lanes(table, chunks, leaves);
    }
    if (streams == nullptr) {
        for (std::size_t i = 0; i < leaves.size(); ++i) leaves[i] = merkle_leaf({chunks + i * chunk_bytes, chunk_bytes});
        return;
    }
    while (!leaves.empty()) {
        // As even as can be: 6 are 3 and 3.
        const std::size_t groups = (leaves.size() + sha256_most_streams - 1) / sha256_most_streams;
        const std::size_t count = (leaves.size() + groups - 1) / groups;
        hash_in_streams(streams, chunks, leaves.first(count));
        chunks += count * chunk_bytes;
        leaves = leaves.subspan(count);
    }
}

}  // namespace

std::size_t leaves_at_once() noexcept {
    static const bool instructions = sha256_streams_x86() != nullptr;
    const std::size_t lanes = kernels::active().lanes;
    return instructions && lanes < most_lanes ? sha256_most_streams : lanes;
}

void merkle_leaves(ByteView chunks, std::span<Digest> leaves) noexcept {
    const kernels::Table& table = kernels::active();
    const std::size_t together = leaves_at_once();
    while (!leaves.empty()) {
        const std::size_t count = std::min(leaves.size(), together);
        hash_some(table, chunks.data(), leaves.first(count));
        chunks = chunks.subspan(count * chunk_bytes);
        leaves = leaves.subspan(count);
    }
}

}  // namespace entente::codec
