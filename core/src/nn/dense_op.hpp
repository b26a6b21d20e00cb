// y = x W + b, with the ReLU behind it if there is one. x: [batch, in], W: [in, out] in panels, y: [batch, out].
#pragma once

#include "nn/op.hpp"

namespace entente::nn {

struct DenseShape {
    std::size_t in = 0;
    std::size_t out = 0;
    std::size_t weight = 0;  // packed offsets
    std::size_t bias = 0;
    bool relu = false;
};

// Orders (k): forward from the bias, input ascending; dX from +0, output ascending; dW from +0, example ascending.
std::unique_ptr<Op> make_dense(const DenseShape& shape, Value& input, Value& output);

}  // namespace entente::nn
