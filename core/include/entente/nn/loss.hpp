// What is made small: from outputs and targets to a number and its gradient.
//
//   nn::LossSpec spec{.kind = nn::LossKind::huber, .delta = 0.5f};
//   double loss = nn::loss(spec, outputs, {.values = target}, 1.0f / batch, gradient);
//
// Of one example with outputs z and targets y, n outputs (docs/models.md has the equations):
//   cross_entropy         w[label] * (log sum_j e^(z_j - max) - (z_label - max)): softmax, from logits
//   binary_cross_entropy  mean of w[1] y log(1 + e^-z) + w[0] (1 - y) log(1 + e^z): from logits, y in [0, 1]
//   mean_squared          mean of (z - y)^2
//   huber                 mean of (z - y)^2 / 2 where |z - y| <= delta, else delta (|z - y| - delta / 2)
//   quantile              mean of max(q (y - z), (q - 1) (y - z))
// A label stands for targets, too: of one output the number itself, otherwise 1 at the label and 0 elsewhere. Terms are
// float32, their sum over outputs is double, ascending. Thread-safety: plain values, pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "entente/base/result.hpp"
#include "entente/data/dataset.hpp"

namespace entente::nn {

// The values are part of a plan's bytes: append, never renumber.
enum class LossKind : std::uint32_t {
    cross_entropy = 1,
    binary_cross_entropy = 2,
    mean_squared = 3,
    huber = 4,
    quantile = 5,
};

std::string_view to_string(LossKind kind) noexcept;
// Every kind, in the order of its number from 1.
std::span<const std::string_view> loss_kind_names() noexcept;

struct LossSpec {
    LossKind kind = LossKind::cross_entropy;
    // cross_entropy: one for each class; binary_cross_entropy: of 0 and of 1. Empty: all 1.
    std::vector<float> class_weights;
    float delta = 1.0f;     // huber
    float quantile = 0.5f;  // quantile: which

    friend bool operator==(const LossSpec&, const LossSpec&) = default;
};

// What one example should give: values [outputs], or, where there are none, a label.
struct Target {
    std::uint32_t label = 0;
    const float* values = nullptr;
};

// invalid_argument "loss.kind" unknown · "loss.key" a key out of range, or not one of the kind's · "loss.outputs" a
// model with so many outputs cannot have this loss, or these weights.
Status check(const LossSpec& spec, std::uint32_t outputs);

// The data set has what the loss wants of a model with so many outputs. REQUIRES: both are valid by themselves.
// invalid_argument "loss.labels", "loss.targets".
Status check(const LossSpec& spec, std::uint32_t outputs, const data::Dataset& dataset);

// Row `row` as a target of a model.
Target target_of(const data::Dataset& dataset, std::size_t row);

// The loss of one example; `gradient` [outputs], if given, becomes that of loss * factor, and may be `outputs` itself.
// REQUIRES: what both checks ask for.
double loss(const LossSpec& spec, std::span<const float> outputs, const Target& target, float factor, float* gradient);

}  // namespace entente::nn
