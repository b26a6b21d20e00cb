// What each kind of layer may say, what it makes of a shape, and which parameters it has: the one table behind
// infer_shapes, infer_layout and initialise. A new kind is a row here and an operation in the engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "entente/nn/model_spec.hpp"

namespace entente::nn {

using Shape = std::vector<std::uint32_t>;

// invalid_argument, "model: " and the message.
Error model_fault(const char* reason, const std::string& message);
std::string text_of(const Shape& shape);                        // [28, 28, 1]
std::string label(const LayerSpec& layer, std::size_t number);  // layer 3 (dense "hidden")

// The product, or false beyond max_parameters.
bool bounded_product(const Shape& shape, std::uint64_t& product);

// Every key is in its range, and those that the kind does not have are at their default. "model.layer".
Status check_keys(const LayerSpec& layer, std::size_t number);

// The shape after layer `number`; shapes[i] is the one before layer i. REQUIRES: check_keys passed. "model.shape".
Result<Shape> shape_after(const LayerSpec& layer, std::size_t number, const std::vector<Shape>& shapes);

struct TensorRule {
    const char* suffix;
    Shape shape;
    double deviation = 0.0;  // of the initial values, normal around `constant`; 0: the constant itself
    float constant = 0.0f;
};

// Empty for kinds without parameters.
std::vector<TensorRule> tensors_of(const LayerSpec& layer, const Shape& in);

}  // namespace entente::nn
