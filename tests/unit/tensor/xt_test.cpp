#include "entente/tensor/xt.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace entente;

TEST_CASE("a view borrows storage, row-major, and writes through") {
    std::vector<float> storage{0, 1, 2, 3, 4, 5};
    auto view = matrix_view(std::span<float>(storage), 2, 3);
    CHECK(view.shape(0) == 2);
    CHECK(view(1, 0) == 3.0f);
    view(1, 2) = 9.0f;
    CHECK(storage[5] == 9.0f);
    const auto deep = tensor_view<3>(std::span<const float>(storage), {1, 3, 2});
    CHECK(deep(0, 2, 1) == 9.0f);
    const Tensor<2> sum = view + view;
    CHECK(sum(0, 1) == 2.0f);
}
