#include "entente/aggregate/sparse.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "entente/aggregate/fold.hpp"

using namespace entente;
using aggregate::FixedPoint;
using aggregate::Sparse;
using aggregate::SparseForm;

namespace {

PhiloxKey test_key(std::uint64_t seed) { return derive_key(seed, 0, {}, Purpose::test); }

// Multiples of 2^-18, so that every sum below is exact in a float.
std::vector<float> some_numbers(std::size_t count, std::uint64_t seed) {
    Philox random(test_key(seed));
    std::vector<float> values(count);
    for (float& v : values) v = static_cast<float>(static_cast<std::int32_t>(random.bounded(65'535)) - 32'767) * 0x1p-18f;
    return values;
}

Sparse some_sparse(const SparseForm& form, std::uint64_t seed) {
    std::vector<float> values = some_numbers(static_cast<std::size_t>(form.parameters), seed);
    return aggregate::sparsify(values, form, test_key(seed)).value().numbers;
}

}  // namespace

TEST_CASE("the largest magnitudes are those that sorting gives, the lower position first among equals") {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        Philox random(test_key(seed));
        const std::size_t d = 1 + random.bounded(400);
        std::vector<float> values(d);
        // Few different magnitudes, some of them tiny, so that there are ties on both sides of the threshold.
        for (float& v : values) v = static_cast<float>(static_cast<int>(random.bounded(9)) - 4) * (seed % 2 == 0 ? 0.25f : 1e-41f);
        const std::size_t k = 1 + random.bounded(static_cast<std::uint32_t>(d));
        std::vector<std::uint32_t> order(d);
        std::iota(order.begin(), order.end(), 0u);
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return std::abs(values[a]) > std::abs(values[b]); });
        std::vector<std::uint32_t> expected(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k));
        std::sort(expected.begin(), expected.end());
        CHECK(aggregate::largest(values, k) == expected);
    }
    CHECK(aggregate::largest(std::vector<float>{0.0f, -0.0f, 0.0f}, 2) == std::vector<std::uint32_t>{0, 1});
    CHECK(aggregate::largest(std::vector<float>{1, -3.4e38f, 2, 3.4e38f}, 2) == std::vector<std::uint32_t>{1, 3});
}

TEST_CASE("how many are sent follows from the plan's decimal, not from its float") {
    CHECK(aggregate::kept_count(1'663'370, 0.01f) == 16'634);
    CHECK(aggregate::kept_count(1'000, 0.1f) == 100);
    CHECK(aggregate::kept_count(100'000, 0.001f) == 100);
    CHECK(aggregate::kept_count(100'001, 0.001f) == 101);
    CHECK(aggregate::kept_count(7, 0.01f) == 1);
    CHECK(aggregate::kept_count(8, 0.5f) == 4);
}

// d 36, k 5: two low bits a position. Low bits 01 00 01 11 00 from the lowest bit up; high parts 1 2 2 3 8 in unary.
TEST_CASE("positions in Elias's code, worked by hand") {
    const SparseForm form{{}, 36, 5};
    CHECK(form.low_bits() == 2);
    const Sparse numbers{{5, 8, 9, 15, 32}, {1, -1, 0, 256, -32767}};
    CHECK(to_hex(aggregate::pack(numbers, form)) == "d1005a100100ffff000000010180");
    // One per cent of the CNN: 8.6 bits a position.
    const SparseForm cnn{{}, 1'663'370, 16'634};
    CHECK(cnn.low_bytes() + cnn.high_bytes() == 12'476 + 5'328);
    CHECK(cnn.content_bytes() == 12'476 + 5'328 + 2 * 16'634);
}

TEST_CASE("packing and unpacking give the numbers back, whatever the grid and the share") {
    std::uint64_t seed = 0;
    for (const FixedPoint grid : {FixedPoint{32, 20}, FixedPoint{16, 14}, FixedPoint{8, 6}, FixedPoint{8, 14, 16}, FixedPoint{4, 14, 32}}) {
        for (const std::uint64_t d : {1u, 2u, 7u, 64u, 1'000u}) {
            for (std::uint64_t k = 1; k <= d; k += 1 + k / 2) {
                const SparseForm form{grid, d, k};
                const Sparse numbers = some_sparse(form, ++seed);
                const Bytes content = aggregate::pack(numbers, form);
                REQUIRE(content.size() == form.content_bytes());
                Sparse back;
                REQUIRE(aggregate::unpack(content, form, back).ok());
                CHECK(back == numbers);
            }
        }
    }
}

TEST_CASE("hostile content: every prefix is refused, and what a flipped bit leaves acceptable is another update") {
    for (const FixedPoint grid : {FixedPoint{16, 14}, FixedPoint{8, 14, 16}, FixedPoint{4, 14, 16}}) {
        const SparseForm form{grid, 1'000, 21};
        const Sparse numbers = some_sparse(form, 5);
        const Bytes content = aggregate::pack(numbers, form);
        Sparse back;
        for (std::size_t n = 0; n < content.size(); ++n) {
            CHECK(aggregate::unpack(ByteView(content).first(n), form, back).error().reason == "update.size");
        }
        std::size_t refused = 0;
        for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
            Bytes flipped = content;
            flipped[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            if (aggregate::unpack(flipped, form, back).ok()) {
                CHECK(back != numbers);
                CHECK(aggregate::pack(back, form) == flipped);
            } else {
                ++refused;
            }
        }
        CHECK(refused >= 8 * form.high_bytes());  // one position more or less
        Bytes full = content;
        std::fill(full.begin(), full.end(), std::byte{0xff});
        CHECK_FALSE(aggregate::unpack(full, form, back).ok());
        std::fill(full.begin(), full.end(), std::byte{0});
        CHECK(aggregate::unpack(full, form, back).error().reason == "update.positions");
    }
    // A block whose exponent could be smaller.
    const SparseForm form{{8, 0, 16}, 16, 1};
    const Bytes canonical = aggregate::pack({{3}, {2}}, form);
    Bytes other = canonical;
    other[other.size() - 2] = std::byte{1};
    other[other.size() - 1] = std::byte{1};
    Sparse back;
    CHECK(aggregate::unpack(canonical, form, back).ok());
    CHECK(aggregate::unpack(other, form, back).error().reason == "update.not-canonical");
}

// Stich et al. 2018, equation 6: what was applied and what is remembered are together what was learned.
TEST_CASE("over many rounds what was sent and what is left add up to the differences, exactly") {
    for (const FixedPoint grid : {FixedPoint{16, 14}, FixedPoint{8, 14, 16}, FixedPoint{4, 14, 16}, FixedPoint{8, 6}}) {
        const SparseForm form{grid, 500, 10};
        std::vector<float> residual(500, 0.0f);
        std::vector<double> learned(500, 0.0);
        std::vector<double> sent(500, 0.0);
        for (std::uint64_t round = 1; round <= 30; ++round) {
            const std::vector<float> delta = some_numbers(500, round);
            for (std::size_t i = 0; i < 500; ++i) {
                learned[i] += static_cast<double>(delta[i]);
                residual[i] += delta[i];
            }
            const auto update = aggregate::sparsify(residual, form, test_key(round)).value();
            REQUIRE(update.numbers.positions.size() == 10);
            for (std::size_t i = 0; i < 10; ++i) {
                sent[update.numbers.positions[i]] += std::ldexp(static_cast<double>(update.numbers.values[i]), -int{grid.scale_log2});
            }
        }
        for (std::size_t i = 0; i < 500; ++i) CHECK(sent[i] + static_cast<double>(residual[i]) == learned[i]);
        CHECK(std::any_of(residual.begin(), residual.end(), [](float v) { return v != 0; }));
    }
    std::vector<float> bad(500, 1.0f);
    bad[77] = std::numeric_limits<float>::quiet_NaN();
    CHECK(aggregate::sparsify(bad, {{}, 500, 10}, {}).error().reason == "update.not-finite");
    CHECK(bad[3] == 1.0f);
}

TEST_CASE("a sparse update is folded as the dense one whose other numbers are zeros") {
    const aggregate::FoldBounds bounds{{.bits = 16, .scale_log2 = 14}, 1'000, 3, 4};
    const SparseForm form{bounds.grid, 300, 12};
    auto dense = aggregate::Fold::create(300, bounds).value();
    auto sparse = aggregate::Fold::create(300, bounds).value();
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const Sparse numbers = some_sparse(form, seed);
        std::vector<std::int32_t> values(300, 0);
        for (std::size_t i = 0; i < 12; ++i) values[numbers.positions[i]] = numbers.values[i];
        const auto factor = static_cast<std::uint32_t>(seed);
        REQUIRE(sparse.validate(numbers, 10 * seed, factor).ok());
        sparse.accumulate(numbers, 10 * seed, factor);
        const auto packed = aggregate::PackedUpdate::of(aggregate::pack(values, bounds.grid), bounds.grid, 300).value();
        const aggregate::Contribution whole{&packed, 10 * seed, factor};
        dense.accumulate({&whole, 1});
    }
    CHECK(sparse.serialize() == dense.serialize());
    const auto reason = [&sparse](const Sparse& numbers, std::uint64_t weight) { return sparse.validate(numbers, weight).error().reason; };
    CHECK(reason({{1}, {1}}, 1) == "update.too-many");
    sparse.reset();
    CHECK(reason({{1, 1}, {1, 1}}, 1) == "update.positions");
    CHECK(reason({{2, 1}, {1, 1}}, 1) == "update.positions");
    CHECK(reason({{1, 300}, {1, 1}}, 1) == "update.positions");
    CHECK(reason({{1, 2}, {1}}, 1) == "update.shape");
    CHECK(reason({{1, 2}, {1, 32'768}}, 1) == "update.range");
    CHECK(reason({{1, 2}, {1, 2}}, 0) == "update.weight");
}
