// Initial parameters.
//
//   auto parameters = nn::initialise(spec, derive_key(seed, 0, "", Purpose::initialise));
//
// dense and conv weights ~ N(0, 2 / fan_in) (He et al. 2015, arXiv 1502.01852, equation 10), fan_in the inputs of one
// output; embedding ~ N(0, 1); gru weights ~ N(0, 1 / (3 units)); the weights of norms are 1; biases are 0. Tensor
// number t draws from stream t of the key, so the values of one tensor do not depend on the others. Errors are those
// of infer_layout.
#pragma once

#include <vector>

#include "entente/base/philox.hpp"
#include "entente/nn/model_spec.hpp"

namespace entente::nn {

Result<std::vector<float>> initialise(const ModelSpec& spec, PhiloxKey key);

}  // namespace entente::nn
