#include "entente/aggregate/fixed_point.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace entente;
using aggregate::FixedPoint;

TEST_CASE("rounding moves a value by less than one step and is unbiased") {
    const FixedPoint grid{.bits = 16, .scale_log2 = 8};
    const std::vector<float> same(20'000, 0.3f);
    const auto q = aggregate::quantise(same, grid, derive_key(1, 0, {}, Purpose::test)).value();
    double mean = 0;
    for (const float back : aggregate::dequantise(q.values, grid)) {
        CHECK(std::abs(back - 0.3f) < 1.0f / 256);
        mean += back;
    }
    mean /= 20'000;
    // The standard error is step * sqrt(p(1-p)/n) = 1.1e-5; five of them.
    CHECK(std::abs(mean - double{0.3f}) < 6e-5);
    CHECK(q.clipped == 0);
}

TEST_CASE("what lies on the grid stays, what lies beyond is clipped and counted") {
    const FixedPoint grid{.bits = 8, .scale_log2 = 4};
    const std::vector<float> values{0.0f, 1.0f, -1.0f, 0.0625f, 100.0f, -100.0f, 7.9375f, -7.9375f};
    const auto q = aggregate::quantise(values, grid, {}).value();
    CHECK(q.values == std::vector<std::int32_t>{0, 16, -16, 1, 127, -127, 127, -127});
    CHECK(q.clipped == 2);
    CHECK(grid.clip() == 7.9375);
}

TEST_CASE("NaN and infinity never enter") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        const std::vector<float> values{0.0f, bad};
        CHECK(aggregate::quantise(values, {}, {}).error().reason == "update.not-finite");
    }
}

TEST_CASE("packing is little-endian, reversible, and refuses the one pattern without a negative") {
    for (const std::uint8_t bits : {std::uint8_t{8}, std::uint8_t{16}, std::uint8_t{32}}) {
        const FixedPoint grid{.bits = bits, .scale_log2 = 0};
        const std::vector<std::int32_t> values{0, 1, -1, grid.limit(), -grid.limit()};
        const Bytes packed = aggregate::pack(values, grid);
        CHECK(packed.size() == values.size() * bits / 8u);
        std::vector<std::int32_t> back(values.size());
        REQUIRE(aggregate::unpack(packed, grid, back).ok());
        CHECK(back == values);
        Bytes lowest(bits / 8u, std::byte{0});
        lowest.back() = std::byte{0x80};
        std::vector<std::int32_t> one(1);
        CHECK(aggregate::unpack(lowest, grid, one).error().reason == "update.range");
        CHECK(aggregate::unpack(ByteView(packed).first(packed.size() - 1), grid, back).error().reason == "update.size");
    }
    const std::vector<std::int32_t> value{0x0102};
    CHECK(to_hex(aggregate::pack(value, {.bits = 16, .scale_log2 = 0})) == "0201");
}

TEST_CASE("a grid that no wire format has is refused") {
    CHECK(aggregate::check({.bits = 12, .scale_log2 = 0}).error().reason == "plan.encoding");
    CHECK(aggregate::check({.bits = 16, .scale_log2 = 31}).error().reason == "plan.encoding");
    CHECK(aggregate::check({.bits = 32, .scale_log2 = 30}).ok());
}
