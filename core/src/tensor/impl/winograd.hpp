// F(2x2, 5x5) of Lavin and Gray 2015 (arXiv 1509.09308) at the points 0, 1, -1, 2, -2, infinity: 36 products for a
// window of 2 x 2 outputs instead of 100. Transforms use add and multiply only, in the order written here, along y
// first and then along x, so that they have the same bits in both numerics classes; the products are macs with the
// input channel ascending from +0; the bias is added last.

struct Six {
    Vector v[6];
};
inline Six transform_input(const Six& d) {
    const Vector two = broadcast(2.0f);
    const Vector four = broadcast(4.0f);
    const Vector five = broadcast(5.0f);
    const Vector a = d.v[4] - four * d.v[2];
    const Vector b = d.v[3] - four * d.v[1];
    const Vector c = d.v[4] - d.v[2];
    const Vector e = two * (d.v[3] - d.v[1]);
    return {{(four * d.v[0] - five * d.v[2]) + d.v[4], a + b, a - b, c + e, c - e,
             (four * d.v[1] - five * d.v[3]) + d.v[5]}};
}

struct Two {
    Vector v[2];
};
inline Two transform_output(const Six& m) {
    const Vector s12 = m.v[1] + m.v[2];
    const Vector d12 = m.v[1] - m.v[2];
    const Vector s34 = m.v[3] + m.v[4];
    const Vector d34 = m.v[3] - m.v[4];
    return {{(m.v[0] + s12) + s34, (d12 + broadcast(2.0f) * d34) + m.v[5]}};
}

inline Six transform_weights(const Vector* g) {
    const Vector even = (g[0] + g[2]) + g[4];
    const Vector odd = g[1] + g[3];
    const Vector even2 = (g[0] + broadcast(4.0f) * g[2]) + broadcast(16.0f) * g[4];
    const Vector odd2 = broadcast(2.0f) * g[1] + broadcast(8.0f) * g[3];
    const Vector sixth = broadcast(-1.0f / 6.0f);
    const Vector small = broadcast(1.0f / 24.0f);
    return {{broadcast(0.25f) * g[0], sixth * (even + odd), sixth * (even - odd), small * (even2 + odd2),
             small * (even2 - odd2), g[4]}};
}

// [out][5][5][in] to [36][in][out]
void winograd_weights(const float* weights, size_t in_channels, size_t out_channels, float* out) {
    alignas(64) float turned[36][unit][unit];  // [point][out][in] of 16 x 16 channels
    for (size_t o0 = 0; o0 < out_channels; o0 += unit) {
        for (size_t i0 = 0; i0 < in_channels; i0 += unit) {
            for (size_t o = 0; o < unit; ++o) {
                const float* from = weights + (o0 + o) * 25 * in_channels + i0;
                for (size_t l = 0; l < unit; l += lanes) {
                    Six columns[5];  // [kx], transformed along y
                    for (size_t kx = 0; kx < 5; ++kx) {
                        Vector g[5];
                        for (size_t ky = 0; ky < 5; ++ky) g[ky] = load(from + (ky * 5 + kx) * in_channels + l);
                        columns[kx] = transform_weights(g);
                    }
                    for (size_t y = 0; y < 6; ++y) {
                        Vector g[5];
                        for (size_t kx = 0; kx < 5; ++kx) g[kx] = columns[kx].v[y];
                        const Six row = transform_weights(g);
                        for (size_t x = 0; x < 6; ++x) store(&turned[y * 6 + x][o][l], row.v[x]);
                    }
                }
            }
            for (size_t point = 0; point < 36; ++point) {
                float* to = out + (point * in_channels + i0) * out_channels + o0;
                transpose(&turned[point][0][0], unit, unit, unit, to, out_channels);
            }
        }
    }
}

// Tiles [first, first + count) of the picture, row-major, to [36][count][in_channels].
void winograd_input(const Winograd& w, size_t first, size_t count, float* out) {
    const size_t channels = w.in_channels;
    const size_t plane = count * channels;
    for (size_t t = 0; t < count; ++t) {
        const size_t y = (first + t) / w.tiles_wide;
        const size_t x = (first + t) % w.tiles_wide;
        const float* corner = w.in + 2 * y * w.in_row + 2 * x * channels;
        for (size_t c = 0; c < channels; c += lanes) {
            Six columns[6];
            for (size_t px = 0; px < 6; ++px) {
                Six d;
                for (size_t py = 0; py < 6; ++py) d.v[py] = load(corner + py * w.in_row + px * channels + c);
                columns[px] = transform_input(d);
            }
            float* to = out + t * channels + c;
            for (size_t py = 0; py < 6; ++py) {
                Six d;
                for (size_t px = 0; px < 6; ++px) d.v[px] = columns[px].v[py];
                const Six row = transform_input(d);
                for (size_t px = 0; px < 6; ++px) store(to + (py * 6 + px) * plane, row.v[px]);
            }
        }
    }
}

// [36][count][out_channels] to the pooled pixels of those tiles.
void winograd_output(const Winograd& w, size_t first, size_t count, const float* in) {
    const size_t channels = w.out_channels;
    const size_t plane = count * channels;
    for (size_t t = 0; t < count; ++t) {
        const size_t y = (first + t) / w.tiles_wide;
        const size_t x = (first + t) % w.tiles_wide;
        float* to = w.out + y * w.out_row + x * channels;
        std::uint8_t* where = w.index + (first + t) * channels;
        for (size_t c = 0; c < channels; c += lanes) {
            const float* from = in + t * channels + c;
            Two columns[6];
            for (size_t px = 0; px < 6; ++px) {
                Six m;
                for (size_t py = 0; py < 6; ++py) m.v[py] = load(from + (py * 6 + px) * plane);
                columns[px] = transform_output(m);
            }
            const Vector bias = load(w.bias + c);
            Vector best = Vector{};
            Mask place = all_lanes(no_maximum);
            // From "0 at no place" the comparisons give max, ReLU and the first maximum at once.
            for (size_t py = 0; py < 2; ++py) {
                Six m;
                for (size_t px = 0; px < 6; ++px) m.v[px] = columns[px].v[py];
                const Two row = transform_output(m);
                for (size_t px = 0; px < 2; ++px) {
                    const Vector pixel = row.v[px] + bias;
                    const Mask more = greater(pixel, best);
                    best = pick(more, pixel, best);
                    place = pick_number(more, all_lanes(static_cast<int>(py * 2 + px)), place);
                }
            }
            store(to + c, best);
            for (size_t l = 0; l < lanes; ++l) where[c + l] = static_cast<std::uint8_t>(lane(place, l));
        }
    }
}

void winograd(const Winograd& w) {
    const size_t tiles = w.tiles_high * w.tiles_wide;
    float* const inputs = w.scratch;
    float* const products = w.scratch + 36 * winograd_group * w.in_channels;
    for (size_t first = 0; first < tiles; first += winograd_group) {
        const size_t count = tiles - first < winograd_group ? tiles - first : winograd_group;
        winograd_input(w, first, count, inputs);
        Gemm g;
        g.rows = count;
        g.columns = w.out_channels;
        g.depth = w.in_channels;
        g.a_row = w.in_channels;
        g.b_row = w.out_channels;
        g.c_row = w.out_channels;
        for (size_t point = 0; point < 36; ++point) {
            g.a = inputs + point * count * w.in_channels;
            g.b = w.weights + point * w.in_channels * w.out_channels;
            g.c = products + point * count * w.out_channels;
            gemm(g);
        }
        winograd_output(w, first, count, products);
    }
}
