// One table of function pointers per instruction set: the hot loops of training over raw float32 buffers.
// This header uses nothing but <cstddef> and <cstdint>, so that a file compiled for AVX-512 can include it
// without leaking inline functions of other headers into the program.
//
// Contract of every variant (numerics class `portable`): the same bits as the scalar variant. One
// multiply-accumulate is round(c + round(a * b)); k runs in the documented order and continues from the
// accumulator; vectors run across outputs, never across k; reductions to one number have a fixed shape.
//
// Sizes are checked by the callers (nn::Model, nn::LocalTraining), not here. No allocation, no state: every
// function may be called from several threads on disjoint outputs. Pointers need only float alignment.
#pragma once

#include <cstddef>
#include <cstdint>

namespace entente::kernels {

// C[i, j] = start(i, j) + sum over s ascending, then k ascending, of A(i, s, k) * B(s, k, j)
//   A(i, s, k) = a[i * a_row + s * a_segment + k * a_step]
//   B(s, k, j) = b[s * b_segment + k * b_row + j]          (columns are contiguous)
//   C(i, j)    = c[i * c_row + j]
//   start      = C itself if `accumulate`, else bias[j] if bias is given, else +0
// Strides are in floats. One segment is a plain matrix product; a_row = 1 and a_step = rows gives A
// transposed. Segments make a convolution without copying: see convolve_padded in nn/model.cpp.
struct Gemm {
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::size_t depth = 0;  // k per segment
    std::size_t segments = 1;
    const float* a = nullptr;
    std::size_t a_row = 0;
    std::size_t a_step = 1;
    std::size_t a_segment = 0;
    const float* b = nullptr;
    std::size_t b_row = 0;
    std::size_t b_segment = 0;
    float* c = nullptr;
    std::size_t c_row = 0;
    const float* bias = nullptr;
    bool accumulate = false;
};

// Max pooling of one NHWC example, square windows side by side, an incomplete window at the edge is dropped.
struct Pool {
    std::size_t height = 0;  // of the input
    std::size_t width = 0;
    std::size_t channels = 0;
    std::size_t pool = 2;
};

struct Table {
    const char* name;  // "scalar", "v128", "avx2", "avx512"
    unsigned lanes;    // floats per vector

    void (*gemm)(const Gemm& problem);

    // out[c, r] = in[r, c]
    void (*transpose)(const float* in, std::size_t rows, std::size_t columns, float* out);

    // x = x > 0 ? x : +0 (NaN and -0 become +0)
    void (*relu)(float* x, std::size_t count);
    // dy = y > 0 ? dy : +0, y being the output of relu
    void (*relu_backward)(const float* y, float* dy, std::size_t count);

    // out[j] = sum over i ascending of x[i, j], from +0
    void (*column_sums)(const float* x, std::size_t rows, std::size_t columns, float* out);

    // `index` gets the position in its window (row-major) of the first maximum. pool <= 15.
    void (*max_pool)(const Pool& shape, const float* in, float* out, std::uint8_t* index);
    // din is overwritten: zero but at the maxima.
    void (*max_pool_backward)(const Pool& shape, const float* dout, const std::uint8_t* index, float* din);

    // y = y + factor * x
    void (*axpy)(float factor, const float* x, float* y, std::size_t count);
    void (*scale)(float factor, float* x, std::size_t count);
    // Sum of double(x) * double(y) in eight interleaved double accumulators (element i goes to i mod 8),
    // combined as ((0+4)+(2+6)) + ((1+5)+(3+7)).
    double (*dot)(const float* x, const float* y, std::size_t count);
    // True if no element is infinite or NaN.
    bool (*all_finite)(const float* x, std::size_t count);

    // g = g + decay * w, then g = g + mu * (w - origin) when origin is given
    void (*regularise)(float decay, float mu, const float* w, const float* origin, float* g,
                       std::size_t count);
    // w = w + (-rate) * g
    void (*sgd)(float rate, const float* g, float* w, std::size_t count);
    // v = momentum * v + g;  w = w + (-rate) * v
    void (*sgd_momentum)(float rate, float momentum, const float* g, float* v, float* w, std::size_t count);
};

}  // namespace entente::kernels
