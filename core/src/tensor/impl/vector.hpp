// Vectors of ENTENTE_LANES floats and the one multiply-accumulate of a numerics class. Included once, inside the
// unnamed namespace of a variant, see kernels_impl.hpp.
//
// What the innermost loops are made of is always inlined: where the rest is compiled for size, em++ forbids inlining, and every
// multiply-add would be a call.
#define ENTENTE_INLINE __attribute__((always_inline)) inline

#if ENTENTE_LANES == 1
using Vector = float;
ENTENTE_INLINE Vector load(const float* p) { return *p; }
ENTENTE_INLINE void store(float* p, Vector v) { *p = v; }
ENTENTE_INLINE Vector broadcast(float x) { return x; }
ENTENTE_INLINE Vector positive(Vector x) { return x > 0.0f ? x : 0.0f; }
#else
using Vector = float __attribute__((vector_size(ENTENTE_LANES * 4)));
using Mask = int __attribute__((vector_size(ENTENTE_LANES * 4)));
// A packed structure, since clang takes a vector type for aligned whatever its own attribute says.
struct __attribute__((packed, may_alias)) Unaligned {
    Vector vector;
};
ENTENTE_INLINE Vector load(const float* p) { return reinterpret_cast<const Unaligned*>(p)->vector; }
ENTENTE_INLINE void store(float* p, Vector v) { reinterpret_cast<Unaligned*>(p)->vector = v; }
ENTENTE_INLINE Vector broadcast(float x) { return x - Vector{}; }
// x > 0 ? x : +0
ENTENTE_INLINE Vector positive(Vector x) { return reinterpret_cast<Vector>((x > Vector{}) & reinterpret_cast<Mask>(x)); }
#endif

// c + a * b: rounded twice in class portable, once in class fused.
#if !ENTENTE_FUSED
ENTENTE_INLINE float mac(float c, float a, float b) { return c + a * b; }
#if ENTENTE_LANES > 1
ENTENTE_INLINE Vector mac(Vector c, Vector a, Vector b) { return c + a * b; }
#endif
#else
ENTENTE_INLINE float mac(float c, float a, float b) { return __builtin_fmaf(a, b, c); }
#if ENTENTE_LANES == 16
ENTENTE_INLINE Vector mac(Vector c, Vector a, Vector b) { return _mm512_fmadd_ps(a, b, c); }
#elif ENTENTE_LANES == 8
ENTENTE_INLINE Vector mac(Vector c, Vector a, Vector b) { return _mm256_fmadd_ps(a, b, c); }
#elif ENTENTE_LANES == 4
ENTENTE_INLINE Vector mac(Vector c, Vector a, Vector b) { return vfmaq_f32(c, a, b); }
#endif
#endif

constexpr size_t lanes = ENTENTE_LANES;
constexpr size_t unit = 16;                        // floats; every layout is cut in these
constexpr size_t unit_vectors = unit / lanes;

// Where a sum that starts at +0 is loaded from.
alignas(64) constexpr float zeros[max_units * unit] = {};

constexpr size_t divide_up(size_t x, size_t y) { return (x + y - 1) / y; }

// Where part number `part` begins when `count` things are cut into `parts` as evenly as possible.
constexpr size_t cut(size_t count, size_t parts, size_t part) { return static_cast<size_t>(std::uint64_t{count} * part / parts); }

#if ENTENTE_LANES == 1
using Mask = int;
inline Vector zero_vector() { return 0.0f; }
inline Mask greater(Vector a, Vector b) { return a > b ? -1 : 0; }
inline Mask unequal(Vector a, Vector b) { return a != b ? -1 : 0; }
inline Vector pick(Mask mask, Vector yes, Vector no) { return mask ? yes : no; }
inline Mask all_lanes(int x) { return x; }
inline int lane(Mask mask, size_t) { return mask; }
#else
inline Vector zero_vector() { return Vector{}; }
inline Mask greater(Vector a, Vector b) { return a > b; }
inline Mask unequal(Vector a, Vector b) { return a != b; }
inline Vector pick(Mask mask, Vector yes, Vector no) {
    return reinterpret_cast<Vector>((mask & reinterpret_cast<Mask>(yes)) | (~mask & reinterpret_cast<Mask>(no)));
}
inline Mask all_lanes(int x) { return x - Mask{}; }
inline int lane(Mask mask, size_t i) { return mask[i]; }
#endif
inline Mask pick_number(Mask mask, Mask yes, Mask no) { return (mask & yes) | (~mask & no); }
