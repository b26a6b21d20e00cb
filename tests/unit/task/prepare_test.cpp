#include "entente/task/prepare.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "unit/task/tables.hpp"

using namespace entente;
using tables::column;
using tables::number;
using tables::orders;
using tables::prepared;

namespace {

constexpr const char* header = "line,shipment,due,delivered,ordered,site,weight\n";

void check_refused(const Result<task::Prepared>& p, const char* reason, std::string_view said) {
    REQUIRE_FALSE(p.ok());
    INFO(p.error().message);
    CHECK(p.error().reason == reason);
    CHECK(p.error().message.find(said) != std::string::npos);
}

// Rows of one sensor x with a run of its own.
task::Task sensor() {
    task::Task t;
    t.name = "sensor";
    t.min_rows = 1;
    t.columns = {column("run", task::Role::group, task::CellKind::category), column("t", task::Role::time, task::CellKind::number), number("x"), number("regime")};
    t.columns[0].optional = true;
    t.columns[3].optional = true;
    t.features = {{.kind = task::FeatureKind::value, .column = "x"}};
    t.label.kind = task::LabelKind::none;
    t.scaling.kind = task::ScalingKind::none;
    return t;
}

}  // namespace

TEST_CASE("rows of orders become numbers, labels and two sides") {
    const auto p = prepared(orders(), std::string(header) +
                                          "1,s1,2020-01-10,2020-01-20,2020-01-05,A,2\n"   // late
                                          "2,s2,2020-01-12,2020-01-12,,A,4\n"             // in time
                                          "3,s3,2020-02-01,2020-03-01,2020-02-05,B,6\n"   // late; ordered after it was due
                                          "4,s4,2020-03-01,2020-03-01,2020-01-01,A,\n"    // knows 1 and 2
                                          "5,s5,2020-06-01,2020-06-02,,C,8\n"             // behind the split
                                          "6,s6,2020-05-31,2020-06-30,,B,10\n"            // before it, but its shipment goes on
                                          "7,s6,2020-06-15,2020-06-15,,B,12\n"
                                          "8,s8,2020-03-05,,,A,14\n");                     // not delivered yet
    REQUIRE(p.ok());
    CHECK(p->without_label == 1);
    CHECK(p->train.last_rows == std::vector<std::uint32_t>{0, 1, 2, 3});
    CHECK(p->test.last_rows == std::vector<std::uint32_t>{4, 5, 6});
    CHECK(p->train.dataset.labels == std::vector<std::uint32_t>{1, 0, 1, 0});
    CHECK(p->test.dataset.labels == std::vector<std::uint32_t>{1, 1, 0});
    CHECK(p->train.dataset.classes == 2);
    CHECK(data::validate(p->train.dataset).ok());
    CHECK(data::validate(p->test.dataset).ok());
    const auto row = [](const task::Side& side, std::size_t e) { const auto x = side.dataset.example(e); return std::vector<float>(x.begin(), x.end()); };
    const float ln3 = 1.0986123f, ln2 = 0.6931472f;
    CHECK(row(p->train, 0) == std::vector<float>{2, 1, 0, 0, 0.05f, 1, 0.25f, 0});
    CHECK(row(p->train, 1) == std::vector<float>{4, 1, 0, 0, 0, 0, 0.25f, 0});
    CHECK(row(p->train, 2) == std::vector<float>{6, 0, 1, 0, 0, 0, 0.25f, 0});
    CHECK(row(p->train, 3) == std::vector<float>{0, 1, 0, 0, 0.6f, 1, 2.0f / 6.0f, ln3});
    CHECK(row(p->test, 0) == std::vector<float>{8, 0, 0, 1, 0, 0, 0.25f, 0});
    // Known 10 days before 31 May, within 100 days: order 3, on 1 March.
    CHECK(row(p->test, 1) == std::vector<float>{10, 0, 1, 0, 0, 0, 0.4f, ln2});
    // On 15 June that was more than 100 days ago, and order 6 is not known yet.
    CHECK(row(p->test, 2) == std::vector<float>{12, 0, 1, 0, 0, 0, 0.4f, ln2});
}

TEST_CASE("an early delivery is no history of its own") {
    const auto p = prepared(orders(), std::string(header) + "1,s1,2020-03-01,2020-02-01,,A,1\n2,s2,2020-03-01,2020-03-02,,B,1\n");
    REQUIRE(p.ok());
    CHECK(p->train.dataset.example(0)[6] == 0.25f);
    CHECK(p->train.dataset.example(0)[7] == 0.0f);
}

TEST_CASE("a duration that ends before it begins is none") {
    task::Task t = orders();
    t.features = {{.kind = task::FeatureKind::days_between, .column = "ordered", .to = "due", .scale = 0.01}};
    const auto p = prepared(t, std::string(header) + "1,s1,2020-01-11,2020-01-20,2020-01-01,A,2\n2,s2,2020-01-11,2020-01-11,2020-01-21,A,2\n3,s3,2020-01-11,2020-01-11,,A,2\n4,s4,2020-01-11,2020-01-11,2020-01-11,A,2\n");
    REQUIRE(p.ok());
    CHECK(p->train.dataset.features == std::vector<float>{0.1f, 1, 0, 0, 0, 0, 0, 1});
}

TEST_CASE("what cannot be trained on is said") {
    const std::string one = "1,s1,2020-01-10,2020-01-20,,A,2\n", two = "2,s2,2020-02-10,2020-02-10,,A,2\n";
    task::Task t = orders();
    t.min_rows = 30;
    check_refused(prepared(t, header + one + two + "3,s3,2020-07-01,2020-07-01,,A,1\n"), "table.too-few",
                  "expected at least 30 examples to train on, found 2: 3 rows, 1 of them behind the split, only to be scored");
    check_refused(prepared(orders(), header + two), "table.one-class", "expected both labels among the 1 example to train on, found only 0");
    check_refused(prepared(orders(), header + one + two + "1,s9,2020-07-01,2020-07-01,,A,1\n"), "table.leak",
                  "row 1 and row 3: expected an id on one side of the split, found \"1\"");
    const auto twice = prepared(orders(), header + one + two + "2,s9,2020-02-11,2020-02-11,,A,1\n");
    REQUIRE(twice.ok());
    CHECK(twice->duplicate_ids == 1);
    task::Task flagged = sensor();
    flagged.columns[3] = column("bad", task::Role::label, task::CellKind::number);
    flagged.label = {.kind = task::LabelKind::flag, .column = "bad"};
    check_refused(prepared(flagged, "t,x,bad\n1,1,0\n2,1,1\n3,1,2\n"), "table.label", "row 3, bad: expected a label of 0 or 1");
    check_refused(prepared(flagged, "t,x,bad\n1,1,NA\n2,1,NA\n3,1,0\n"), "table.one-class", "found only 0");
}

TEST_CASE("windows stay within their group and side, in the order of time") {
    task::Task t = sensor();
    t.window = {.length = 2, .stride = 1};
    t.split = {.kind = task::SplitKind::head, .head_rows = 3};
    const auto p = prepared(t, "run,t,x\na,2,2\nb,1,10\na,1,1\na,3,3\na,4,4\nb,2,20\na,5,5\na,6,6\nc,1,99\n");
    REQUIRE(p.ok());
    CHECK(p->train.dataset.features == std::vector<float>{1, 2, 2, 3, 10, 20});
    CHECK(p->train.dataset.example_shape == std::vector<std::uint32_t>{2, 1});
    CHECK(p->train.dataset.targets == p->train.dataset.features);
    CHECK(p->train.dataset.size() == 3);
    // A row behind the split is scored by the window that ends there, though it begins before.
    CHECK(p->test.dataset.features == std::vector<float>{3, 4, 4, 5, 5, 6});
    CHECK(p->test.last_rows == std::vector<std::uint32_t>{4, 6, 7});
    CHECK(p->test.abnormal.empty());
    t.window.pad = true;
    CHECK(prepared(t, "run,t,x\na,1,1\nb,1,7\nb,2,8\n")->train.dataset.features == std::vector<float>{1, 1, 7, 8});
    t.window = {.length = 2, .stride = 2};
    CHECK(prepared(t, "run,t,x\na,1,1\na,2,2\na,3,3\n")->train.dataset.features == std::vector<float>{1, 2});
}

// Against Python: s.mean(x[-5:]), s.mean(x), s.linear_regression(range(7), x).slope * 7, s.pstdev(x) of its statistics module.
TEST_CASE("a window summed up, and the rows that remain") {
    task::Task t = sensor();
    t.window = {.length = 7, .stride = 1, .summary = {task::Summary::last_mean, task::Summary::mean, task::Summary::slope, task::Summary::deviation}};
    t.label = {.kind = task::LabelKind::remaining, .cap = 2};
    const auto p = prepared(t, "run,t,x\na,1,1\na,2,2\na,3,4\na,4,8\na,5,16\na,6,32\na,7,64\na,8,0\na,9,0\na,10,0\n");
    REQUIRE(p.ok());
    const auto x = p->train.dataset.example(0);
    CHECK(x[0] == doctest::Approx(24.8));
    CHECK(x[1] == doctest::Approx(18.142857142857142));
    CHECK(x[2] == doctest::Approx(65.25));
    CHECK(x[3] == doctest::Approx(21.2362800847214));
    CHECK(p->train.dataset.targets == std::vector<float>{1, 1, 0.5f, 0});
}

TEST_CASE("marked groups are scored, by their last window, and may end before their time") {
    task::Task t = sensor();
    t.columns.push_back(number("part"));
    t.columns.push_back(column("left", task::Role::label, task::CellKind::number));
    t.columns.back().optional = true;
    t.window = {.length = 2, .stride = 1, .pad = true};
    t.split.kind = task::SplitKind::marked;
    t.split.column = "part";
    t.label = {.kind = task::LabelKind::remaining, .column = "left", .cap = 4};
    REQUIRE(task::check(t).ok());
    const std::string text = "run,t,x,part,left\na,1,1,0,0\na,2,2,0,0\na,3,3,0,0\nb,1,10,1,3\nb,2,20,1,3\nb,3,30,1,3\nc,1,7,1,2\nd,1,1,,0\n";
    const auto p = prepared(t, text);
    REQUIRE(p.ok());
    CHECK(p->train.dataset.features == std::vector<float>{1, 2, 2, 3});
    CHECK(p->train.dataset.targets == std::vector<float>{0.25f, 0});
    CHECK(p->test.dataset.features == std::vector<float>{10, 20, 20, 30, 7, 7});
    CHECK(p->test.dataset.targets == std::vector<float>{1, 0.75f, 0.5f});
    t.split.last_only = true;
    CHECK(prepared(t, text)->test.dataset.features == std::vector<float>{20, 30, 7, 7});
    // One marked row marks its group.
    CHECK(prepared(t, "run,t,x,part\na,1,1,0\na,2,2,0\nb,1,3,0\nb,2,4,1\n")->test.dataset.features == std::vector<float>{3, 4});
    // A file without marks is split by its groups' names, and every window of theirs is scored.
    t.split.test_share = 0.5;
    t.columns[4].optional = true;
    CHECK(prepared(t, "run,t,x\na,1,1\na,2,2\na,3,3\nb,1,3\nb,2,4\nb,3,5\n")->test.dataset.size() == 2);
    t.features.push_back({.kind = task::FeatureKind::value, .column = "part"});
    CHECK(task::check(t).error().reason == "task.leak");
}

TEST_CASE("scaling by the training rows alone, a regime at a time") {
    task::Task t = sensor();
    t.split = {.kind = task::SplitKind::head, .head_rows = 4};
    t.scaling = {.kind = task::ScalingKind::local, .clip = 3.0};
    const std::string text = "t,x,regime\n1,1000000001,9\n2,1000000003,11\n3,5,20\n4,9,21\n5,1000000005,10\n6,,10\n7,11,20\n8,7,50\n";
    const auto all = prepared(t, text);
    REQUIRE(all.ok());
    CHECK(all->statistics.regimes.empty());
    CHECK(all->statistics.all.rows == std::vector<std::uint64_t>{4});
    t.scaling.regime = "regime";
    t.scaling.regime_step = 10.0;
    const auto p = prepared(t, text);
    REQUIRE(p.ok());
    REQUIRE(p->statistics.regimes.size() == 2);
    CHECK(p->statistics.regimes[0].regime == 1);
    CHECK(p->statistics.regimes[0].mean[0] == 1000000002.0);
    CHECK(p->statistics.regimes[0].deviation[0] == 1.0);
    CHECK(p->train.dataset.features == std::vector<float>{-1, 1, -1, 1});
    // Clipped; missing, the mean; 11 of mean 7 and deviation 2; and a regime that nobody trained on, by all rows.
    CHECK(p->test.dataset.features[0] == 3.0f);
    CHECK(p->test.dataset.features[1] == 0.0f);
    CHECK(p->test.dataset.features[2] == 2.0f);
    CHECK(p->test.dataset.features[3] == doctest::Approx(-1.0).epsilon(1e-6));
    // Somebody else's statistics.
    task::Statistics given = p->statistics;
    given.regimes[0].deviation[0] = 2.0;
    const auto rows = tables::read(t, text).value();
    CHECK(task::prepare(t, rows, &given)->train.dataset.features == std::vector<float>{-0.5f, 0.5f, -1, 1});
}

TEST_CASE("some rows of a table are a table") {
    const task::Task t = sensor();
    const auto rows = tables::read(t, "run,t,x\na,1,1\nb,1,2\na,2,3\n").value();
    const std::vector<std::uint32_t> chosen{2, 0};
    const task::Rows some = task::select(rows, chosen);
    CHECK(some.size == 2);
    CHECK(some.columns[2].numbers == std::vector<double>{3, 1});
    CHECK(some.columns[0].codes == std::vector<std::uint32_t>{0, 0});
    CHECK(task::prepare(t, some)->train.dataset.features == std::vector<float>{3, 1});
}

TEST_CASE("groups are split by their name, the same share of few and of many") {
    task::Task t = sensor();
    t.split = {.kind = task::SplitKind::group, .test_share = 0.25};
    std::string text = "run,t,x\n";
    for (int run = 0; run < 8; ++run) {
        for (int row = 0; row < 3; ++row) text += "engine" + std::to_string(run) + "," + std::to_string(row) + ",1\n";
    }
    const auto p = prepared(t, text);
    REQUIRE(p.ok());
    CHECK(p->train.last_rows.size() == 18);
    CHECK(p->test.last_rows.size() == 6);
    for (std::size_t i = 0; i < 6; i += 3) CHECK(p->test.last_rows[i] / 3 == p->test.last_rows[i + 2] / 3);
}
