#include "entente/task/explain.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "entente/base/philox.hpp"
#include "unit/task/tables.hpp"

using namespace entente;
using tables::number;

namespace {

Philox draws(std::uint64_t stream) { return Philox(derive_key(12, 0, {}, Purpose::test), stream); }

// Numbers x0, x1, ... of which one output is made.
task::Task numbers(std::size_t columns, task::LabelKind label) {
    task::Task t;
    t.name = "numbers";
    for (std::size_t i = 0; i < columns; ++i) {
        t.columns.push_back(number("x" + std::to_string(i), "kg"));
        t.features.push_back({.kind = task::FeatureKind::value, .column = t.columns.back().name});
    }
    t.label.kind = label;
    if (label != task::LabelKind::none) {
        t.columns.push_back(number("y"));
        t.columns.back().role = task::Role::label;
        t.label.column = "y";
    }
    return t;
}

std::vector<float> random_numbers(Philox& random, std::size_t n) {
    std::vector<float> x(n);
    for (float& v : x) v = static_cast<float>(random.normal());
    return x;
}

double sum_of(const task::Explanation& why) {
    double sum = why.usual;
    for (const task::Share& s : why.shares) sum += s.amount;
    return sum;
}

// Shapley values by their definition, over all subsets of columns: trees::predict where those of a subset are x's and the others the usual ones.
std::vector<double> by_definition(const trees::Forest& forest, std::span<const float> x, std::span<const float> usual) {
    const std::size_t n = x.size();
    const auto value = [&](std::size_t subset) {
        std::vector<float> mixed(n);
        for (std::size_t i = 0; i < n; ++i) mixed[i] = (subset >> i & 1) != 0 ? x[i] : usual[i];
        return static_cast<double>(trees::predict(forest, mixed));
    };
    const auto factorial = [](std::size_t k) { double f = 1; for (std::size_t i = 2; i <= k; ++i) f *= static_cast<double>(i); return f; };
    std::vector<double> shapley(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t s = 0; s < (std::size_t{1} << n); ++s) {
            if ((s >> i & 1) != 0) continue;
            std::size_t size = 0;
            for (std::size_t k = 0; k < n; ++k) size += s >> k & 1;
            shapley[i] += factorial(size) * factorial(n - size - 1) / factorial(n) * (value(s | std::size_t{1} << i) - value(s));
        }
    }
    return shapley;
}

trees::Forest some_forest(std::uint32_t features) {
    Philox random = draws(3);
    trees::Forest f;
    f.features = features;
    for (int t = 0; t < 12; ++t) {
        trees::Tree tree;
        for (std::uint32_t i = 0; i < 3; ++i) tree.push_back({random.bounded(features), static_cast<float>(random.normal()), 2 * i + 1, 0.0f, 1.0});
        for (int leaf = 0; leaf < 4; ++leaf) tree.push_back({0, 0.0f, 0, static_cast<float>(random.normal()), 0.0});
        f.trees.push_back(tree);
    }
    return f;
}

}  // namespace

TEST_CASE("what is linear is explained by weight times difference") {
    for (const std::uint32_t columns : {3u, 7u}) {  // all orders; drawn ones
        const task::Task t = [&] { task::Task made = numbers(columns, task::LabelKind::value); made.model = {{columns}, {nn::dense("out", 1)}}; return made; }();
        Philox random = draws(columns);
        const std::vector<float> parameters = random_numbers(random, columns + 1), x = random_numbers(random, columns), usual = random_numbers(random, columns);
        auto model = task::Predictor::of_network(t, parameters);
        REQUIRE(model.ok());
        const auto why = task::explain(t, *model, x, usual);
        REQUIRE(why.ok());
        REQUIRE(why->shares.size() == columns);
        for (std::size_t i = 0; i < columns; ++i) {
            CHECK(why->shares[i].column == i);
            CHECK(why->shares[i].amount == doctest::Approx(static_cast<double>(parameters[i]) * static_cast<double>(x[i] - usual[i])).epsilon(1e-5));
        }
        CHECK(sum_of(*why) == doctest::Approx(why->score).epsilon(1e-12));
    }
}

TEST_CASE("shares of trees are Shapley values, and add up to the score whatever the model") {
    const task::Task t = numbers(4, task::LabelKind::flag);
    const trees::Forest forest = some_forest(4);
    auto model = task::Predictor::of_trees(t, forest);
    REQUIRE(model.ok());
    Philox random = draws(4);
    for (int i = 0; i < 20; ++i) {
        const std::vector<float> x = random_numbers(random, 4), usual = random_numbers(random, 4);
        const auto why = task::explain(t, *model, x, usual);
        REQUIRE(why.ok());
        const std::vector<double> expected = by_definition(forest, x, usual);
        for (std::size_t k = 0; k < 4; ++k) CHECK(std::fabs(why->shares[k].amount - expected[k]) < 1e-6);
        CHECK(std::fabs(sum_of(*why) - why->score) < 1e-12);
        CHECK(why->score == static_cast<double>(trees::predict(forest, x)));
    }
    CHECK_FALSE(task::Predictor::of_trees(t, some_forest(5)).ok());
}

TEST_CASE("shares of many columns are near Shapley values, and the same each time") {
    const task::Task t = numbers(8, task::LabelKind::flag);
    const trees::Forest forest = some_forest(8);
    auto model = task::Predictor::of_trees(t, forest);
    Philox random = draws(5);
    const std::vector<float> x = random_numbers(random, 8), usual = random_numbers(random, 8);
    const auto why = task::explain(t, *model, x, usual), again = task::explain(t, *model, x, usual);
    REQUIRE(why.ok());
    const std::vector<double> expected = by_definition(forest, x, usual);
    for (std::size_t k = 0; k < 8; ++k) {
        CHECK(why->shares[k].amount == again->shares[k].amount);
        CHECK(std::fabs(why->shares[k].amount - expected[k]) < 0.05);
    }
    CHECK(std::fabs(sum_of(*why) - why->score) < 1e-12);
}

TEST_CASE("an autoencoder's score is the sum of its columns' errors") {
    task::Task t = numbers(3, task::LabelKind::none);
    t.window.length = 5;
    t.model = {{15}, {nn::dense("hidden", 4), nn::relu(), nn::dense("out", 15)}};
    Philox random = draws(6);
    const std::vector<float> parameters = random_numbers(random, 15 * 4 + 4 + 4 * 15 + 15), x = random_numbers(random, 15);
    auto model = task::Predictor::of_network(t, parameters);
    REQUIRE(model.ok());
    const auto why = task::explain(t, *model, x, std::vector<float>(15));
    REQUIRE(why.ok());
    CHECK(why->usual == 0.0);
    CHECK(sum_of(*why) == doctest::Approx(why->score).epsilon(1e-12));
    CHECK(static_cast<double>(model->scores(x)->front()) == doctest::Approx(why->score).epsilon(1e-6));
    const auto errors = model->errors(x);
    double second = 0;
    for (std::size_t i = 1; i < 15; i += 3) second += (*errors)[i] / 15;
    CHECK(why->shares[1].amount == doctest::Approx(second).epsilon(1e-12));
}

TEST_CASE("a reason says the cell, what is usual and what it adds") {
    task::Task t = tables::orders();
    const auto rows = tables::read(t, "line,due,delivered,ordered,site,weight\n"
                                      "1,2020-01-10,2020-01-20,2020-01-01,A,2\n2,2020-01-11,2020-01-12,2020-01-02,A,4\n3,2020-02-01,2020-03-01,2020-01-20,A,6\n"
                                      "4,2020-03-01,2020-03-01,2020-02-10,B,8\n5,2020-06-01,,2020-05-31,C,900\n6,2020-06-01,,,,\n");
    REQUIRE(rows.ok());
    const std::vector<task::InputSummary> usual = task::summarise(t, *rows, std::vector<std::uint32_t>{0, 1, 2, 3});
    task::Explanation why{0.9, 0.2, {{4, 0.31}, {5, 0.004}, {6, 0.4}}};
    const auto reasons = task::reasons(t, why, usual, *rows, 4, 3);
    REQUIRE(reasons.size() == 3);
    CHECK(reasons[0].text == "weight 900 kg, usually 4 to 8 (+0.4)");
    CHECK(reasons[1].text == "ordered 1 day before due, usually 12 to 20 (+0.31)");
    CHECK(reasons[2].text == "site C, 0 % of the usual rows (+0.004)");
    CHECK(task::reasons(t, why, usual, *rows, 4, 1).size() == 1);
    CHECK(task::reasons(t, why, usual, *rows, 5, 3)[0].text == "weight not known, usually 4 to 8 (+0.4)");
    t.features.insert(t.features.begin(), {.kind = task::FeatureKind::same_count, .column = "line"});
    CHECK(task::cell_text(t, 0, {}, *rows, 4) == "how many rows have line 5");
    // Where less remains, what takes away speaks for an alert.
    t.label.kind = task::LabelKind::remaining;
    why.shares[0].amount = -0.31;
    CHECK(task::reasons(t, why, usual, *rows, 4, 3).size() == 1);
}

TEST_CASE("the nearest past cases come first, ties by their row") {
    task::Task t = tables::orders();
    t.features = {{.kind = task::FeatureKind::value, .column = "weight"}};
    const auto rows = tables::read(t, "line,due,delivered,ordered,site,weight\n"
                                      "1,2020-01-10,2020-01-20,,A,2\n2,2020-01-11,2020-01-11,,A,4\n3,2020-02-01,2020-03-01,,A,6\n4,2020-03-01,2020-03-01,,B,7\n5,2020-06-01,,,C,5\n");
    REQUIRE(rows.ok());
    const auto examples = task::ScoreRows::start(t, *rows);
    REQUIRE(examples.ok());
    const task::Past past(*examples);
    const auto near = past.nearest(std::vector<float>{5.0f}, 3, {});
    REQUIRE(near.size() == 3);
    CHECK(near[0].row == 1);
    CHECK(near[0].event == task::Event::no);
    CHECK(near[0].distance == 1.0);
    CHECK(near[1].row == 2);
    CHECK(near[1].event == task::Event::yes);
    CHECK(near[2].row == 3);
}

TEST_CASE("an example is not like itself") {
    task::Task t = tables::orders();
    t.features = {{.kind = task::FeatureKind::value, .column = "weight"}};
    const std::string text = "line,due,delivered,site,weight\n1,2020-01-10,2020-01-20,A,2\n2,2020-01-11,2020-01-11,A,4\n3,2020-02-01,2020-03-01,A,4\n";
    const auto rows = tables::read(t, text);
    const auto examples = task::ScoreRows::start(t, *rows);
    REQUIRE(examples.ok());
    const std::vector<float> x{4.0f};
    const auto others = task::Past(*examples).nearest(x, 9, "2");  // another line weighs the same
    REQUIRE(others.size() == 2);
    CHECK(others[0].row == 2);
    CHECK(others[1].row == 0);
    CHECK(task::Past(*examples).nearest(x, 9, "7").size() == 3);
    // Without ids, what is the same to the last bit may be itself.
    CHECK(task::Past(*examples).nearest(x, 9, {}).size() == 1);
    t.columns[0].role = task::Role::feature;
    const auto nameless = task::ScoreRows::start(t, *rows);
    CHECK(task::Past(*nameless).nearest(x, 9, "2").size() == 1);
}
