#include "entente/aggregate/fixed_point.hpp"

#include <doctest/doctest.h>

#include <algorithm>
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
        CHECK(aggregate::quantise_and_pack(values, {}, {}).error().reason == "update.not-finite");
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

TEST_CASE("in blocks every value keeps its relative precision, unbiased, and comes back from the bytes as it was") {
    for (const std::uint8_t bits : {std::uint8_t{8}, std::uint8_t{4}}) {
        const FixedPoint grid{.bits = bits, .scale_log2 = 14, .block = 16};
        REQUIRE(aggregate::check(grid).ok());
        Philox random(derive_key(2, 0, {}, Purpose::test));
        std::vector<float> values(16 * 20 + 7);
        // Blocks of very different size.
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = (2 * random.uniform() - 1) * std::ldexp(1.0f, -static_cast<int>(i / 16 % 12));
        }
        const auto q = aggregate::quantise(values, grid, derive_key(3, 0, {}, Purpose::test)).value();
        CHECK(q.clipped == 0);
        const auto back = aggregate::dequantise(q.values, grid);
        for (std::size_t block = 0; block < values.size(); block += 16) {
            float largest = 0;
            const std::size_t end = std::min(block + 16, values.size());
            for (std::size_t i = block; i < end; ++i) largest = std::max(largest, std::abs(values[i]));
            const float most = static_cast<float>((1 << (bits - 1)) - 1);
            const float step = std::max(2 * largest / most, std::ldexp(1.0f, -14));
            for (std::size_t i = block; i < end; ++i) CHECK(std::abs(back[i] - values[i]) <= step);
        }
        const Bytes packed = aggregate::pack(q.values, grid);
        CHECK(packed.size() == grid.content_bytes(values.size()));
        CHECK(packed.size() == 20 * (1 + 16 * bits / 8u) + 1 + (7 * bits + 7) / 8u);
        std::vector<std::int32_t> read(values.size());
        REQUIRE(aggregate::unpack(packed, grid, read).ok());
        CHECK(read == q.values);

        double mean = 0;
        const std::vector<float> same(16 * 2'000, 0.3f);
        for (const float v : aggregate::dequantise(aggregate::quantise(same, grid, {5, 6}).value().values, grid)) mean += v;
        // Its step is at most 0.3 * 2 / 7; five standard errors of a mean of 32,000 roundings.
        CHECK(std::abs(mean / 32'000 - double{0.3f}) < 5 * 0.0857 * 0.5 / std::sqrt(32'000.0));

        for (std::size_t i = 0; i < packed.size(); ++i) CHECK_FALSE(aggregate::unpack(ByteView(packed).first(i), grid, read).ok());
        Bytes bad = packed;
        bad[0] = std::byte{static_cast<unsigned char>(grid.most_shift() + 1)};
        CHECK(aggregate::unpack(bad, grid, read).error().reason == "update.range");
        bad = packed;
        bad[1] = bits == 8 ? std::byte{0x80} : std::byte{0x08};
        CHECK(aggregate::unpack(bad, grid, read).error().reason == "update.range");
    }
}

TEST_CASE("in blocks what is beyond the range of 16 bits is clipped and counted, and the layout is as written") {
    const FixedPoint grid{.bits = 8, .scale_log2 = 0, .block = 16};
    CHECK(grid.limit() == 127 << 8);
    std::vector<float> values(16, 0.0f);
    values[0] = 1e9f;
    values[1] = -1e9f;
    values[2] = 256;
    const auto q = aggregate::quantise(values, grid, {}).value();
    CHECK(q.clipped == 2);
    CHECK(q.values[0] == 32512);
    CHECK(q.values[1] == -32512);
    CHECK(to_hex(aggregate::pack(q.values, grid)).substr(0, 8) == "087f8101");
    const FixedPoint half{.bits = 4, .scale_log2 = 0, .block = 16};
    const std::vector<float> small{1, -2, 7};
    CHECK(to_hex(aggregate::pack(aggregate::quantise(small, half, {}).value().values, half)) == "00e107");
    CHECK_FALSE(aggregate::check(FixedPoint{.bits = 4}).ok());
    CHECK_FALSE(aggregate::check(FixedPoint{.bits = 16, .block = 16}).ok());
    CHECK_FALSE(aggregate::check(FixedPoint{.bits = 8, .block = 15}).ok());
}

TEST_CASE("rounding is its definition, one value and one random word at a time") {
    const aggregate::FixedPoint grids[] = {{.bits = 8, .scale_log2 = 7},
                                           {.bits = 16, .scale_log2 = 14},
                                           {.bits = 32, .scale_log2 = 24},
                                           {.bits = 8, .scale_log2 = 14, .block = 256},
                                           {.bits = 4, .scale_log2 = 14, .block = 48},
                                           {.bits = 8, .scale_log2 = 14, .block = 18}};
    Philox random(derive_key(21, 0, {}, Purpose::test));
    std::vector<float> delta(5'003);
    for (float& v : delta) v = static_cast<float>(random.normal()) * std::ldexp(1.0f, -static_cast<int>(random.bounded(20)));
    const float odd[] = {0.0f, -0.0f, 1e-40f, -1e-40f, 3e38f, -3e38f, 0.5f, -0.5f, 1.0f, 127.5f / 128, -127.5f / 128, 0x1p-15f, -0x1p-15f};
    std::copy(std::begin(odd), std::end(odd), delta.begin() + 2'000);
    std::fill(delta.begin() + 3'001, delta.begin() + 3'777, 0.0f);
    for (const aggregate::FixedPoint& grid : grids) {
        const auto q = aggregate::quantise(delta, grid, {31, 32}).value();
        Philox words({31, 32});
        std::uint64_t clipped = 0;
        std::size_t wrong = 0;
        double step = 1;
        for (std::size_t i = 0; i < delta.size(); ++i) {
            const double scale = std::ldexp(1.0, grid.scale_log2);
            if (grid.block > 0 && i % grid.block == 0) {
                double largest = 0;
                for (std::size_t k = i; k < std::min<std::size_t>(i + grid.block, delta.size()); ++k) {
                    largest = std::max(largest, std::abs(static_cast<double>(delta[k])) * scale);
                }
                for (step = 1; step < (1 << grid.most_shift()) && largest > step * (grid.limit() >> grid.most_shift());) step *= 2;
            }
            const double scaled = static_cast<double>(delta[i]) * scale / step;
            const double limit = grid.limit() / step;
            const double chance = static_cast<double>(words.next_u32()) * 0x1p-32;
            // Far beyond the limit it is clipped whatever the chance.
            const double near = std::min(std::max(scaled, -limit - 1), limit + 1);
            const double up = std::floor(near) + (chance < near - std::floor(near) ? 1 : 0);
            const double kept = std::min(std::max(up, -limit), limit);
            clipped += kept != up ? 1u : 0u;
            wrong += static_cast<double>(q.values[i]) == kept * step ? 0u : 1u;
        }
        CHECK(wrong == 0);
        CHECK(q.clipped == clipped);
        CHECK(clipped > 0);
        const auto content = aggregate::quantise_and_pack(delta, grid, {31, 32}).value();
        CHECK(content.bytes == aggregate::pack(q.values, grid));
        CHECK(content.clipped == clipped);
    }
}
