// Examples in memory, each with a label, with values to predict, or with both.
//
//   std::span<const float> picture = dataset.example(7);
//
// Plain value; share it read-only between threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::data {

struct Dataset {
    std::vector<std::uint32_t> example_shape;  // [28, 28, 1] for MNIST
    std::uint32_t classes = 0;                 // labels are below it; 0 when there are none
    std::vector<float> features;               // [n, product of example_shape], row-major
    std::vector<std::uint32_t> labels;         // [n], or empty
    std::uint32_t outputs = 0;                 // values to predict for each example; 0 when there are none
    std::vector<float> targets;                // [n, outputs]

    [[nodiscard]] std::size_t size() const noexcept { return outputs == 0 ? labels.size() : targets.size() / outputs; }
    [[nodiscard]] std::size_t example_size() const noexcept;  // product of example_shape
    // REQUIRES: row < size() and the data set is valid.
    [[nodiscard]] std::span<const float> example(std::size_t row) const noexcept;
};

// Sizes agree, labels are in range, features and targets are finite. invalid_argument "data.shape", "data.labels",
// "data.targets", "data.non-finite". An empty data set is valid.
Status validate(const Dataset& dataset);

// The rows given, in their order, as a data set of their own: trainings on it and on the rows of the whole are equal.
// REQUIRES: every row < size() and the data set is valid.
Dataset gather(const Dataset& dataset, std::span<const std::uint32_t> rows);

}  // namespace entente::data
