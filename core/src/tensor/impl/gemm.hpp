// The matrix product in register tiles. Lanes run across columns, k runs alone: no choice here can change a bit.

// One register tile of C: `rows` x `units` units of accumulators.
template <size_t rows, size_t units>
void tile(const Gemm& g, const float* a, const float* start, float* c) {
    constexpr size_t vectors = units * unit_vectors;
    const size_t a_row = g.a_row;
    const size_t a_step = g.a_step;
    const size_t b_row = g.b_row;
    Vector sum[rows][vectors];
    for (size_t i = 0; i < rows; ++i)
        for (size_t v = 0; v < vectors; ++v) sum[i][v] = load(start + i * g.start_row + v * lanes);
    for (size_t s = 0; s < g.segments; ++s) {
        const size_t first = g.runs == nullptr ? 0 : g.runs[s].first;
        const size_t depth = g.runs == nullptr ? g.depth : g.runs[s].count;
        const float* pa = a + s * g.a_segment + first * a_step;
        const float* pb = g.b + s * g.b_segment + first * b_row;
        for (size_t k = 0; k < depth; ++k) {
            Vector right[vectors];
            for (size_t v = 0; v < vectors; ++v) right[v] = load(pb + v * lanes);
#pragma GCC unroll 16
            for (size_t i = 0; i < rows; ++i) {
                const Vector left = broadcast(pa[i * a_row]);
                for (size_t v = 0; v < vectors; ++v) sum[i][v] = mac(sum[i][v], left, right[v]);
            }
            pa += a_step;
            pb += b_row;
        }
    }
    if (g.finish == Finish::relu) {
        for (size_t i = 0; i < rows; ++i)
            for (size_t v = 0; v < vectors; ++v) sum[i][v] = positive(sum[i][v]);
    } else if (g.finish == Finish::descend) {
        const Vector factor = broadcast(g.factor);
        for (size_t i = 0; i < rows; ++i)
            for (size_t v = 0; v < vectors; ++v)
                sum[i][v] = mac(load(c + i * g.c_row + v * lanes), factor, sum[i][v]);
    }
    for (size_t i = 0; i < rows; ++i)
        for (size_t v = 0; v < vectors; ++v) store(c + i * g.c_row + v * lanes, sum[i][v]);
}

using Tile = void (*)(const Gemm&, const float*, const float*, float*);

template <size_t... index>
struct Indices {};
template <size_t n, size_t... index>
struct MakeIndices : MakeIndices<n - 1, n - 1, index...> {};
template <size_t... index>
struct MakeIndices<0, index...> {
    using Type = Indices<index...>;
};
template <size_t units, class Sequence>
struct Tiles;
template <size_t units, size_t... index>
struct Tiles<units, Indices<index...>> {
    static constexpr Tile all[] = {tile<index + 1, units>...};
};
template <size_t units, size_t most_rows>
using TilesOf = Tiles<units, typename MakeIndices<most_rows>::Type>;

// Units of columns that one tile takes at once, and its most rows for each number of them.
#if ENTENTE_LANES == 16
constexpr size_t tile_units = 3;
constexpr size_t tile_rows[] = {0, 14, 12, 8};
#elif ENTENTE_LANES == 8
constexpr size_t tile_units = 1;
constexpr size_t tile_rows[] = {0, 6, 6, 6};
#elif ENTENTE_LANES == 4 && defined(__aarch64__)
constexpr size_t tile_units = 1;
constexpr size_t tile_rows[] = {0, 5, 5, 5};
#else
constexpr size_t tile_units = 1;
constexpr size_t tile_rows[] = {0, 2, 2, 2};
#endif

Tile find_tile(size_t rows, size_t units) {
    if constexpr (tile_units >= 3) {
        if (units == 3) return TilesOf<3, tile_rows[3]>::all[rows - 1];
        if (units == 2) return TilesOf<2, tile_rows[2]>::all[rows - 1];
    }
    return TilesOf<1, tile_rows[1]>::all[rows - 1];
}

// All row tiles of `units` units of columns; g.a, g.b, g.start and g.c point to their first element.
void strip(const Gemm& g, size_t units) {
    const size_t tiles = divide_up(g.rows, tile_rows[units]);
    for (size_t t = 0; t < tiles; ++t) {
        const size_t i = cut(g.rows, tiles, t);
        const size_t rows = cut(g.rows, tiles, t + 1) - i;
        find_tile(rows, units)(g, g.a + i * g.a_row, g.start + i * g.start_row, g.c + i * g.c_row);
    }
}

// The same for a strip whose last unit is partly outside C: each tile works on a copy.
void narrow_strip(const Gemm& g, size_t units, size_t columns) {
    const size_t full = units * unit;
    const size_t tiles = divide_up(g.rows, tile_rows[units]);
    alignas(64) float copy[16 * max_units * unit];
    for (size_t t = 0; t < tiles; ++t) {
        const size_t i = cut(g.rows, tiles, t);
        const size_t rows = cut(g.rows, tiles, t + 1) - i;
        const float* start = g.start + i * g.start_row;
        float* c = g.c + i * g.c_row;
        Gemm local = g;
        local.c_row = full;
        if (g.start_row != 0 || g.finish == Finish::descend) {
            const float* from = g.finish == Finish::descend ? c : start;
            const size_t from_row = g.finish == Finish::descend ? g.c_row : g.start_row;
            for (size_t r = 0; r < rows; ++r) {
                for (size_t x = 0; x < columns; ++x) copy[r * full + x] = from[r * from_row + x];
                for (size_t x = columns; x < full; ++x) copy[r * full + x] = 0.0f;
            }
            if (g.finish != Finish::descend) {
                start = copy;
                local.start_row = full;
            }
        }
        find_tile(rows, units)(local, g.a + i * g.a_row, start, copy);
        for (size_t r = 0; r < rows; ++r)
            for (size_t x = 0; x < columns; ++x) c[r * g.c_row + x] = copy[r * full + x];
    }
}

// A block of B this large, 224 rows of the widest panel, stays in the first or second cache.
constexpr size_t block_floats = 224 * max_units * unit;

// All strips of columns of one block of k.
void gemm_block(const Gemm& part) {
    const size_t all_units = divide_up(part.columns, unit);
    const size_t strips = divide_up(all_units, tile_units);
    for (size_t n = 0; n < strips; ++n) {
        const size_t first = cut(all_units, strips, n);
        const size_t units = cut(all_units, strips, n + 1) - first;
        const size_t j = first * unit;
        Gemm s = part;
        s.b += j;
        s.c += j;
        if (part.start != zeros) s.start += j;
        if (j + units * unit <= part.columns) {
            strip(s, units);
        } else {
            narrow_strip(s, units, part.columns - j);
        }
    }
}

// Whole runs to a block, as many as fit.
void gemm_of_runs(const Gemm& all, size_t block) {
    size_t run = 0;
    size_t k = 0;
    do {
        Gemm part = all;
        part.runs = all.runs + run;
        part.segments = 0;
        part.a_segment = 0;
        part.b_segment = 0;
        const size_t begin = k;
        while (k < all.depth && (k == begin || k - begin + all.runs[run].count <= block)) {
            k += all.runs[run++].count;
            ++part.segments;
        }
        part.finish = k == all.depth ? all.finish : Finish::none;
        if (begin != 0) {
            part.start = all.c;
            part.start_row = all.c_row;
        }
        gemm_block(part);
    } while (k < all.depth);
}

void gemm(const Gemm& g) {
    if (g.rows == 0 || g.columns == 0) return;
    Gemm all = g;
    if (all.start == nullptr) {
        all.start = zeros;
        all.start_row = 0;
    }
    // k in blocks that stay in cache while all row tiles read them; C carries the sum from block to block.
    const size_t all_units = divide_up(g.columns, unit);
    const bool blocked = g.segments == 1 && g.finish != Finish::descend && g.rows > tile_rows[tile_units];
    const size_t block = blocked && all_units <= max_units ? block_floats / (all_units * unit) : g.depth;
    if (g.runs != nullptr) return gemm_of_runs(all, block);
    size_t k = 0;
    do {
        Gemm part = all;
        part.a += k * g.a_step;
        part.b += k * g.b_row;
        part.depth = g.depth - k < block ? g.depth - k : block;
        part.finish = k + part.depth == g.depth ? g.finish : Finish::none;
        if (k != 0) {
            part.start = g.c;
            part.start_row = g.c_row;
        }
        gemm_block(part);
        k += part.depth;
    } while (k < g.depth);
}
