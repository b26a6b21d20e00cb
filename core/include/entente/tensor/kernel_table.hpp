// One table of function pointers per instruction set and numerics class: the hot loops of training over raw float32
// buffers, and those over the integers of updates and their digests. This header uses nothing but <cstddef> and <cstdint>, so that a file compiled for AVX-512 can include it
// without leaking inline functions of other headers into the program.
//
// Contract of every variant: the same bits as the scalar variant of its class. The multiply-accumulate
//   mac(c, a, b) = round(c + round(a * b)) in class portable, round(c + a * b) in class fused;
// k runs in the documented order and continues from the accumulator; vectors run across outputs, never across k;
// reductions to one number have a fixed shape. Everything that is not written as a mac rounds after each operation.
//
// Layouts are cut in units of 16 floats, whatever the instruction set: rows are padded with zeros to whole units, so
// that no kernel has a tail where the layout is ours. Sizes are checked by the callers (nn), not here. No allocation,
// no state: every function may be called from several threads on disjoint outputs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace entente::kernels {

enum class Numerics : std::uint8_t { portable = 0, fused = 1 };

inline constexpr std::size_t unit_floats = 16;
inline constexpr std::size_t max_units = 3;  // of one panel: the columns that a matrix product takes at once

enum class Finish : std::uint8_t {
    none,     // C = sum
    relu,     // C = sum > 0 ? sum : +0
    descend,  // C = mac(C, factor, sum): a gradient that goes straight into the weights
};

// k from `first` on, `count` of them.
struct Run {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

// C[i, j] = finish(start(i, j) + sum over s ascending, then k ascending, of A(i, s, k) * B(s, k, j))
//   A(i, s, k) = a[i * a_row + s * a_segment + k * a_step]
//   B(s, k, j) = b[s * b_segment + k * b_row + j]
//   C(i, j)    = c[i * c_row + j]
//   start      = start[i * start_row + j], +0 if null; C itself (start = c, start_row = c_row) continues a sum;
//                a bias is start_row = 0
// Strides are in floats. B and a bias are readable up to the next whole unit of columns, C need not be. With
// Finish::descend the sum starts at +0 (start is null). Segments make a convolution without copying. With `runs` given,
// there is one segment, and the sum is over the k of these runs alone, ascending; depth is the number of them in all.
struct Gemm {
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::size_t depth = 0;  // k per segment
    std::size_t segments = 1;
    const Run* runs = nullptr;
    const float* a = nullptr;
    std::size_t a_row = 0;
    std::size_t a_step = 1;
    std::size_t a_segment = 0;
    const float* b = nullptr;
    std::size_t b_row = 0;
    std::size_t b_segment = 0;
    const float* start = nullptr;
    std::size_t start_row = 0;
    float* c = nullptr;
    std::size_t c_row = 0;
    Finish finish = Finish::none;
    float factor = 0.0f;
};

// Max pooling of channels-last pictures, windows side by side, an incomplete window at the edge is dropped.
struct Pool {
    std::size_t height = 0;  // of the output
    std::size_t width = 0;
    std::size_t channels = 0;
    std::size_t pool_height = 2;
    std::size_t pool_width = 2;
    const float* in = nullptr;
    std::size_t in_row = 0;    // floats from one row of pixels to the next
    std::size_t in_pixel = 0;  // floats from one pixel to the next
    float* out = nullptr;
    std::size_t out_row = 0;
    std::size_t out_pixel = 0;  // of out, and of index
    // [height, width, out_pixel]: position in its window (row-major) of the first maximum, at most 254
    std::uint8_t* index = nullptr;
    bool relu = false;  // out = max > 0 ? max : +0, and the index of an output that is not positive is `no_maximum`
};
inline constexpr std::uint8_t no_maximum = 255;

// A convolution 5x5, stride 1, behind it a max pool 2x2 and a ReLU, by Winograd's F(2x2, 5x5): one tile is one
// window of the pool. Points 0, 1, -1, 2, -2, infinity; see impl/winograd.hpp for every formula in its order.
struct Winograd {
    std::size_t tiles_high = 0;  // of the pooled output
    std::size_t tiles_wide = 0;
    std::size_t in_channels = 0;   // whole units
    std::size_t out_channels = 0;  // whole units
    const float* in = nullptr;     // with its border of 2: tile (0, 0) reads the 6 x 6 pixels from here
    std::size_t in_row = 0;
    const float* weights = nullptr;  // as winograd_weights makes them
    const float* bias = nullptr;
    float* out = nullptr;  // pooled
    std::size_t out_row = 0;
    std::uint8_t* index = nullptr;  // as in Pool
    float* scratch = nullptr;       // winograd_scratch() floats
};
inline constexpr std::size_t winograd_group = 14;  // tiles transformed at once
constexpr std::size_t winograd_scratch(std::size_t in_channels, std::size_t out_channels) {
    return 36 * winograd_group * (in_channels + out_channels);
}
constexpr std::size_t winograd_weight_floats(std::size_t in_channels, std::size_t out_channels) {
    return 36 * in_channels * out_channels;
}

// The gradients of a convolution behind a max pool, of which only the maxima are not zero: for each output channel
// the list of their positions, and nothing is multiplied by zero.
struct Spot {
    std::uint32_t at = 0;  // floats from the corner of the bordered input to the pixel under the first tap
    float gradient = 0.0f;
};
struct SpotGradient {
    const Spot* spots = nullptr;  // one output channel of one example
    std::size_t count = 0;
    std::size_t taps_high = 0;  // kernel height
    std::size_t tap_row = 0;    // kernel width * in_channels, whole units, contiguous
    std::size_t row = 0;        // of the bordered input
};

// Whole records of an update's canonical content (aggregate/fixed_point.hpp says what they look like).
struct Packed {
    const unsigned char* content = nullptr;
    std::size_t values = 0;
    std::size_t block = 0;  // values that share an exponent; 0: none
    unsigned bits = 0;      // 8, 16 or 32; 8 or 4 in blocks
};
inline constexpr std::size_t max_packed_block = 4096;

enum class Curve : std::uint8_t { tanh, sigmoid, gelu };

struct Adam {
    float rate = 0.0f;   // step size of this step: rate / (1 - beta1^t)
    float beta1 = 0.0f;
    float beta2 = 0.0f;
    float scale = 0.0f;  // 1 / sqrt(1 - beta2^t)
    float epsilon = 0.0f;
    float shrink = 0.0f;  // AdamW: w = w + (-shrink) * w first; 0 leaves w alone
};

struct Table {
    const char* name;  // "scalar"; "sse42", "avx2", "avx512"; "neon"; "simd128"
    Numerics numerics;
    unsigned lanes;  // floats per vector

    void (*gemm)(const Gemm& problem);

    // out[c * out_row + r] = in[r * in_row + c]
    void (*transpose)(const float* in, std::size_t in_row, std::size_t rows, std::size_t columns, float* out,
                      std::size_t out_row);

    // x = x > 0 ? x : +0 (NaN and -0 become +0)
    void (*relu)(float* x, std::size_t count);
    // dy = y > 0 ? dy : +0, y being the output of relu
    void (*relu_backward)(const float* y, float* dy, std::size_t count);

    // out[j] = sum over i ascending of x[i * row + j], from +0, or from out itself
    void (*column_sums)(const float* x, std::size_t row, std::size_t rows, std::size_t columns, bool accumulate,
                        float* out);

    void (*max_pool)(const Pool& shape);
    // in is overwritten within the windows: zero but at the maxima, which get the values of shape.out.
    void (*max_pool_backward)(const Pool& shape, float* in);

    void (*winograd_weights)(const float* weights, std::size_t in_channels, std::size_t out_channels, float* out);
    void (*winograd)(const Winograd& work);
    // dw[taps_high * tap_row] = mac(dw, gradient, input under the tap), spots ascending; of taps [first, first + taps)
    void (*spot_weights)(const SpotGradient& work, const float* in, std::size_t first, std::size_t taps, float* dw);
    // din = mac(din, gradient, w): taps descending in y and x, spots ascending
    void (*spot_inputs)(const SpotGradient& work, const float* w, float* din);

    // any[j] != 0 where x[i * row + j] != 0 for some i. REQUIRES: columns in whole units.
    void (*any_nonzero)(const float* x, std::size_t row, std::size_t rows, std::size_t columns, std::uint32_t* any);

    // y = mac(y, factor, x)
    void (*axpy)(float factor, const float* x, float* y, std::size_t count);
    void (*add)(const float* x, float* y, std::size_t count);  // y = y + x
    void (*scale)(float factor, float* x, std::size_t count);
    // Sum of double(x) * double(y) in eight interleaved double accumulators (element i goes to i mod 8),
    // combined as ((0+4)+(2+6)) + ((1+5)+(3+7)).
    double (*dot)(const float* x, const float* y, std::size_t count);
    // True if no element is infinite or NaN.
    bool (*all_finite)(const float* x, std::size_t count);

    // x * scale down to a whole number, or up where words[i] / 2^32 lies below what was cut off, and at most `limit` in
    // magnitude; returns how many were moved there. Exact in double: scale is a power of two, |limit| < 2^31.
    std::uint32_t (*round_at_random)(const float* x, const std::uint32_t* words, std::size_t count, double scale, double limit,
                                     std::int32_t* out);

    // g = mac(g, decay, w), then g = mac(g, mu, w - origin) when origin is given
    void (*regularise)(float decay, float mu, const float* w, const float* origin, float* g, std::size_t count);
    // w = mac(w, -rate, g)
    void (*sgd)(float rate, const float* g, float* w, std::size_t count);
    // v = mac(g, momentum, v);  w = mac(w, -rate, v), or with nesterov w = mac(w, -rate, mac(g, momentum, v))
    void (*sgd_momentum)(float rate, float momentum, bool nesterov, const float* g, float* v, float* w,
                         std::size_t count);
    // m = mac(beta1 * m, 1 - beta1, g);  v = mac(beta2 * v, 1 - beta2, g * g)
    // w = w - rate * (m / mac(epsilon, sqrt(v), scale))
    void (*adam)(const Adam& step, const float* g, float* m, float* v, float* w, std::size_t count);

    // y = the curve at x, NaN at NaN; dx = dy * its slope there. y may be x; dx may be any of the three. The bits of
    // entente/base/math.hpp, in both classes.
    void (*curve)(Curve curve, const float* x, std::size_t count, float* y);
    void (*curve_backward)(Curve curve, const float* x, const float* y, const float* dy, std::size_t count, float* dx);

    // sums[i] += factor * value i. REQUIRES: packed_good(); no sum leaves its width.
    void (*fold_narrow)(const Packed& update, std::int32_t factor, std::int32_t* sums);
    void (*fold_wide)(const Packed& update, std::int64_t factor, std::int64_t* sums);
    void (*widen)(const std::int32_t* from, std::size_t count, std::int64_t* sums);  // sums[i] += from[i]
    // Every value has a negative, every exponent is at most 16 - bits, a last half byte is empty.
    bool (*packed_good)(const Packed& update);
    // mean[i] = float(double(sums[i]) / divisor * share)
    void (*mean_of)(const std::int64_t* sums, std::size_t count, double divisor, double share, float* mean);
    // SHA-256's compression of `lanes` messages side by side: `blocks` of 64 bytes from each of messages[lane], and word
    // w of the state of each at state[w * lanes + lane]. constants: FIPS 180-4's 64.
    void (*sha256_lanes)(const std::uint32_t* constants, const unsigned char* const* messages, std::size_t blocks,
                         std::uint32_t* state);
};

}  // namespace entente::kernels
