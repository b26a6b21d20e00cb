#include "entente/trees/grow.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

#include "golden/trees_golden.hpp"

using namespace entente;
using namespace entente::trees;

namespace {

constexpr std::size_t width = golden::trees_features;

Settings settings(Objective objective) {
    Settings s;
    s.objective = objective;
    s.trees = golden::trees_count;
    s.depth = golden::trees_depth;
    s.bins = golden::trees_bins;
    s.rate = golden::trees_rate;
    s.lambda = golden::trees_lambda;
    s.gamma = golden::trees_gamma;
    s.min_child_weight = golden::trees_least;
    return s;
}

const std::vector<std::uint32_t>& labels() {
    static const std::vector<std::uint32_t> all(std::begin(golden::trees_labels), std::end(golden::trees_labels));
    return all;
}

// Rows [from, to) of the golden data.
Part part(std::string_view name, std::size_t from, std::size_t to) {
    return {name, std::span(golden::trees_x).subspan(from * width, (to - from) * width), std::span(labels()).subspan(from, to - from),
            std::span(golden::trees_targets).subspan(from, to - from)};
}

Part all() { return part("all", 0, golden::trees_rows); }

struct Expected {
    double base;
    std::span<const unsigned> sizes, feature, left;
    std::span<const float> threshold, value, gain, margin;
};

void check_forest(const Forest& forest, const Expected& e) {
    CHECK(check(forest).ok());
    CHECK(forest.base == doctest::Approx(e.base).epsilon(1e-6));
    REQUIRE(forest.trees.size() == e.sizes.size());
    std::size_t at = 0;
    for (std::size_t t = 0; t < forest.trees.size(); ++t) {
        REQUIRE(forest.trees[t].size() == e.sizes[t]);
        for (const Node& n : forest.trees[t]) {
            CAPTURE(t);
            CAPTURE(at);
            CHECK(n.left == e.left[at]);
            CHECK(n.feature == e.feature[at]);
            CHECK(n.threshold == e.threshold[at]);
            CHECK(static_cast<double>(n.value) == doctest::Approx(static_cast<double>(e.value[at])).epsilon(1e-4));
            CHECK(n.gain == doctest::Approx(static_cast<double>(e.gain[at])).epsilon(1e-3));
            ++at;
        }
    }
    for (std::size_t r = 0; r < golden::trees_rows; ++r) {
        CHECK(margin(forest, std::span(golden::trees_x).subspan(r * width, width)) == doctest::Approx(static_cast<double>(e.margin[r])).epsilon(1e-4));
    }
}

}  // namespace

TEST_CASE("trees are those of Chen and Guestrin's equations, computed row by row elsewhere") {
    const Part parts[] = {all()};
    const auto classes = grow(settings(Objective::logistic), width, parts);
    REQUIRE(classes.ok());
    check_forest(*classes, {golden::logistic_base, golden::logistic_sizes, golden::logistic_feature, golden::logistic_left, golden::logistic_threshold, golden::logistic_value,
                            golden::logistic_gain, golden::logistic_margin});
    const auto numbers = grow(settings(Objective::squared), width, parts);
    REQUIRE(numbers.ok());
    check_forest(*numbers, {golden::squared_base, golden::squared_sizes, golden::squared_feature, golden::squared_left, golden::squared_threshold, golden::squared_value,
                            golden::squared_gain, golden::squared_margin});
}

TEST_CASE("the same forest, bit for bit, however rows are dealt and whoever answers first") {
    Settings s = settings(Objective::logistic);
    s.trees = 20;
    s.column_share = 0.5;
    const Part whole[] = {all()};
    const auto pooled = grow(s, width, whole);
    REQUIRE(pooled.ok());
    const Part three[] = {part("a", 0, 50), part("b", 50, 51), part("c", 51, golden::trees_rows)};
    const Part other[] = {three[2], three[0], three[1]};
    CHECK(grow(s, width, three).value() == *pooled);
    CHECK(grow(s, width, other).value() == *pooled);
    s.row_share = 0.7;
    const auto drawn = grow(s, width, three);
    CHECK(grow(s, width, other).value() == drawn.value());
    CHECK_FALSE(drawn.value() == *pooled);
    Part renamed[] = {three[0], three[1], three[2]};
    renamed[0].name = "z";
    CHECK_FALSE(grow(s, width, renamed).value() == drawn.value());
    s.seed = 2;
    CHECK_FALSE(grow(s, width, three).value() == drawn.value());
}

TEST_CASE("what decides is what the gains say") {
    // Only number 1 tells the labels apart; number 0 is the same everywhere.
    std::vector<float> x;
    std::vector<std::uint32_t> y;
    for (int i = 0; i < 40; ++i) {
        x.insert(x.end(), {2.0f, i % 4 == 0 ? 1.0f : 0.0f});
        y.push_back(i % 4 == 0 ? 1 : 0);
    }
    const Part parts[] = {{"p", x, y, {}}};
    Settings s;
    s.trees = 50;
    s.rate = 0.3;
    s.min_child_weight = 0.0;
    const auto forest = grow(s, 2, parts);
    REQUIRE(forest.ok());
    CHECK(importance(*forest) == std::vector<double>{0.0, 1.0});
    CHECK(predict(*forest, std::span(x).subspan(0, 2)) > 0.9f);
    CHECK(predict(*forest, std::span(x).subspan(2, 2)) < 0.1f);
    s.gamma = 1e5;
    const auto stumps = grow(s, 2, parts);
    CHECK(importance(stumps.value()) == std::vector<double>{0.0, 0.0});
    CHECK(predict(*stumps, std::span(x).subspan(0, 2)) == doctest::Approx(0.25).epsilon(1e-4));
    // Of two numbers that say the same the first is taken.
    std::vector<float> twice;
    for (std::size_t i = 0; i < y.size(); ++i) twice.insert(twice.end(), {x[i * 2 + 1], x[i * 2 + 1]});
    s.gamma = 0.0;
    const Part same_twice[] = {{"p", twice, y, {}}};
    CHECK(importance(grow(s, 2, same_twice).value()) == std::vector<double>{1.0, 0.0});
    // The ten rows with a 1 weigh 10 x 0.25 x 0.75 = 1.875, the others three times as much: too little on the right, and mirrored on the left.
    std::vector<float> mirrored = twice;
    for (float& number : mirrored) number = -number;
    const Part light_left[] = {{"p", mirrored, y, {}}};
    s.trees = 1;
    for (const double least : {1.8, 1.95}) {
        s.min_child_weight = least;
        const double share = least < 1.875 ? 1.0 : 0.0;
        CHECK(importance(grow(s, 2, same_twice).value())[0] == share);
        CHECK(importance(grow(s, 2, light_left).value())[0] == share);
    }
    s.trees = 50;
    // A number that lies on a cut goes right: ten zeros, and ones that alone fill a bin.
    std::vector<float> on_cut;
    std::vector<std::uint32_t> ones;
    for (int i = 0; i < 40; ++i) {
        on_cut.insert(on_cut.end(), {i < 10 ? 0.0f : 1.0f, i % 2 == 0 ? 0.0f : 1.0f});
        ones.push_back(i < 10 || i % 8 == 0 ? 0 : 1);
    }
    s.min_child_weight = 0.0;
    s.bins = 2;
    const Part cut[] = {{"p", on_cut, ones, {}}};
    const auto right = grow(s, 2, cut);
    REQUIRE(right.ok());
    CHECK(right->trees.front().front().threshold == 1.0f);
    CHECK(predict(*right, std::span(on_cut).subspan(0, 2)) < 0.1f);
    CHECK(predict(*right, std::span(on_cut).subspan(78, 2)) > 0.8f);
    // Nothing at all to split by.
    const std::vector<float> same(40, 1.0f);
    const Part nothing[] = {{"p", same, y, {}}};
    CHECK(grow(s, 1, nothing).value().trees.empty());
}

TEST_CASE("sums that no rows have, and rows that are none, are refused") {
    Settings s = settings(Objective::logistic);
    s.trees = 2;
    const Part whole = all();
    auto grower = Grower::start(s, width, sketch_of(whole, s, width));
    REQUIRE(grower.ok());
    RowSums mine(s, grower->edges(), grower->base(), whole);
    std::vector<std::int64_t> sums(grower->question().size);
    mine.add_to(grower->question(), sums);
    std::vector<std::int64_t> wrong = sums;
    wrong.pop_back();
    CHECK(grower->take(wrong).error().reason == "trees.sums");
    wrong = sums;
    wrong[wrong.size() - 2] += 1;
    CHECK(grower->take(wrong).error().message == "expected each column's sums to be those of the same rows");
    wrong = sums;
    wrong[1] = -wrong[1];
    CHECK(grower->take(wrong).error().message == "expected curvatures from 0 on");
    CHECK(grower->take(sums).ok());

    CHECK(Grower::start(s, width, {}).error().reason == "trees.rows");
    CHECK(grow(s, width, {}).error().reason == "trees.rows");
    Part bad = whole;
    bad.labels = bad.labels.subspan(1);
    CHECK(check(bad, s, width).error().reason == "trees.rows");
    const std::vector<float> infinite(width, std::numeric_limits<float>::infinity());
    const std::vector<std::uint32_t> one{1}, two{2};
    CHECK_FALSE(check(Part{"p", infinite, one, {}}, s, width).ok());
    CHECK_FALSE(check(Part{"p", std::span(golden::trees_x).first(width), two, {}}, s, width).ok());
    s.depth = 11;
    CHECK(grow(s, width, {&whole, 1}).error().message == "depth: expected 1 to 10");
}

TEST_CASE("a forest that cannot be walked is refused") {
    Forest f{Objective::squared, 2, 0.0, {{{1, 0.5f, 1, 0, 1.0}, {0, 0, 0, -1.0f, 0}, {0, 0, 0, 2.0f, 0}}}};
    CHECK(check(f).ok());
    CHECK(predict(f, std::vector<float>{0.0f, 0.4f}) == -1.0f);
    CHECK(predict(f, std::vector<float>{0.0f, 0.5f}) == 2.0f);
    Forest back = f;
    back.trees[0][1].left = 1;
    CHECK(check(back).error().message == "tree 1, node 1: expected two children behind it, found 1");
    Forest beyond = f;
    beyond.trees[0][0].left = 2;
    CHECK(check(beyond).error().reason == "trees.malformed");
    f.features = 1;
    CHECK(check(f).error().message == "tree 1, node 0: expected one of 1 features, found 1");
}
