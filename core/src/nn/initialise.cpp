#include "entente/nn/initialise.hpp"

#include <cmath>

namespace entente::nn {

Result<std::vector<float>> initialise(const ModelSpec& spec, PhiloxKey key) {
    ENTENTE_ASSIGN(const Layout layout, infer_layout(spec));
    std::vector<float> parameters(static_cast<std::size_t>(layout.parameter_count), 0.0f);
    for (std::size_t t = 0; t < layout.tensors.size(); ++t) {
        const TensorInfo& tensor = layout.tensors[t];
        if (tensor.shape.size() == 1) continue;  // a bias
        const bool is_dense = tensor.shape.size() == 2;
        const std::uint64_t fan_in = is_dense ? tensor.shape[0] : tensor.count() / tensor.shape[0];
        const double deviation = std::sqrt(2.0 / static_cast<double>(fan_in));
        Philox random(key, t);
        const auto offset = static_cast<std::size_t>(tensor.offset);
        const auto count = static_cast<std::size_t>(tensor.count());
        for (std::size_t i = 0; i < count; ++i) {
            parameters[offset + i] = static_cast<float>(random.normal() * deviation);
        }
    }
    return parameters;
}

}  // namespace entente::nn
