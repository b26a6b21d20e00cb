// Operations without parameters that stand alone.
#pragma once

#include "nn/op.hpp"

namespace entente::nn {

// y = x > 0 ? x : +0. Same shape.
std::unique_ptr<Op> make_relu(Value& input, Value& output);

// Windows side by side, an incomplete one at the edge is dropped; ties go to the first maximum, row-major.
std::unique_ptr<Op> make_max_pool(std::size_t pool_height, std::size_t pool_width, bool relu, Value& input, Value& output);

}  // namespace entente::nn
