// The models that are measured; peers/torch_peer.py and browser/work.js describe the same.
#pragma once

#include <optional>
#include <string_view>

#include "entente/nn/model_spec.hpp"

namespace entente::bench {

inline std::optional<nn::ModelSpec> find_model(std::string_view name) {
    using namespace nn;
    const auto strided = [](LayerSpec layer) {
        layer.stride = 2;
        return layer;
    };
    if (name == "2nn") return two_nn();
    if (name == "cnn") return mcmahan_cnn();
    if (name == "conv1d") {
        return ModelSpec{{64, 8},
                         {conv1d("a", 32, 5), relu(), max_pool1d(2), conv1d("b", 64, 5), relu(), max_pool1d(2), flatten(), dense("c", 64),
                          relu(), dense("out", 6)}};
    }
    if (name == "ae") {
        return ModelSpec{{512}, {dense("a", 128), relu(), dense("b", 32), relu(), dense("c", 128), relu(), dense("out", 512)}};
    }
    if (name == "conv1dae") {
        return ModelSpec{{64, 8},
                         {strided(conv1d("a", 32, 5)), relu(), strided(conv1d("b", 16, 5)), relu(), conv_transpose1d("c", 32, 4, 2),
                          relu(), conv_transpose1d("d", 8, 4, 2), flatten()}};
    }
    return std::nullopt;
}

}  // namespace entente::bench
