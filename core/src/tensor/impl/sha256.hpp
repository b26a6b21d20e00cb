// The compression function of SHA-256 (FIPS 180-4) over several messages side by side, one in each lane.
#if ENTENTE_LANES > 1
using Words = std::uint32_t __attribute__((vector_size(ENTENTE_LANES * 4)));
struct __attribute__((packed, may_alias)) UnalignedWords {
    Words vector;
};
#else
using Words = std::uint32_t;
#endif

#if ENTENTE_LANES == 16
// One instruction each, which gcc 12 does not find by itself.
template <std::uint32_t n>
inline Words rotated(Words x) { return reinterpret_cast<Words>(_mm512_ror_epi32(reinterpret_cast<__m512i>(x), static_cast<int>(n))); }
template <int truth>
inline Words ternary(Words a, Words b, Words c) {
    return reinterpret_cast<Words>(_mm512_ternarylogic_epi32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b),
                                                             reinterpret_cast<__m512i>(c), truth));
}
inline Words parity(Words a, Words b, Words c) { return ternary<0x96>(a, b, c); }
inline Words choose(Words a, Words b, Words c) { return ternary<0xca>(a, b, c); }
inline Words majority(Words a, Words b, Words c) { return ternary<0xe8>(a, b, c); }
#else
template <std::uint32_t n>
inline Words rotated(Words x) { return (x >> n) | (x << (32u - n)); }
inline Words parity(Words a, Words b, Words c) { return a ^ b ^ c; }
inline Words choose(Words a, Words b, Words c) { return c ^ (a & (b ^ c)); }
inline Words majority(Words a, Words b, Words c) { return (a & b) | (c & (a | b)); }
#endif

inline Words byte_swapped(Words x) {
    const Words low = Words{} + 0x00ff00ffu;
    return choose(low, rotated<24>(x), rotated<8>(x));
}

// Rows i and i + half are interleaved; as often as half doubles to all, that is a transposition.
#if ENTENTE_LANES == 16
inline Words interleaved_low(Words a, Words b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
inline Words interleaved_high(Words a, Words b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif ENTENTE_LANES == 8
inline Words interleaved_low(Words a, Words b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
inline Words interleaved_high(Words a, Words b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#elif ENTENTE_LANES == 4
inline Words interleaved_low(Words a, Words b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
inline Words interleaved_high(Words a, Words b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

// words[t] = word t of each lane's block of 64 bytes.
inline void load_blocks(const unsigned char* const* messages, size_t offset, Words* words) {
#if ENTENTE_LANES == 1
    for (size_t t = 0; t < 16; ++t) words[t] = byte_swapped(packed_value<std::uint32_t>(messages[0] + offset, t));
#else
#pragma GCC unroll 4
    for (size_t part = 0; part < 16; part += lanes) {
        Words rows[lanes], next[lanes];
#pragma GCC unroll 16
        for (size_t l = 0; l < lanes; ++l) {
            rows[l] = reinterpret_cast<const UnalignedWords*>(messages[l] + offset + 4 * part)->vector;
        }
#pragma GCC unroll 4
        for (size_t half = 1; half < lanes; half *= 2) {
#pragma GCC unroll 8
            for (size_t i = 0; i < lanes / 2; ++i) {
                next[2 * i] = interleaved_low(rows[i], rows[i + lanes / 2]);
                next[2 * i + 1] = interleaved_high(rows[i], rows[i + lanes / 2]);
            }
#pragma GCC unroll 16
            for (size_t l = 0; l < lanes; ++l) rows[l] = next[l];
        }
#pragma GCC unroll 16
        for (size_t l = 0; l < lanes; ++l) words[part + l] = byte_swapped(rows[l]);
    }
#endif
}

void sha256_lanes(const std::uint32_t* constants, const unsigned char* const* messages, size_t blocks, std::uint32_t* state) {
    Words s[8];
    __builtin_memcpy(s, state, sizeof s);
    for (size_t block = 0; block < blocks; ++block) {
        Words w[16];  // a ring of the last 16 message words
        load_blocks(messages, 64 * block, w);
        Words a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
        for (size_t base = 0; base < 64; base += 16) {
#pragma GCC unroll 16
            for (size_t t = 0; t < 16; ++t) {
                if (base > 0) {
                    const Words first = w[(t + 1) & 15], last = w[(t + 14) & 15];
                    w[t] += parity(rotated<7>(first), rotated<18>(first), first >> 3u) + w[(t + 9) & 15] +
                            parity(rotated<17>(last), rotated<19>(last), last >> 10u);
                }
                // In this order and not in the standard's: e and a wait for the values before them three operations, not
                // five, and lanes are bound by nothing else.
                const Words early = w[t] + constants[base + t] + h;
                const Words chosen = choose(e, f, g);
                const Words turned = parity(rotated<6>(e), rotated<11>(e), rotated<25>(e));
                const Words next_e = ((early + d) + chosen) + turned;
                const Words next_a = (((early + chosen) + turned) + majority(a, b, c)) +
                                     parity(rotated<2>(a), rotated<13>(a), rotated<22>(a));
                h = g;
                g = f;
                f = e;
                e = next_e;
                d = c;
                c = b;
                b = a;
                a = next_a;
            }
        }
        s[0] += a;
        s[1] += b;
        s[2] += c;
        s[3] += d;
        s[4] += e;
        s[5] += f;
        s[6] += g;
        s[7] += h;
    }
    __builtin_memcpy(state, s, sizeof s);
}
