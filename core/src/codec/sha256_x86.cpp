#include "codec/sha256_blocks.hpp"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

namespace entente::codec {

namespace {

__attribute__((target("sha,sse4.1,ssse3"))) void blocks_sha_ni(Sha256State& state, const std::byte* blocks,
                                                               std::size_t count) noexcept {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);

    // The instructions want the state as ABEF and CDGH.
    auto* words = reinterpret_cast<__m128i*>(state.data());
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

    for (; count != 0; --count, blocks += sha256_block_bytes) {
        const __m128i abef_before = abef;
        const __m128i cdgh_before = cdgh;
        __m128i w[4];  // a ring of the last 16 message words
        const auto* in = reinterpret_cast<const __m128i*>(blocks);
        for (int i = 0; i < 4; ++i) w[i] = _mm_shuffle_epi8(_mm_loadu_si128(in + i), swap);

#pragma GCC unroll 16
        for (int step = 0; step < 16; ++step) {
            __m128i& now = w[step & 3];
            if (step >= 4) {
                const __m128i& last = w[(step + 3) & 3];
                const __m128i sigma0 = _mm_sha256msg1_epu32(now, w[(step + 1) & 3]);
                const __m128i plus_seven = _mm_alignr_epi8(last, w[(step + 2) & 3], 4);
                now = _mm_sha256msg2_epu32(_mm_add_epi32(sigma0, plus_seven), last);
            }
            const auto* constants = reinterpret_cast<const __m128i*>(sha256_constants.data());
            const __m128i sum = _mm_add_epi32(now, _mm_load_si128(constants + step));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }

    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

bool cpu_has_sha() noexcept {
    // gcc 12 and clang 14 do not know "sha" in __builtin_cpu_supports.
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    const bool sha = (b & (1u << 29u)) != 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
    const bool ssse3 = (c & (1u << 9u)) != 0;
    const bool sse41 = (c & (1u << 19u)) != 0;
    return sha && ssse3 && sse41;
}

}  // namespace

Sha256Blocks sha256_blocks_x86() noexcept { return cpu_has_sha() ? blocks_sha_ni : nullptr; }

}  // namespace entente::codec

#else

namespace entente::codec {
Sha256Blocks sha256_blocks_x86() noexcept { return nullptr; }
}  // namespace entente::codec

#endif
