// A GRU over a sequence, in PyTorch's form (equations: docs/models.md). x: [batch, length, in]; y: the state after each
// step [batch, length, units], or after the last [batch, units]. Weights [in, 3 units] and [units, 3 units] in panels,
// gates reset, update, new.
//
// Orders: the input's products from the input bias, input ascending; the state's from the hidden bias, unit ascending;
// backwards in time, a state's gradient is what its output got, plus what came back, then gates ascending; dX from +0,
// gates ascending; weights and biases from +0, (example, step).
#pragma once

#include "nn/op.hpp"

namespace entente::nn {

struct GruShape {
    std::size_t in = 0;
    std::size_t units = 0;
    std::size_t length = 0;
    bool sequences = false;
    std::size_t input_weight = 0;  // packed offsets
    std::size_t hidden_weight = 0;
    std::size_t input_bias = 0;
    std::size_t hidden_bias = 0;
};

std::unique_ptr<Op> make_gru(const GruShape& shape, Value& input, Value& output);

}  // namespace entente::nn
