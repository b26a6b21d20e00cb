// y[t] = row x[t] of the table, x: [batch, length] of whole numbers below `vocabulary`, which somebody has checked;
// table [vocabulary, units] by rows. Gradient: from +0, (example, position).
#pragma once

#include "nn/op.hpp"

namespace entente::nn {

struct EmbeddingShape {
    std::size_t vocabulary = 0;
    std::size_t units = 0;
    std::size_t weight = 0;  // packed offset
};

std::unique_ptr<Op> make_embedding(const EmbeddingShape& shape, Value& input, Value& output);

}  // namespace entente::nn
