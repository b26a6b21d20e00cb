// Layer and group normalisation: Ba et al. 2016 (arXiv 1607.06450, equations 3 and 4), Wu and He 2018 (arXiv
// 1803.08494, equations 1 to 4), epsilon 1e-5. y = ((x - mean) * inverse) * weight + bias over the sets of an example:
// the channels of a pixel, or all pixels of a group of channels. Sums over a set run in double, pixels outside.
// Parameters' gradients: from +0, (example, pixel).
#pragma once

#include "nn/op.hpp"

namespace entente::nn {

struct NormShape {
    std::size_t groups = 0;  // 0: every pixel by itself
    std::size_t weight = 0;  // packed offsets
    std::size_t bias = 0;
};

std::unique_ptr<Op> make_norm(const NormShape& shape, Value& input, Value& output);

}  // namespace entente::nn
