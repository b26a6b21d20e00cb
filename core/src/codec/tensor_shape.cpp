#include "entente/codec/tensor_shape.hpp"

namespace entente::codec {

namespace {

constexpr std::uint64_t most_elements = std::uint64_t{1} << 48u;

Error overflow(const std::string& name) {
    return Error{Code::invalid_argument, "tensor.overflow",
                 "expected at most 2^48 elements up to tensor '" + name + "', found more"};
}

}  // namespace

Result<std::uint64_t> element_count(const TensorShape& tensor) {
    std::uint64_t count = 1;
    for (const std::uint32_t dimension : tensor.shape) {
        if (dimension != 0 && count > most_elements / dimension) return overflow(tensor.name);
        count *= dimension;
    }
    return count;
}

Result<std::uint64_t> element_count(std::span<const TensorShape> tensors) {
    std::uint64_t total = 0;
    for (const TensorShape& tensor : tensors) {
        ENTENTE_ASSIGN(const std::uint64_t count, element_count(tensor));
        total += count;
        if (total > most_elements) return overflow(tensor.name);
    }
    return total;
}

}  // namespace entente::codec
