// A convolution, with the max pool and the ReLU behind it if there are any. x: [batch, height, width, in] with the
// border that the padding needs, y: [batch, height', width', out].
//
// How it is computed follows from its shape alone, since it decides bits:
//   winograd  kernel 5 x 5, stride 1, even output, whole units of channels, pool 2 x 2 and ReLU behind it
//   spots     max pool and ReLU behind it, whole units of kernel_width * in: gradients skip what the pool left out
//   direct    everything else
#pragma once

#include "nn/op.hpp"

namespace entente::nn {

struct ConvShape {
    std::size_t in = 0;   // channels
    std::size_t out = 0;
    std::size_t kernel_height = 1;
    std::size_t kernel_width = 1;
    std::size_t pad_top = 0;  // zeros before; behind, the border of the input value has what is needed
    std::size_t pad_left = 0;
    std::size_t stride_height = 1;
    std::size_t stride_width = 1;
    std::size_t height = 0;  // of the output before the pool
    std::size_t width = 0;
    std::size_t pool_height = 1;
    std::size_t pool_width = 1;
    bool relu = false;
    std::size_t weight = 0;  // packed offsets
    std::size_t bias = 0;

    [[nodiscard]] bool pooled() const { return pool_height * pool_width > 1; }
    [[nodiscard]] std::size_t taps() const { return kernel_height * kernel_width * in; }
    [[nodiscard]] bool winograd() const {
        return kernel_height == 5 && kernel_width == 5 && stride_height == 1 && stride_width == 1 && height % 2 == 0 &&
               width % 2 == 0 && in % 16 == 0 && out % 16 == 0 && pool_height == 2 && pool_width == 2 && relu;
    }
    [[nodiscard]] bool spots() const { return pooled() && relu && kernel_width * in % 16 == 0; }
    // Winograd and spots read [out, taps], the direct way panels of [taps, out].
    [[nodiscard]] bool by_rows() const { return winograd() || spots(); }
};

std::unique_ptr<Op> make_conv(const ConvShape& shape, Value& input, Value& output);

}  // namespace entente::nn
