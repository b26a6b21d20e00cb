#include "entente/nn/initialise.hpp"

#include "nn/layer_rules.hpp"

namespace entente::nn {

Result<std::vector<float>> initialise(const ModelSpec& spec, PhiloxKey key) {
    ENTENTE_ASSIGN(const Layout layout, infer_layout(spec));
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    std::vector<float> parameters(static_cast<std::size_t>(layout.parameter_count), 0.0f);
    std::size_t t = 0;
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        for (const TensorRule& rule : tensors_of(spec.layers[i], shapes[i])) {
            const auto offset = static_cast<std::size_t>(layout.tensors[t].offset);
            const auto count = static_cast<std::size_t>(layout.tensors[t].count());
            Philox random(key, t++);
            for (std::size_t k = 0; k < count; ++k) {
                parameters[offset + k] =
                    rule.deviation == 0.0 ? rule.constant : static_cast<float>(random.normal() * rule.deviation);
            }
        }
    }
    return parameters;
}

}  // namespace entente::nn
