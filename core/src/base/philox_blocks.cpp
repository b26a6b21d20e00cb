#include "entente/base/philox_blocks.hpp"

#include <algorithm>

namespace entente {

namespace {

constexpr std::size_t together = 16;  // blocks; one vector of 512 bits a word

// Written so that the compiler finds the vectors of whatever instruction set it is told to use.
__attribute__((always_inline)) inline void make_groups(PhiloxKey key, std::uint64_t block, std::size_t groups, std::uint32_t* out) noexcept {
    for (std::size_t group = 0; group < groups; ++group, block += together, out += 4 * together) {
        std::uint32_t c0[together], c1[together], c2[together], c3[together];
        for (std::size_t i = 0; i < together; ++i) {
            c0[i] = static_cast<std::uint32_t>(block + i);
            c1[i] = static_cast<std::uint32_t>((block + i) >> 32u);
            c2[i] = 0;
            c3[i] = 0;
        }
        std::uint32_t k0 = key.k0;
        std::uint32_t k1 = key.k1;
        for (int round = 0; round < 10; ++round) {
            for (std::size_t i = 0; i < together; ++i) {
                const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0[i];
                const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2[i];
                c0[i] = static_cast<std::uint32_t>(p1 >> 32u) ^ c1[i] ^ k0;
                c1[i] = static_cast<std::uint32_t>(p1);
                c2[i] = static_cast<std::uint32_t>(p0 >> 32u) ^ c3[i] ^ k1;
                c3[i] = static_cast<std::uint32_t>(p0);
            }
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        for (std::size_t i = 0; i < together; ++i) {
            out[4 * i] = c0[i];
            out[4 * i + 1] = c1[i];
            out[4 * i + 2] = c2[i];
            out[4 * i + 3] = c3[i];
        }
    }
}

using Groups = void (*)(PhiloxKey key, std::uint64_t block, std::size_t groups, std::uint32_t* out) noexcept;

void groups_plain(PhiloxKey key, std::uint64_t block, std::size_t groups, std::uint32_t* out) noexcept {
    make_groups(key, block, groups, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void groups_avx2(PhiloxKey key, std::uint64_t block, std::size_t groups, std::uint32_t* out) noexcept {
    make_groups(key, block, groups, out);
}
__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq"))) void groups_avx512(PhiloxKey key, std::uint64_t block, std::size_t groups,
                                                                               std::uint32_t* out) noexcept {
    make_groups(key, block, groups, out);
}

Groups best() noexcept {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq")) {
        return groups_avx512;
    }
    return __builtin_cpu_supports("avx2") ? groups_avx2 : groups_plain;
}
#else
Groups best() noexcept { return groups_plain; }
#endif

}  // namespace

void philox_words(PhiloxKey key, std::uint64_t block, std::span<std::uint32_t> words) noexcept {
    static const Groups groups_best = best();
    const std::size_t groups = words.size() / (4 * together);
    groups_best(key, block, groups, words.data());
    block += groups * together;
    words = words.subspan(groups * 4 * together);
    for (; !words.empty(); ++block) {
        const auto last = philox4x32({static_cast<std::uint32_t>(block & 0xffffffffu), static_cast<std::uint32_t>(block >> 32u), 0, 0}, key);
        const std::size_t count = std::min<std::size_t>(4, words.size());
        std::copy_n(last.begin(), count, words.begin());
        words = words.subspan(count);
    }
}

}  // namespace entente
