#include "entente/aggregate/fold.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "entente/base/philox.hpp"

using namespace entente;
using aggregate::Fold;
using aggregate::FoldBounds;

namespace {

constexpr std::uint64_t d = 257;
const FoldBounds bounds{{.bits = 16, .scale_log2 = 14}, 1'000, 50};

struct Update {
    std::vector<std::int32_t> values;
    std::uint64_t weight;
};

std::vector<Update> some_updates(std::uint32_t n, std::uint64_t seed) {
    Philox random(derive_key(seed, 0, {}, Purpose::test));
    std::vector<Update> updates(n);
    for (Update& u : updates) {
        u.weight = 1 + random.bounded(1'000);
        for (std::uint64_t i = 0; i < d; ++i) u.values.push_back(static_cast<std::int32_t>(random.bounded(65'535)) - 32'767);
    }
    return updates;
}

Fold fold_of(const std::vector<Update>& updates) {
    Fold fold = Fold::create(d, bounds).value();
    for (const Update& u : updates) {
        REQUIRE(fold.validate(u.values, u.weight).ok());
        fold.accumulate(u.values, u.weight);
    }
    return fold;
}

}  // namespace

TEST_CASE("the sum is the same in any order, with serialising and merging in the middle") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        auto updates = some_updates(17, seed);
        const Bytes straight = fold_of(updates).serialize();

        std::vector<std::uint32_t> order(updates.size());
        std::iota(order.begin(), order.end(), 0u);
        Philox(derive_key(seed, 1, {}, Purpose::test)).shuffle(order);
        std::vector<Update> shuffled;
        for (const std::uint32_t i : order) shuffled.push_back(updates[i]);
        CHECK(fold_of(shuffled).serialize() == straight);

        const std::size_t cut = 1 + seed % 15;
        Fold left = fold_of({shuffled.begin(), shuffled.begin() + static_cast<std::ptrdiff_t>(cut)});
        Fold right = fold_of({shuffled.begin() + static_cast<std::ptrdiff_t>(cut), shuffled.end()});
        Fold left_again = Fold::deserialize(left.serialize(), d, bounds).value();
        Fold right_again = Fold::deserialize(right.serialize(), d, bounds).value();
        REQUIRE(right_again.merge(std::move(left_again)).ok());
        CHECK(right_again.serialize() == straight);
    }
}

TEST_CASE("the weighted mean is what the definition says") {
    Fold fold = Fold::create(2, {{.bits = 16, .scale_log2 = 2}, 10, 3}).value();
    const std::vector<std::int32_t> a{4, -8};   // 1.0, -2.0
    const std::vector<std::int32_t> b{12, 2};   // 3.0, 0.5
    fold.accumulate(a, 1);
    fold.accumulate(b, 3);
    std::vector<float> mean(2);
    REQUIRE(fold.report(mean).ok());
    CHECK(mean[0] == 2.5f);      // (1 + 9) / 4
    CHECK(mean[1] == -0.125f);   // (-2 + 1.5) / 4
}

TEST_CASE("what does not fit is refused and changes nothing") {
    Fold fold = fold_of(some_updates(3, 7));
    const Bytes before = fold.serialize();
    std::vector<std::int32_t> values(d, 1);
    CHECK(fold.validate(std::span(values).first(d - 1), 1).error().reason == "update.shape");
    CHECK(fold.validate(values, 0).error().reason == "update.weight");
    CHECK(fold.validate(values, 1'001).error().reason == "update.weight");
    values[d - 1] = 32'768;
    CHECK(fold.validate(values, 1).error().reason == "update.range");
    values[d - 1] = -32'768;
    CHECK(fold.validate(values, 1).error().reason == "update.range");
    values[d - 1] = 32'767;
    CHECK(fold.validate(values, 1'000).ok());
    CHECK(fold.serialize() == before);
}

TEST_CASE("no more participants than the plan allows") {
    Fold fold = Fold::create(1, {{.bits = 8, .scale_log2 = 0}, 1, 2}).value();
    const std::vector<std::int32_t> one{1};
    fold.accumulate(one, 1);
    fold.accumulate(one, 1);
    CHECK(fold.validate(one, 1).error().reason == "update.too-many");
    Fold other = Fold::create(1, {{.bits = 8, .scale_log2 = 0}, 1, 2}).value();
    other.accumulate(one, 1);
    CHECK(fold.merge(std::move(other)).error().reason == "update.too-many");
}

TEST_CASE("bounds that could overflow 64 bits are refused at creation, and those just below are not") {
    // 2^31 - 1 times 2^22 times 2^10 is just below 2^63; one more bit is beyond.
    CHECK(Fold::create(1, {{.bits = 32, .scale_log2 = 0}, std::uint64_t{1} << 22u, 1u << 10u}).ok());
    CHECK(Fold::create(1, {{.bits = 32, .scale_log2 = 0}, std::uint64_t{1} << 23u, 1u << 10u}).error().reason == "plan.overflow");
    CHECK(Fold::create(1, {{.bits = 32, .scale_log2 = 0}, std::numeric_limits<std::uint64_t>::max(), 2}).error().reason ==
          "plan.overflow");
    // At the bound itself the sum is exact.
    Fold fold = Fold::create(1, {{.bits = 32, .scale_log2 = 0}, std::uint64_t{1} << 22u, 1u << 10u}).value();
    const std::vector<std::int32_t> most{2'147'483'647};
    for (int i = 0; i < 1'024; ++i) {
        REQUIRE(fold.validate(most, std::uint64_t{1} << 22u).ok());
        fold.accumulate(most, std::uint64_t{1} << 22u);
    }
    std::vector<float> mean(1);
    REQUIRE(fold.report(mean).ok());
    CHECK(mean[0] == 2'147'483'648.0f);
}

TEST_CASE("a damaged serialised fold is refused") {
    const Bytes good = fold_of(some_updates(2, 3)).serialize();
    for (std::size_t length = 0; length < good.size(); ++length) {
        CHECK_FALSE(Fold::deserialize(ByteView(good).first(length), d, bounds).ok());
    }
    Bytes other = good;
    other[0] = std::byte{9};
    CHECK(Fold::deserialize(other, d, bounds).error().reason == "fold.malformed");
    CHECK_FALSE(Fold::deserialize(good, d + 1, bounds).ok());
    other = good;
    other[4] = std::byte{51};  // more participants than the bounds
    CHECK_FALSE(Fold::deserialize(other, d, bounds).ok());
    other = good;
    other.back() = std::byte{0x7f};  // a sum that its weight cannot have made
    CHECK_FALSE(Fold::deserialize(other, d, bounds).ok());
}

TEST_CASE("an empty fold has no mean") {
    Fold fold = Fold::create(3, bounds).value();
    std::vector<float> mean(3);
    CHECK(fold.report(mean).error().reason == "fold.empty");
}
