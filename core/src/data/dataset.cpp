#include "entente/data/dataset.hpp"

#include <string>

#include "entente/tensor/kernels.hpp"

namespace entente::data {

std::size_t Dataset::example_size() const noexcept {
    std::size_t size = 1;
    for (const std::uint32_t extent : example_shape) size *= extent;
    return size;
}

std::span<const float> Dataset::example(std::size_t row) const noexcept {
    const std::size_t size = example_size();
    return std::span<const float>(features).subspan(row * size, size);
}

Status validate(const Dataset& dataset) {
    std::uint64_t size = 1;
    for (const std::uint32_t extent : dataset.example_shape) {
        size *= extent;
        // Bounded at each factor, so that the product cannot wrap.
        if (extent == 0 || size > (std::uint64_t{1} << 28)) size = 0;
        if (size == 0) break;
    }
    if (dataset.example_shape.empty() || size == 0 ||
        dataset.features.size() / size != dataset.size() || dataset.features.size() % size != 0) {
        return Error{Code::invalid_argument, "data.shape",
                     "Dataset: expected examples times the product of example_shape as the number of features, "
                     "found " +
                         std::to_string(dataset.size()) + " examples and " +
                         std::to_string(dataset.features.size()) + " features"};
    }
    if (dataset.targets.size() != dataset.size() * dataset.outputs ||
        (dataset.labels.empty() && dataset.classes != 0 && dataset.outputs != 0) ||
        (!dataset.labels.empty() && dataset.labels.size() != dataset.size())) {
        return Error{Code::invalid_argument, "data.targets",
                     "Dataset: expected " + std::to_string(dataset.outputs) +
                         " targets for each example, and a label for each or no classes, found " +
                         std::to_string(dataset.targets.size()) + " targets and " +
                         std::to_string(dataset.labels.size()) + " labels"};
    }
    for (const std::uint32_t label : dataset.labels) {
        if (label >= dataset.classes) {
            return Error{Code::invalid_argument, "data.labels",
                         "Dataset: expected labels below " + std::to_string(dataset.classes) + ", found " +
                             std::to_string(label)};
        }
    }
    if (!kernels::active().all_finite(dataset.features.data(), dataset.features.size()) ||
        !kernels::active().all_finite(dataset.targets.data(), dataset.targets.size())) {
        return Error{Code::invalid_argument, "data.non-finite",
                     "Dataset: expected finite features and targets, found an infinity or NaN"};
    }
    return done();
}

Dataset gather(const Dataset& dataset, std::span<const std::uint32_t> rows) {
    Dataset part;
    part.example_shape = dataset.example_shape;
    part.classes = dataset.classes;
    part.outputs = dataset.outputs;
    part.features.reserve(rows.size() * dataset.example_size());
    for (const std::uint32_t row : rows) {
        const auto example = dataset.example(row);
        part.features.insert(part.features.end(), example.begin(), example.end());
        if (!dataset.labels.empty()) part.labels.push_back(dataset.labels[row]);
        const auto target = std::span(dataset.targets).subspan(std::size_t{row} * dataset.outputs, dataset.outputs);
        part.targets.insert(part.targets.end(), target.begin(), target.end());
    }
    return part;
}

}  // namespace entente::data
