#include "entente/task/control_chart.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "golden/control_golden.hpp"

using namespace entente;

TEST_CASE("T2, Q and their limits are those of numpy and scipy") {
    const auto chart = task::fit_control_chart(golden::control_normal, golden::control_width);
    REQUIRE(chart.ok());
    CHECK(chart->rank == golden::control_width);
    CHECK(chart->components == golden::control_components);
    for (std::size_t i = 0; i < golden::control_width; ++i) CHECK(chart->eigen.values[i] == doctest::Approx(static_cast<double>(golden::control_values[i])).epsilon(1e-6));
    CHECK(chart->t2_limit == doctest::Approx(golden::control_t2_limit).epsilon(1e-9));
    CHECK(chart->t2_limit_components == doctest::Approx(golden::control_t2_limit_k).epsilon(1e-9));
    CHECK(chart->q_limit == doctest::Approx(golden::control_q_limit).epsilon(1e-9));
    const std::vector<double> t2 = chart->t2_ratios(golden::control_rows), both = chart->t2_q_ratios(golden::control_rows);
    REQUIRE(t2.size() == std::size(golden::control_t2));
    for (std::size_t i = 0; i < t2.size(); ++i) {
        CHECK(t2[i] == doctest::Approx(static_cast<double>(golden::control_t2[i])).epsilon(1e-6));
        CHECK(both[i] == doctest::Approx(static_cast<double>(golden::control_t2_q[i])).epsilon(1e-6));
    }
    CHECK(task::f_quantile(0.999, 8, 392) == doctest::Approx(golden::control_f_8_392).epsilon(1e-9));
    CHECK(task::f_quantile(0.999, 1, 3) == doctest::Approx(golden::control_f_1_3).epsilon(1e-9));
}

TEST_CASE("a number that never changes says nothing") {
    std::vector<float> normal, rows, wider, wider_rows;
    for (std::size_t i = 0; i < std::size(golden::control_normal); ++i) {
        normal.push_back(golden::control_normal[i]);
        wider.push_back(golden::control_normal[i]);
        if (i % golden::control_width == golden::control_width - 1) wider.push_back(0.0f);
    }
    for (std::size_t i = 0; i < std::size(golden::control_rows); ++i) {
        wider_rows.push_back(golden::control_rows[i]);
        if (i % golden::control_width == golden::control_width - 1) wider_rows.push_back(1000.0f);
    }
    const auto four = task::fit_control_chart(normal, golden::control_width), five = task::fit_control_chart(wider, golden::control_width + 1);
    REQUIRE(five.ok());
    CHECK(five->rank == golden::control_width);
    const auto a = four->t2_q_ratios(golden::control_rows), b = five->t2_q_ratios(wider_rows);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]));
    CHECK(task::fit_control_chart(std::vector<float>(40, 1.0f), 4).error().message == "expected rows that differ");
    CHECK(task::fit_control_chart(std::vector<float>(20, 1.0f), 4).error().message == "expected at least 6 normal rows, found 5");
}
