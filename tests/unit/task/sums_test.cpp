#include "entente/task/sums.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "unit/task/tables.hpp"

using namespace entente;
using tables::column;
using tables::number;

namespace {

// x, and a second number of which some cells are missing; bad or not.
task::Task scaled_together() {
    task::Task t;
    t.name = "scaled";
    t.min_rows = 1;
    t.columns = {number("x"), number("y"), number("bad")};
    t.columns[2].role = task::Role::label;
    t.features = {{.kind = task::FeatureKind::value, .column = "x"}, {.kind = task::FeatureKind::value, .column = "y"}};
    t.label = {.kind = task::LabelKind::flag, .column = "bad"};
    t.scaling.kind = task::ScalingKind::federated;
    return t;
}

std::vector<std::int32_t> sums(const task::Task& t, const std::string& rows) {
    const auto read = tables::read(t, "x,y,bad\n" + rows);
    REQUIRE(read.ok());
    const auto made = task::sums_of(t, *read);
    REQUIRE(made.ok());
    return *made;
}

std::vector<float> added(const std::vector<std::vector<std::int32_t>>& all) {
    std::vector<std::int64_t> sum(all.front().size());
    for (const auto& one : all) {
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += one[i];
    }
    return task::carried(sum);
}

}  // namespace

TEST_CASE("mean and deviation of what all partners have, whoever has which row") {
    const task::Task t = scaled_together();
    REQUIRE(task::check(t).ok());
    REQUIRE(task::check_sums(t).ok());
    CHECK(task::sum_count(t) == 2 * 3 + 2);
    const auto a = sums(t, "1,-10,0\n2,,1\n"), b = sums(t, "3,-30,0\n"), c = sums(t, "4,-20,1\n");
    const std::vector<float> all = added({a, b, c});
    CHECK(added({c, b, a}) == all);
    CHECK(added({sums(t, "4,-20,1\n3,-30,0\n"), sums(t, "2,,1\n1,-10,0\n")}) == all);
    const auto shared = task::read_sums(t, all);
    REQUIRE(shared.ok());
    CHECK(shared->rows == 4);
    CHECK(shared->positive == 2);
    const task::RegimeStatistics& s = shared->statistics.all;
    CHECK(s.rows == std::vector<std::uint64_t>{4, 3});
    CHECK(s.mean == std::vector<double>{2.5, -20.0});
    CHECK(s.deviation[0] == doctest::Approx(std::sqrt(1.25)).epsilon(1e-12));
    CHECK(s.deviation[1] == doctest::Approx(std::sqrt(200.0 / 3.0)).epsilon(1e-12));
    CHECK(shared->statistics.regimes.empty());
    // A row is scaled by them, whoever's it is.
    const auto rows = tables::read(t, "x,y,bad\n4,-20,1\n2.5,-20,0\n");
    REQUIRE(rows.ok());
    const auto p = task::prepare(t, *rows, &shared->statistics);
    REQUIRE(p.ok());
    CHECK(p->train.dataset.example(0)[0] == static_cast<float>(1.5 / s.deviation[0]));
    CHECK(p->train.dataset.example(1)[0] == 0.0f);
}

TEST_CASE("what a large mean hides is found again, and sums of any size stay whole") {
    const task::Task t = scaled_together();
    // A deviation of 0.5 at 200 million; the square of one row alone has 96 bits.
    std::string rows;
    for (int i = 0; i < 1000; ++i) rows += (i % 2 == 0 ? "200000000,-300000000," : "200000001,-400000000,") + std::to_string(i % 2) + "\n";
    const auto one = sums(t, rows);
    const auto shared = task::read_sums(t, added({one, one, one}));
    REQUIRE(shared.ok());
    const task::RegimeStatistics& s = shared->statistics.all;
    CHECK(s.rows[0] == 3000);
    CHECK(s.mean[0] == doctest::Approx(200000000.5).epsilon(1e-15));
    CHECK(s.deviation[0] == doctest::Approx(0.5).epsilon(1e-12));
    // Taken as what fits.
    CHECK(s.mean[1] == -268435456.0);
    CHECK(s.deviation[1] == 0.0);
    const std::vector<float> small = added({sums(t, "0.001,0,0\n"), sums(t, "0.003,0,1\n")});
    CHECK(task::read_sums(t, small)->statistics.all.mean[0] == doctest::Approx(0.002).epsilon(1e-3));
}

TEST_CASE("each regime has sums of its own, from the range of its column") {
    task::Task t = scaled_together();
    t.scaling.regime = "y";
    t.scaling.regime_step = 10;
    CHECK(task::check_sums(t).error().message.find("`least` and `most`") != std::string::npos);
    t.columns[1].least = -4;
    t.columns[1].most = 24;
    REQUIRE(task::check_sums(t).ok());
    CHECK(task::sum_count(t) == 2 * 3 * (1 + 3) + 2);
    const std::string rows = "1,0,0\n3,1,0\n10,19,1\n7,,1\n";
    const auto shared = task::read_sums(t, added({sums(t, rows)}));
    REQUIRE(shared.ok());
    CHECK(shared->statistics.all.mean[0] == doctest::Approx(21.0 / 4.0));
    REQUIRE(shared->statistics.regimes.size() == 2);
    CHECK(shared->statistics.regimes[0].regime == 0);
    CHECK(shared->statistics.regimes[0].mean[0] == 2.0);
    CHECK(shared->statistics.regimes[1].regime == 2);
    CHECK(shared->statistics.regimes[1].rows[0] == 1);
    // The same as a partner alone finds in two passes over its rows.
    const auto read = tables::read(t, "x,y,bad\n" + rows);
    REQUIRE(read.ok());
    const auto own = task::prepare(t, *read);
    REQUIRE(own.ok());
    for (std::size_t r = 0; r < 2; ++r) {
        CHECK(own->statistics.regimes[r].rows == shared->statistics.regimes[r].rows);
        for (std::size_t i = 0; i < 2; ++i) CHECK(own->statistics.regimes[r].mean[i] == doctest::Approx(shared->statistics.regimes[r].mean[i]).epsilon(1e-6));
    }
    t.columns[1].most = 1e9;
    CHECK_FALSE(task::check_sums(t).ok());
}

TEST_CASE("rows behind the split and without a label are in no sum") {
    task::Task t = scaled_together();
    t.columns.push_back(column("day", task::Role::time, task::CellKind::instant));
    t.split = {.kind = task::SplitKind::time, .at = table::parse_instant("2020-01-02", table::DateOrder::unknown).value()};
    const auto read = tables::read(t, "x,y,bad,day\n1,1,0,2020-01-01\n5,5,,2020-01-01\n9,9,1,2020-01-02\n3,3,1,2020-01-01\n");
    REQUIRE(read.ok());
    const auto shared = task::read_sums(t, added({task::sums_of(t, *read).value()}));
    REQUIRE(shared.ok());
    CHECK(shared->rows == 2);
    CHECK(shared->positive == 1);
    CHECK(shared->statistics.all.mean[0] == 2.0);
}

TEST_CASE("what are no sums is refused") {
    const task::Task t = scaled_together();
    const std::vector<float> good = added({sums(t, "1,-10,0\n2,,1\n")});
    REQUIRE(task::read_sums(t, good).ok());
    CHECK(task::has_sums(good));
    const auto refused = [&t](std::vector<float> digits) {
        const auto read = task::read_sums(t, digits);
        return !read.ok() && read.error().reason == "task.sums";
    };
    const auto with = [&good](std::size_t at, float value) {
        std::vector<float> digits = good;
        digits[at] = value;
        return digits;
    };
    CHECK(refused({}));
    CHECK(refused(std::vector<float>(good.begin(), good.end() - 1)));
    CHECK(refused(std::vector<float>(good.size(), 0.0f)));
    CHECK_FALSE(task::has_sums(std::vector<float>(good.size(), 0.0f)));
    CHECK(refused(with(0, 0.5f)));
    CHECK(refused(with(3, std::numeric_limits<float>::infinity())));
    CHECK(refused(with(good.size() - 2 * task::sum_digits, -2.0f)));  // fewer than no rows
    CHECK(refused(with(good.size() - task::sum_digits, 3.0f)));       // more with label 1 than there are
    task::Task fine = t;
    fine.scaling.floor = 1e-9;
    CHECK_FALSE(task::check_sums(fine).ok());
}
