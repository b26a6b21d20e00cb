// A tensor's name and dimensions, as headers and files carry them.
//
//   codec::TensorShape weight{"dense0.weight", {784, 200}};
//   Result<std::uint64_t> n = codec::element_count(weight);   // 156800
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::codec {

struct TensorShape {
    std::string name;
    std::vector<std::uint32_t> shape;  // row-major; no dimension at all is one scalar

    friend bool operator==(const TensorShape&, const TensorShape&) = default;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(name, shape);
    }
};

// The product of the dimensions, and the sum of them: invalid_argument "tensor.overflow" beyond 2^48.
Result<std::uint64_t> element_count(const TensorShape& tensor);
Result<std::uint64_t> element_count(std::span<const TensorShape> tensors);

}  // namespace entente::codec
