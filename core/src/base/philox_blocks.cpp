#include "entente/base/philox_blocks.hpp"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace entente {

namespace {

constexpr std::size_t together = 16;  // blocks

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

// A word in the low half of each 64 bits, where the multiplication wants it; what is left in the high half it ignores.
struct EightBlocks {
    __m512i c0, c1, c2, c3;
};

#define ENTENTE_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))

template <std::size_t Groups>
ENTENTE_AVX512 __attribute__((always_inline)) inline void some_groups(PhiloxKey key, std::uint64_t block, std::uint32_t* out) noexcept {
    constexpr std::size_t sets = Groups * together / 8;
    const __m512i multiplier0 = _mm512_set1_epi64(0xD2511F53);
    const __m512i multiplier1 = _mm512_set1_epi64(0xCD9E8D57);
    // In the order in which unpacking leaves the blocks one behind the other.
    const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    EightBlocks b[sets];
#pragma GCC unroll 4
    for (EightBlocks& e : b) {
        const __m512i number = _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(block)), order);
        e = {number, _mm512_srli_epi64(number, 32), _mm512_setzero_si512(), _mm512_setzero_si512()};
        block += 8;
    }
    std::uint32_t k0 = key.k0;
    std::uint32_t k1 = key.k1;
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const __m512i key0 = _mm512_set1_epi64(k0);
        const __m512i key1 = _mm512_set1_epi64(k1);
#pragma GCC unroll 4
        for (EightBlocks& e : b) {
            const __m512i p0 = _mm512_mul_epu32(multiplier0, e.c0);
            const __m512i p1 = _mm512_mul_epu32(multiplier1, e.c2);
            e = {_mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), e.c1, key0, 0x96), p1,
                 _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), e.c3, key1, 0x96), p0};
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
#pragma GCC unroll 4
    for (const EightBlocks& e : b) {
        const __m512i front = _mm512_mask_blend_epi32(0xaaaa, e.c0, _mm512_slli_epi64(e.c1, 32));
        const __m512i back = _mm512_mask_blend_epi32(0xaaaa, e.c2, _mm512_slli_epi64(e.c3, 32));
        _mm512_storeu_si512(out, _mm512_unpacklo_epi64(front, back));
        _mm512_storeu_si512(out + 16, _mm512_unpackhi_epi64(front, back));
        out += 32;
    }
}

ENTENTE_AVX512 void groups_avx512(PhiloxKey key, std::uint64_t block, std::size_t groups, std::uint32_t* out) noexcept {
    // Two at a time: one alone mostly waits for its multiplications.
    for (; groups >= 2; groups -= 2, block += 2 * together, out += 8 * together) some_groups<2>(key, block, out);
    if (groups == 1) some_groups<1>(key, block, out);
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
