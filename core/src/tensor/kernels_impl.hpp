// The one implementation of the kernel table. Each kernels_<variant>.cpp defines the four macros below,
// includes this file and exports one Table:
//   ENTENTE_VARIANT        name of the variant, an identifier
//   ENTENTE_LANES          floats per vector; 1 = plain float
//   ENTENTE_TILE_ROWS      rows of a register tile
//   ENTENTE_TILE_VECTORS   vectors per row of a register tile
//
// Everything stands in an unnamed namespace and nothing of the standard library is called: an inline function
// with external linkage compiled here for AVX-512 could be the copy that the linker keeps for the
// whole program.
//
// Lanes run across outputs, so ENTENTE_LANES and the tile cannot change a bit; plain loops below may be
// vectorised by the compiler for the same reason (no reassociation is allowed without -ffast-math).
#include <cstddef>
#include <cstdint>

#include "entente/tensor/kernel_table.hpp"

namespace entente::kernels {
namespace {

using std::size_t;

constexpr size_t lanes = ENTENTE_LANES;
constexpr size_t tile_rows = ENTENTE_TILE_ROWS;
constexpr size_t tile_vectors = ENTENTE_TILE_VECTORS;
// Depth of a packed block of B: 192 rows of the widest tile stay below 40 KB on every variant.
constexpr size_t block_depth = 192;

#if ENTENTE_LANES == 1
using Vector = float;
inline Vector load(const float* p) { return *p; }
inline void store(float* p, Vector v) { *p = v; }
inline Vector broadcast(float x) { return x; }
#else
using Vector = float __attribute__((vector_size(ENTENTE_LANES * 4)));
using Unaligned = float __attribute__((vector_size(ENTENTE_LANES * 4), aligned(4), may_alias));
inline Vector load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
inline void store(float* p, Vector v) { *reinterpret_cast<Unaligned*>(p) = v; }
inline Vector broadcast(float x) { return x - Vector{}; }
#endif

// A stretch of k for one tile or one panel of tiles, and where the accumulators come from and go to.
struct Work {
    const float* a;
    size_t a_row;
    size_t a_step;
    size_t a_segment;
    const float* b;
    size_t b_row;
    size_t b_segment;
    size_t segments;
    size_t depth;
    const float* start;  // C itself, the bias (start_row 0) or zeros (start_row 0)
    size_t start_row;
    float* c;
    size_t c_row;
};

// One register tile of C: `rows` x `vectors` accumulators, full vectors only.
template <size_t rows, size_t vectors, bool b_contiguous>
void tile(const Work& w) {
    const size_t b_row = b_contiguous ? vectors * lanes : w.b_row;
    const size_t a_row = w.a_row;
    const size_t a_step = w.a_step;
    const size_t depth = w.depth;
    Vector sum[rows][vectors];
    for (size_t i = 0; i < rows; ++i)
        for (size_t v = 0; v < vectors; ++v) sum[i][v] = load(w.start + i * w.start_row + v * lanes);
    for (size_t s = 0; s < w.segments; ++s) {
        const float* pa = w.a + s * w.a_segment;
        const float* pb = w.b + s * w.b_segment;
        for (size_t k = 0; k < depth; ++k) {
            Vector right[vectors];
            for (size_t v = 0; v < vectors; ++v) right[v] = load(pb + v * lanes);
#pragma GCC unroll 16
            for (size_t i = 0; i < rows; ++i) {
                const Vector left = broadcast(pa[i * a_row]);
                for (size_t v = 0; v < vectors; ++v) sum[i][v] = sum[i][v] + left * right[v];
            }
            pa += a_step;
            pb += b_row;
        }
    }
    for (size_t i = 0; i < rows; ++i)
        for (size_t v = 0; v < vectors; ++v) store(w.c + i * w.c_row + v * lanes, sum[i][v]);
}

using Tile = void (*)(const Work&);

template <size_t index, bool contiguous>
constexpr Tile tile_at = tile<index / tile_vectors + 1, index % tile_vectors + 1, contiguous>;

template <bool contiguous, class Sequence>
struct Tiles;
template <size_t... index>
struct Indices {};
template <size_t n, size_t... index>
struct MakeIndices : MakeIndices<n - 1, n - 1, index...> {};
template <size_t... index>
struct MakeIndices<0, index...> {
    using Type = Indices<index...>;
};
template <bool contiguous, size_t... index>
struct Tiles<contiguous, Indices<index...>> {
    static constexpr Tile all[] = {tile_at<index, contiguous>...};
};
using AllIndices = MakeIndices<tile_rows * tile_vectors>::Type;

Tile find_tile(size_t rows, size_t vectors, bool contiguous) {
    const size_t at = (rows - 1) * tile_vectors + vectors - 1;
    return contiguous ? Tiles<true, AllIndices>::all[at] : Tiles<false, AllIndices>::all[at];
}

constexpr size_t divide_up(size_t x, size_t y) { return (x + y - 1) / y; }

// Part number `part` of `count` things cut into `parts` as evenly as possible.
constexpr size_t cut(size_t count, size_t parts, size_t part) { return count * part / parts; }

// Where a vector that starts at +0 is loaded from.
alignas(64) constexpr float zeros[tile_vectors * lanes] = {};

// All row tiles of one panel of `width` columns; all.start, all.a and all.c point to row 0.
void panel(const Work& all, size_t row_count, size_t width, size_t vectors, bool contiguous) {
    const size_t row_tiles = divide_up(row_count, tile_rows);
    const size_t full = vectors * lanes;
    for (size_t t = 0; t < row_tiles; ++t) {
        const size_t i = cut(row_count, row_tiles, t);
        const size_t rows = cut(row_count, row_tiles, t + 1) - i;
        const Tile run = find_tile(rows, vectors, contiguous);
        Work w = all;
        w.a += i * w.a_row;
        w.start += i * w.start_row;
        w.c += i * w.c_row;
        if (width == full) {
            run(w);
            continue;
        }
        // The last vector is partly outside C: work on a copy.
        float copy[tile_rows * tile_vectors * lanes];
        for (size_t r = 0; r < rows; ++r) {
            for (size_t x = 0; x < width; ++x) copy[r * full + x] = w.start[r * w.start_row + x];
            for (size_t x = width; x < full; ++x) copy[r * full + x] = 0.0f;
        }
        float* const c = w.c;
        w.start = w.c = copy;
        w.start_row = w.c_row = full;
        run(w);
        for (size_t r = 0; r < rows; ++r)
            for (size_t x = 0; x < width; ++x) c[r * all.c_row + x] = copy[r * full + x];
    }
}

void gemm(const Gemm& g) {
    if (g.rows == 0 || g.columns == 0) return;
    const size_t all_vectors = divide_up(g.columns, lanes);
    const size_t panels = divide_up(all_vectors, tile_vectors);
    // Packing a block of B pays when several row tiles read it; a convolution's B is small and
    // read as it lies.
    const bool pack = g.segments == 1 && g.rows > 2 * tile_rows;
    alignas(64) float packed[block_depth * tile_vectors * lanes];

    for (size_t p = 0; p < panels; ++p) {
        const size_t v0 = cut(all_vectors, panels, p);
        const size_t vectors = cut(all_vectors, panels, p + 1) - v0;
        const size_t full = vectors * lanes;
        const size_t j = v0 * lanes;
        const size_t width = j + full <= g.columns ? full : g.columns - j;
        Work w{};
        w.a_row = g.a_row;
        w.a_step = g.a_step;
        w.a_segment = g.a_segment;
        w.c = g.c + j;
        w.c_row = g.c_row;
        w.start = g.accumulate ? w.c : g.bias != nullptr ? g.bias + j : zeros;
        w.start_row = g.accumulate ? g.c_row : 0;

        if ((width == full && !pack) || g.segments * g.depth == 0) {
            // k in one go for a convolution; in blocks that stay in cache for a wide matrix.
            const size_t block = g.segments == 1 && g.depth != 0 ? block_depth : g.depth;
            size_t k = 0;
            do {
                w.a = g.a + k * g.a_step;
                w.b = g.b + k * g.b_row + j;
                w.b_row = g.b_row;
                w.b_segment = g.b_segment;
                w.segments = g.segments;
                w.depth = g.depth - k < block ? g.depth - k : block;
                panel(w, g.rows, width, vectors, false);
                w.start = w.c;
                w.start_row = w.c_row;
                k += block;
            } while (k < g.depth);
            continue;
        }
        // Packed blocks: contiguous and zero beyond the last column. They may span segments.
        w.b = packed;
        w.b_row = full;
        size_t s = 0;
        size_t k = 0;
        while (s < g.segments) {
            w.a = g.a + s * g.a_segment + k * g.a_step;
            w.segments = 1;
            w.depth = g.depth - k < block_depth ? g.depth - k : block_depth;
            if (k == 0 && w.depth == g.depth) {
                w.segments = block_depth / g.depth;
                if (w.segments > g.segments - s) w.segments = g.segments - s;
            }
            w.b_segment = w.depth * full;
            float* to = packed;
            for (size_t q = 0; q < w.segments; ++q) {
                const float* from = g.b + (s + q) * g.b_segment + k * g.b_row + j;
                for (size_t r = 0; r < w.depth; ++r, from += g.b_row, to += full) {
                    for (size_t x = 0; x < width; ++x) to[x] = from[x];
                    for (size_t x = width; x < full; ++x) to[x] = 0.0f;
                }
            }
            panel(w, g.rows, width, vectors, true);
            w.start = w.c;
            w.start_row = w.c_row;
            k += w.depth;
            if (k == g.depth) {
                k = 0;
                s += w.segments;
            }
        }
    }
}

void transpose(const float* in, size_t rows, size_t columns, float* out) {
    constexpr size_t block = 16;
    for (size_t r0 = 0; r0 < rows; r0 += block) {
        const size_t r1 = r0 + block < rows ? r0 + block : rows;
        for (size_t c0 = 0; c0 < columns; c0 += block) {
            const size_t c1 = c0 + block < columns ? c0 + block : columns;
            for (size_t c = c0; c < c1; ++c)
                for (size_t r = r0; r < r1; ++r) out[c * rows + r] = in[r * columns + c];
        }
    }
}

void relu(float* x, size_t count) {
    for (size_t i = 0; i < count; ++i) x[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

void relu_backward(const float* y, float* dy, size_t count) {
    for (size_t i = 0; i < count; ++i) dy[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

void column_sums(const float* x, size_t rows, size_t columns, float* out) {
    for (size_t j = 0; j < columns; ++j) out[j] = 0.0f;
    for (size_t i = 0; i < rows; ++i) {
        const float* row = x + i * columns;
        for (size_t j = 0; j < columns; ++j) out[j] = out[j] + row[j];
    }
}

void max_pool(const Pool& s, const float* in, float* out, std::uint8_t* index) {
    const size_t out_height = s.height / s.pool;
    const size_t out_width = s.width / s.pool;
    const size_t channels = s.channels;
    for (size_t y = 0; y < out_height; ++y) {
        for (size_t x = 0; x < out_width; ++x) {
            const float* corner = in + (y * s.pool * s.width + x * s.pool) * channels;
            float* best = out + (y * out_width + x) * channels;
            std::uint8_t* where = index + (y * out_width + x) * channels;
            for (size_t c = 0; c < channels; ++c) {
                best[c] = corner[c];
                where[c] = 0;
            }
            for (size_t q = 1; q < s.pool * s.pool; ++q) {
                const float* pixel = corner + (q / s.pool * s.width + q % s.pool) * channels;
                const auto number = static_cast<std::uint8_t>(q);
                for (size_t c = 0; c < channels; ++c) {
                    const bool more = pixel[c] > best[c];
                    best[c] = more ? pixel[c] : best[c];
                    where[c] = more ? number : where[c];
                }
            }
        }
    }
}

void max_pool_backward(const Pool& s, const float* dout, const std::uint8_t* index, float* din) {
    const size_t out_height = s.height / s.pool;
    const size_t out_width = s.width / s.pool;
    const size_t channels = s.channels;
    if (out_height * s.pool != s.height || out_width * s.pool != s.width) {
        for (size_t i = 0; i < s.height * s.width * channels; ++i) din[i] = 0.0f;
    }
    for (size_t y = 0; y < out_height; ++y) {
        for (size_t x = 0; x < out_width; ++x) {
            float* corner = din + (y * s.pool * s.width + x * s.pool) * channels;
            const float* from = dout + (y * out_width + x) * channels;
            const std::uint8_t* where = index + (y * out_width + x) * channels;
            for (size_t q = 0; q < s.pool * s.pool; ++q) {
                float* pixel = corner + (q / s.pool * s.width + q % s.pool) * channels;
                for (size_t c = 0; c < channels; ++c) pixel[c] = where[c] == q ? from[c] : 0.0f;
            }
        }
    }
}

void axpy(float factor, const float* x, float* y, size_t count) {
    for (size_t i = 0; i < count; ++i) y[i] = y[i] + factor * x[i];
}

void scale(float factor, float* x, size_t count) {
    for (size_t i = 0; i < count; ++i) x[i] = factor * x[i];
}

double dot(const float* x, const float* y, size_t count) {
    double sum[8] = {};
    const size_t whole = count / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        for (size_t l = 0; l < 8; ++l)
            sum[l] = sum[l] + static_cast<double>(x[i + l]) * static_cast<double>(y[i + l]);
    for (size_t i = whole; i < count; ++i)
        sum[i - whole] = sum[i - whole] + static_cast<double>(x[i]) * static_cast<double>(y[i]);
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

bool all_finite(const float* x, size_t count) {
    // x * 0 is 0 for finite x and NaN otherwise; adding zeros is exact in any order.
    float sum[16] = {};
    const size_t whole = count / 16 * 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t l = 0; l < 16; ++l) sum[l] = sum[l] + x[i + l] * 0.0f;
    for (size_t i = whole; i < count; ++i) sum[0] = sum[0] + x[i] * 0.0f;
    for (size_t l = 0; l < 16; ++l)
        if (!(sum[l] == 0.0f)) return false;
    return true;
}

void regularise(float decay, float mu, const float* w, const float* origin, float* g, size_t count) {
    for (size_t i = 0; i < count; ++i) g[i] = g[i] + decay * w[i];
    if (origin == nullptr) return;
    for (size_t i = 0; i < count; ++i) g[i] = g[i] + mu * (w[i] - origin[i]);
}

void sgd(float rate, const float* g, float* w, size_t count) { axpy(-rate, g, w, count); }

void sgd_momentum(float rate, float momentum, const float* g, float* v, float* w, size_t count) {
    const float step = -rate;
    for (size_t i = 0; i < count; ++i) {
        v[i] = momentum * v[i] + g[i];
        w[i] = w[i] + step * v[i];
    }
}

#define ENTENTE_TEXT_OF(x) #x
#define ENTENTE_TEXT(x) ENTENTE_TEXT_OF(x)
#define ENTENTE_JOIN_OF(a, b) a##b
#define ENTENTE_JOIN(a, b) ENTENTE_JOIN_OF(a, b)

}  // namespace

extern const Table ENTENTE_JOIN(table_, ENTENTE_VARIANT);
const Table ENTENTE_JOIN(table_, ENTENTE_VARIANT) = {
    .name = ENTENTE_TEXT(ENTENTE_VARIANT),
    .lanes = ENTENTE_LANES,
    .gemm = gemm,
    .transpose = transpose,
    .relu = relu,
    .relu_backward = relu_backward,
    .column_sums = column_sums,
    .max_pool = max_pool,
    .max_pool_backward = max_pool_backward,
    .axpy = axpy,
    .scale = scale,
    .dot = dot,
    .all_finite = all_finite,
    .regularise = regularise,
    .sgd = sgd,
    .sgd_momentum = sgd_momentum,
};

}  // namespace entente::kernels
