#include "entente/task/drift.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <string>

#include "entente/base/philox.hpp"
#include "unit/task/tables.hpp"

using namespace entente;
using tables::number;

namespace {

Philox draws(std::uint64_t stream) { return Philox(derive_key(13, 0, {}, Purpose::test), stream); }

task::Task one_number() {
    task::Task t;
    t.name = "one";
    t.columns = {number("x", "bar")};
    t.features = {{.kind = task::FeatureKind::value, .column = "x"}};
    t.label.kind = task::LabelKind::none;
    return t;
}

task::Rows rows_of(const std::vector<double>& x) {
    task::Rows rows;
    rows.size = x.size();
    rows.columns.resize(1);
    rows.columns[0].numbers = x;
    return rows;
}

std::vector<std::uint32_t> all_of(const task::Rows& rows) {
    std::vector<std::uint32_t> all(static_cast<std::size_t>(rows.size));
    std::iota(all.begin(), all.end(), 0u);
    return all;
}

std::vector<task::Drift> between(const task::Task& t, const task::Rows& before, const task::Rows& now) {
    return task::drift_of(t, task::summarise(t, before, all_of(before)), now, all_of(now));
}

}  // namespace

TEST_CASE("the stability index is the one of its definition") {
    const task::Task t = one_number();
    std::vector<double> before(100);
    std::iota(before.begin(), before.end(), 0.0);
    const task::Rows usual = rows_of(before);
    const auto summary = task::summarise(t, usual, all_of(usual));
    REQUIRE(summary.size() == 1);
    CHECK(summary[0].cuts == std::vector<double>{10, 20, 30, 40, 50, 60, 70, 80, 90});
    CHECK(summary[0].counts == std::vector<std::uint64_t>{10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 0});
    CHECK(summary[0].mean == 49.5);
    // 30 rows of 95 and 20 of 5: p = 10.5 / 105.5; q = 30.5, 20.5 and eight times 0.5 of 55.5.
    std::vector<double> x(30, 95.0);
    x.resize(50, 5.0);
    const auto drift = between(t, usual, rows_of(x));
    CHECK(drift[0].psi == doctest::Approx(2.862329).epsilon(1e-5));
    CHECK(drift[0].moved);
    CHECK(drift[0].sentence.find("x: 60 % of the rows are 90 bar or more, usually 10 % (PSI 2.86)") != std::string::npos);
}

TEST_CASE("what is only chance has not moved, and what has moved is found") {
    const task::Task t = one_number();
    int moved = 0, found = 0;
    for (std::uint64_t i = 0; i < 300; ++i) {
        Philox random = draws(i);
        std::vector<double> a(200), b(40), c(40);
        for (double& x : a) x = random.normal();
        for (double& x : b) x = random.normal();
        for (double& x : c) x = random.normal() + 1.5;
        moved += between(t, rows_of(a), rows_of(b))[0].moved ? 1 : 0;
        found += between(t, rows_of(a), rows_of(c))[0].moved ? 1 : 0;
    }
    CHECK(moved <= 3);
    CHECK(found >= 290);
}

TEST_CASE("categories, missing cells and constants drift, too") {
    const task::Task t = tables::orders();
    const std::string header = "line,due,delivered,ordered,site,weight\n";
    const auto file = [&](const std::string& row, int rows) {
        std::string text = header;
        for (int i = 0; i < rows; ++i) text += std::to_string(i) + row + "\n";
        return tables::read(task::for_scoring(t), text);
    };
    const auto usual = file(",2020-01-10,2020-01-11,2020-01-05,A,2", 60), now = file(",2020-01-10,,2020-01-09,Z,", 30);
    REQUIRE(usual.ok());
    REQUIRE_FALSE(now.ok());  // not one weight
    task::Rows rows = *usual;
    rows.columns[5].words = {"Z"};
    for (double& w : rows.columns[6].numbers) w = std::nan("");
    const auto drift = between(t, *usual, rows);
    REQUIRE(drift.size() == 3);  // weight, site, days; no history
    CHECK(drift[0].moved);
    CHECK(drift[0].sentence.find("weight: 100 % of the rows are without a value, usually 0 %") != std::string::npos);
    CHECK(drift[1].moved);
    CHECK(drift[1].sentence.find("site: 100 % of the rows are of another category, usually 0 %") != std::string::npos);
    CHECK_FALSE(drift[2].moved);
    CHECK(drift[2].psi == 0.0);
}

TEST_CASE("a rate is beyond chance only where a binomial says so") {
    const task::Task t = one_number();
    task::Calibration c;
    c.examples = 999;
    c.alerts = 19;  // an expected share of 0.02
    CHECK(task::expected_share(c) == 0.02);
    const double p = 0.02;
    constexpr unsigned n = 500;
    double below = 0.0, term = std::pow(1 - p, n);
    int fewer = 0, more = 0;
    for (unsigned k = 0; k <= n; ++k) {
        const double at_least = 1.0 - below;
        below += term;
        const task::Rate rate = task::check_rate(t, c, n, k).rate;
        if (rate == task::Rate::more) {
            CHECK(at_least <= 0.001);
            ++more;
        } else if (rate == task::Rate::fewer) {
            CHECK(below <= 0.001);
            ++fewer;
        } else if (k > 10) {
            CHECK(at_least >= 1e-6);  // a bound, but no loose one
        }
        term *= static_cast<double>(n - k) / (k + 1) * p / (1 - p);
    }
    CHECK(more > 400);
    CHECK(fewer == 1);  // none at all
    CHECK(task::check_rate(t, c, 500, 40).sentence == "40 alerts in 500 examples, 8 %; calibrated for 2 %: more than chance allows");
    task::Task windows = t;
    windows.window.length = 30;
    CHECK(task::check_rate(windows, c, 500, 40).rate == task::Rate::as_calibrated);  // some 17 windows apart
    CHECK(task::check_rate(t, c, 0, 0).rate == task::Rate::as_calibrated);
}
