#include "entente/aggregate/fold.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "entente/base/philox.hpp"
#include "entente/tensor/kernels.hpp"

using namespace entente;
using aggregate::Contribution;
using aggregate::FixedPoint;
using aggregate::Fold;
using aggregate::FoldBounds;
using aggregate::PackedUpdate;

namespace {

constexpr std::uint64_t d = 257;
const FoldBounds bounds{{.bits = 16, .scale_log2 = 14}, 1'000, 50};

struct Update {
    std::vector<std::int32_t> values;
    std::uint64_t weight;
    std::uint32_t factor = 0;
};

PackedUpdate packed(const std::vector<std::int32_t>& values, const FixedPoint& grid = bounds.grid) {
    return PackedUpdate::of(aggregate::pack(values, grid), grid, values.size()).value();
}

void add(Fold& fold, const std::vector<std::int32_t>& values, std::uint64_t weight, const FixedPoint& grid = bounds.grid) {
    const PackedUpdate update = packed(values, grid);
    const Contribution one{&update, weight};
    REQUIRE(fold.validate(one).ok());
    fold.accumulate({&one, 1});
}

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
    for (const Update& u : updates) add(fold, u.values, u.weight);
    return fold;
}

// The sum as it is defined, one integer after the other, in the layout of Fold::serialize().
Bytes sum_by_definition(const std::vector<Update>& updates, const FoldBounds& of) {
    std::vector<std::int64_t> sums(updates[0].values.size(), 0);
    std::uint64_t weight = 0;
    std::uint32_t least = 0xffff'ffff;
    std::uint32_t most = 0;
    for (const Update& u : updates) {
        const std::uint32_t factor = u.factor == 0 ? 1u << of.factor_log2 : u.factor;
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i] += static_cast<std::int64_t>(u.weight) * std::int64_t{factor} * std::int64_t{u.values[i]};
        }
        weight += u.weight;
        least = std::min(least, factor);
        most = std::max(most, factor);
    }
    Bytes out;
    append_le(out, std::uint32_t{2});
    append_le(out, static_cast<std::uint32_t>(updates.size()));
    append_le(out, weight);
    append_le(out, static_cast<std::uint64_t>(sums.size()));
    append_le(out, least);
    append_le(out, most);
    for (const std::int64_t sum : sums) append_le(out, sum);
    return out;
}

// Runs the last unit first.
class Backwards final : public Executor {
public:
    [[nodiscard]] unsigned width() const noexcept override { return 1; }
    void run(std::size_t units, Work work) override {
        for (std::size_t unit = units; unit-- > 0;) work(unit, 0);
    }
};

// What a grid can hold: random values, many of them at the limits, and in blocks runs of small ones, so that all
// exponents occur.
std::vector<std::int32_t> values_on(const FixedPoint& grid, std::size_t count, Philox& random) {
    std::vector<std::int32_t> values;
    unsigned shift = 0;
    const std::int32_t limit = grid.limit() >> grid.most_shift();
    while (values.size() < count) {
        if (values.size() % grid.record_values() == 0) shift = random.bounded(grid.most_shift() + 1);
        const std::uint32_t kind = random.bounded(4);
        const auto any = static_cast<std::int32_t>(std::int64_t{random.next_u32() % (2 * static_cast<std::uint32_t>(limit) + 1)} - limit);
        const std::int32_t value = kind == 0 ? limit : (kind == 1 ? -limit : any);
        values.push_back(value * (std::int32_t{1} << shift));
    }
    return values;
}

}  // namespace

TEST_CASE("packed updates, any number at once, give the bytes that integers one by one give") {
    const FixedPoint grids[] = {{.bits = 8, .scale_log2 = 7},
                                {.bits = 16, .scale_log2 = 14},
                                {.bits = 32, .scale_log2 = 24},
                                {.bits = 8, .scale_log2 = 14, .block = 256},
                                {.bits = 8, .scale_log2 = 14, .block = 4096},
                                {.bits = 4, .scale_log2 = 14, .block = 16},
                                {.bits = 4, .scale_log2 = 14, .block = 250}};
    Philox random(derive_key(11, 0, {}, Purpose::test));
    Backwards backwards;
    for (const kernels::Table* table : kernels::available()) {
        REQUIRE(kernels::select(table->name).ok());
        for (const FixedPoint& grid : grids) {
            // Weights that fit 32 bits by the dozen, only now and then, and not at all.
            for (const std::uint64_t max_weight : {std::uint64_t{600}, std::uint64_t{40'000}, std::uint64_t{1} << 25u}) {
                for (const std::uint8_t factor_log2 : {std::uint8_t{0}, std::uint8_t{12}}) {
                    const FoldBounds of{grid, grid.bits == 32 ? std::min<std::uint64_t>(max_weight, 1u << 14u) : max_weight, 20,
                                        grid.bits == 32 ? std::uint8_t{0} : factor_log2};
                    REQUIRE(aggregate::check(of).ok());
                    const std::size_t count = 8'192 + 2 + random.bounded(9'000);
                    std::vector<Update> updates(5);
                    for (Update& u : updates) {
                        u.values = values_on(grid, count, random);
                        u.weight = random.bounded(3) == 0 ? of.max_weight : 1 + random.bounded(static_cast<std::uint32_t>(of.max_weight));
                        u.factor = random.bounded(3) == 0 ? 0 : 1 + random.bounded(1u << of.factor_log2);
                    }
                    std::vector<PackedUpdate> all;
                    for (const Update& u : updates) all.push_back(packed(u.values, grid));
                    std::vector<Contribution> contributions;
                    for (std::size_t i = 0; i < all.size(); ++i) contributions.push_back({&all[i], updates[i].weight, updates[i].factor});
                    const Bytes expected = sum_by_definition(updates, of);

                    Fold together = Fold::create(count, of).value();
                    together.accumulate(contributions);
                    CHECK(together.serialize() == expected);

                    Fold apart = Fold::create(count, of).value();
                    for (std::size_t i = all.size(); i-- > 2;) apart.accumulate({&contributions[i], 1}, backwards);
                    Fold others = Fold::create(count, of).value();
                    others.accumulate(std::span(contributions).first(2), backwards);
                    REQUIRE(apart.merge(std::move(others)).ok());
                    CHECK(apart.serialize() == expected);

                    // The mean is the definition's, too: one conversion, one quotient, one product.
                    std::vector<float> mean(count);
                    REQUIRE(together.report(mean, 3.0, backwards).ok());
                    const double divisor = static_cast<double>(together.weight()) * static_cast<double>(1u << grid.scale_log2);
                    const std::int64_t shared = together.common_factor().value_or(1);
                    const double share = static_cast<double>(shared) / static_cast<double>(together.whole()) / 3.0;
                    std::size_t wrong = 0;
                    for (std::size_t i = 0; i < count; ++i) {
                        const auto sum = read_le<std::int64_t>(ByteView(expected).subspan(32 + 8 * i)) / shared;
                        wrong += mean[i] == static_cast<float>(static_cast<double>(sum) / divisor * share) ? 0u : 1u;
                    }
                    CHECK(wrong == 0);
                }
            }
        }
    }
    REQUIRE(kernels::select(kernels::available().back()->name).ok());
}

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

TEST_CASE("after a reset nothing of what was before is left, whatever comes next") {
    const std::vector<Update> updates = some_updates(3, 8);
    const Bytes empty = Fold::create(d, bounds).value().serialize();
    const Bytes expected = fold_of(updates).serialize();
    Fold used = fold_of(some_updates(4, 9));
    used.reset();
    CHECK(used.participants() == 0);
    CHECK(used.serialize() == empty);
    used.accumulate({});
    CHECK(used.serialize() == empty);
    for (const Update& u : updates) add(used, u.values, u.weight);
    CHECK(used.serialize() == expected);

    used.reset();
    REQUIRE(used.merge(fold_of(updates)).ok());
    CHECK(used.serialize() == expected);

    const aggregate::Sparse few{{1, 5, 256}, {7, -8, 9}};
    Fold fresh = Fold::create(d, bounds).value();
    used.reset();
    for (Fold* fold : {&fresh, &used}) {
        REQUIRE(fold->validate(few, 2).ok());
        fold->accumulate(few, 2);
    }
    CHECK(used.serialize() == fresh.serialize());
}

TEST_CASE("the weighted mean is what the definition says") {
    Fold fold = Fold::create(2, {{.bits = 16, .scale_log2 = 2}, 10, 3}).value();
    const std::vector<std::int32_t> a{4, -8};   // 1.0, -2.0
    const std::vector<std::int32_t> b{12, 2};   // 3.0, 0.5
    add(fold, a, 1, {.bits = 16, .scale_log2 = 2});
    add(fold, b, 3, {.bits = 16, .scale_log2 = 2});
    std::vector<float> mean(2);
    REQUIRE(fold.report(mean).ok());
    CHECK(mean[0] == 2.5f);      // (1 + 9) / 4
    CHECK(mean[1] == -0.125f);   // (-2 + 1.5) / 4
}

TEST_CASE("what does not fit is refused and changes nothing") {
    Fold fold = fold_of(some_updates(3, 7));
    const Bytes before = fold.serialize();
    const PackedUpdate shorter = packed(std::vector<std::int32_t>(d - 1, 1));
    CHECK(fold.validate({&shorter, 1}).error().reason == "update.shape");
    const PackedUpdate elsewhere = packed(std::vector<std::int32_t>(d, 1), {.bits = 16, .scale_log2 = 13});
    CHECK(fold.validate({&elsewhere, 1}).error().reason == "update.shape");
    const PackedUpdate good = packed(std::vector<std::int32_t>(d, 32'767));
    CHECK(fold.validate({&good, 0}).error().reason == "update.weight");
    CHECK(fold.validate({&good, 1'001}).error().reason == "update.weight");
    CHECK(fold.validate({&good, 1, 2}).error().reason == "update.weight");
    CHECK(fold.validate({&good, 1'000}).ok());
    CHECK(fold.serialize() == before);
}

TEST_CASE("no more participants than the plan allows, those that wait included") {
    const FoldBounds two{{.bits = 8, .scale_log2 = 0}, 1, 2};
    Fold fold = Fold::create(1, two).value();
    add(fold, {1}, 1, two.grid);
    const PackedUpdate one = packed({1}, two.grid);
    CHECK(fold.validate({&one, 1}).ok());
    CHECK(fold.validate({&one, 1}, 1).error().reason == "update.too-many");
    add(fold, {1}, 1, two.grid);
    CHECK(fold.validate({&one, 1}).error().reason == "update.too-many");
    Fold other = Fold::create(1, two).value();
    add(other, {1}, 1, two.grid);
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
    for (int i = 0; i < 1'024; ++i) add(fold, {2'147'483'647}, std::uint64_t{1} << 22u, {.bits = 32, .scale_log2 = 0});
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
