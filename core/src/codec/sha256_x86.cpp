#include "codec/sha256_blocks.hpp"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

namespace entente::codec {

namespace {

// The instructions want a state as ABEF and CDGH.
template <std::size_t Streams>
__attribute__((target("sha,sse4.1,ssse3"))) void streams_of(Sha256State* states, const std::byte* const* blocks,
                                                            std::size_t count) noexcept {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef[Streams];
    __m128i cdgh[Streams];
    for (std::size_t s = 0; s < Streams; ++s) {
        const auto* words = reinterpret_cast<const __m128i*>(states[s].data());
        const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
        const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
        abef[s] = _mm_alignr_epi8(cdab, efgh, 8);
        cdgh[s] = _mm_blend_epi16(efgh, cdab, 0xf0);
    }

    for (std::size_t block = 0; block < count; ++block) {
        __m128i abef_before[Streams];
        __m128i cdgh_before[Streams];
        __m128i w[Streams][4];  // rings of the last 16 message words
#pragma GCC unroll 4
        for (std::size_t s = 0; s < Streams; ++s) {
            abef_before[s] = abef[s];
            cdgh_before[s] = cdgh[s];
            const auto* in = reinterpret_cast<const __m128i*>(blocks[s] + block * sha256_block_bytes);
            for (int i = 0; i < 4; ++i) w[s][i] = _mm_shuffle_epi8(_mm_loadu_si128(in + i), swap);
        }
#pragma GCC unroll 16
        for (int step = 0; step < 16; ++step) {
            const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(sha256_constants.data()) + step);
#pragma GCC unroll 4
            for (std::size_t s = 0; s < Streams; ++s) {
                __m128i& now = w[s][step & 3];
                if (step >= 4) {
                    const __m128i& last = w[s][(step + 3) & 3];
                    const __m128i sigma0 = _mm_sha256msg1_epu32(now, w[s][(step + 1) & 3]);
                    const __m128i plus_seven = _mm_alignr_epi8(last, w[s][(step + 2) & 3], 4);
                    now = _mm_sha256msg2_epu32(_mm_add_epi32(sigma0, plus_seven), last);
                }
                const __m128i sum = _mm_add_epi32(now, constants);
                cdgh[s] = _mm_sha256rnds2_epu32(cdgh[s], abef[s], sum);
                abef[s] = _mm_sha256rnds2_epu32(abef[s], cdgh[s], _mm_shuffle_epi32(sum, 0x0e));
            }
        }
#pragma GCC unroll 4
        for (std::size_t s = 0; s < Streams; ++s) {
            abef[s] = _mm_add_epi32(abef[s], abef_before[s]);
            cdgh[s] = _mm_add_epi32(cdgh[s], cdgh_before[s]);
        }
    }

    for (std::size_t s = 0; s < Streams; ++s) {
        auto* words = reinterpret_cast<__m128i*>(states[s].data());
        const __m128i feba = _mm_shuffle_epi32(abef[s], 0x1b);
        const __m128i dchg = _mm_shuffle_epi32(cdgh[s], 0xb1);
        _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
        _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
    }
}

void one_stream(Sha256State& state, const std::byte* blocks, std::size_t count) noexcept {
    streams_of<1>(&state, &blocks, count);
}

void several_streams(std::span<Sha256State> states, std::span<const std::byte* const> blocks, std::size_t count) noexcept {
    switch (states.size()) {
        case 1: return streams_of<1>(states.data(), blocks.data(), count);
        case 2: return streams_of<2>(states.data(), blocks.data(), count);
        case 3: return streams_of<3>(states.data(), blocks.data(), count);
        default: return streams_of<4>(states.data(), blocks.data(), count);
    }
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

Sha256Blocks sha256_blocks_x86() noexcept { return cpu_has_sha() ? one_stream : nullptr; }
Sha256Streams sha256_streams_x86() noexcept { return cpu_has_sha() ? several_streams : nullptr; }

}  // namespace entente::codec

#else

namespace entente::codec {
Sha256Blocks sha256_blocks_x86() noexcept { return nullptr; }
Sha256Streams sha256_streams_x86() noexcept { return nullptr; }
}  // namespace entente::codec

#endif
