// Philox4x32-10, the one random number generator of the project for everything that must be reproducible:
// initial weights, shuffles, selections, stochastic rounding, partitions.
//
//   Philox random(derive_key(seed, round, "factory-a", Purpose::shuffle), /*stream=*/epoch);
//   random.shuffle(rows);
//
// Counter based: block number i of stream s under key k is a pure function of (k, s, i), so draws are
// independent of order, can be computed in parallel, and are the same bits on every target. The standard
// library's distributions and std::shuffle differ between libstdc++ and libc++ and are never used.
//
// NOT for privacy noise, keys or masks: it is not cryptographic. Those take the operating system's generator.
//
// Paper: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
// Thread-safety: a Philox is a small value; give each thread its own.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace entente {

struct PhiloxKey {
    std::uint32_t k0 = 0;
    std::uint32_t k1 = 0;

    friend bool operator==(const PhiloxKey&, const PhiloxKey&) = default;
};

// What the numbers are for: two purposes never share a stream. The values are part of every recorded result:
// append, never renumber.
enum class Purpose : std::uint32_t {
    initialise = 1,  // initial weights
    shuffle = 2,     // order of the examples in local training
    select = 3,      // which participants take part in a round
    quantise = 4,    // stochastic rounding of an update
    partition = 5,   // dealing a data set to simulated participants
    dropout = 6,
    simulate = 7,  // faults and delays of a simulation
    test = 8,
    subsample = 9,  // rows and columns that a tree sees
    explain = 10,   // in which order the columns of an explanation take their turn
};

// The ten rounds: one block of four words for one counter. Exposed for vectors and for vectorised users.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, PhiloxKey key) noexcept;

// A key from what identifies a draw. Definition (all integers 64 bit, wrapping):
//   mix(x) = finaliser of SplitMix64 applied to x + 0x9e3779b97f4a7c15
//   h = mix(seed); h = mix(h ^ round); h = mix(h ^ fnv1a64(participant)); h = mix(h ^ purpose)
//   k0 = low 32 bits of h, k1 = high 32 bits
// fnv1a64 is the 64-bit FNV-1a hash of the bytes of `participant` (empty for what belongs to nobody).
PhiloxKey derive_key(std::uint64_t seed, std::uint64_t round, std::string_view participant,
                     Purpose purpose) noexcept;

class Philox {
public:
    // `stream` fills the upper half of the counter, the block number the lower half.
    explicit Philox(PhiloxKey key, std::uint64_t stream = 0, std::uint64_t block = 0) noexcept;

    // Continues at the first word of `block` (four words a block).
    void seek(std::uint64_t block) noexcept;

    std::uint32_t next_u32() noexcept;
    std::uint64_t next_u64() noexcept;  // first word drawn = low half

    // In [0, 1): the 24 high bits of one word, times 2^-24. Exact in float32.
    float uniform() noexcept;
    // In [0, 1): the 53 high bits of two words, times 2^-53.
    double uniform_double() noexcept;

    // In [0, bound), without bias (Lemire, "Fast random integer generation in an interval", 2019).
    // REQUIRES: bound > 0.
    std::uint32_t bounded(std::uint32_t bound) noexcept;

    // Standard normal by Box-Muller (cosine branch) in double, with the project's own log and cosine.
    double normal() noexcept;

    // Fisher-Yates from the last element down; element i is swapped with bounded(i + 1).
    void shuffle(std::span<std::uint32_t> values) noexcept;

private:
    PhiloxKey key_;
    std::uint64_t stream_;
    std::uint64_t next_block_;
    std::array<std::uint32_t, 4> words_{};
    unsigned used_ = 4;
};

}  // namespace entente
