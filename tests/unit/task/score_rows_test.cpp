#include "entente/task/score_rows.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "entente/task/watch.hpp"
#include "unit/task/tables.hpp"

using namespace entente;
using tables::column;
using tables::number;

namespace {

constexpr const char* orders_text =
    "line,shipment,due,delivered,ordered,site,weight\n"
    "1,s1,2020-01-10,2020-01-20,2020-01-05,A,2\n2,s2,2020-01-12,2020-01-12,,A,4\n3,s3,2020-02-01,2020-03-01,2020-02-05,B,6\n4,s4,2020-03-01,2020-03-01,2020-01-01,A,\n"
    "5,s5,2020-06-01,2020-06-02,,C,8\n6,s6,2020-05-31,2020-06-30,,B,10\n7,s6,2020-06-15,2020-06-15,,B,12\n8,s8,2020-03-05,,,A,14\n";

std::vector<float> example(const task::ScoreRows& rows, std::size_t e) {
    std::vector<float> x(rows.inputs());
    rows.put(e, x);
    return x;
}

task::Task sensor() {
    task::Task t;
    t.name = "sensor";
    t.min_rows = 1;
    t.columns = {column("run", task::Role::group, task::CellKind::category), column("t", task::Role::time, task::CellKind::number), number("x"), number("bad")};
    t.columns[3].role = task::Role::label;
    t.columns[3].optional = true;
    t.features = {{.kind = task::FeatureKind::value, .column = "x"}};
    t.label = {.kind = task::LabelKind::none, .column = "bad"};
    t.split.kind = task::SplitKind::head;
    t.split.head_rows = 3;
    t.window.length = 2;
    t.scaling = {.kind = task::ScalingKind::local, .clip = 20};
    return t;
}

}  // namespace

TEST_CASE("rows to score are the numbers that the model was trained on") {
    task::Task t = tables::orders();
    t.scaling.kind = task::ScalingKind::local;
    const auto rows = tables::read(t, orders_text);
    const auto prepared = task::prepare(t, *rows);
    const auto scored = task::ScoreRows::start(t, *rows);
    REQUIRE(prepared.ok());
    REQUIRE(scored.ok());
    CHECK(scored->statistics() == prepared->statistics);
    CHECK(scored->size() == 8);
    for (const task::Side* side : {&prepared->train, &prepared->test}) {
        for (std::size_t e = 0; e < side->last_rows.size(); ++e) {
            const std::uint32_t row = side->last_rows[e];
            CHECK(scored->last_row(row) == row);
            CHECK(scored->is_past(row) == (side == &prepared->train));
            CHECK(scored->event(row) == (side->dataset.labels[e] == 1 ? task::Event::yes : task::Event::no));
            const auto x = side->dataset.example(e);
            CHECK(example(*scored, row) == std::vector<float>(x.begin(), x.end()));
        }
    }
    // The open order is scored, though nobody knows its label.
    CHECK(scored->event(7) == task::Event::unknown);
    CHECK(scored->is_past(7));
    CHECK(scored->id(7) == "8");
    CHECK(scored->time(0) == table::parse_instant("2020-01-10", table::DateOrder::unknown).value());
}

TEST_CASE("a file without labels is scored, and one without a column that is needed is not") {
    const task::Task t = tables::orders(), reading = task::for_scoring(t);
    const std::string open = "line,due,site,weight,ordered\n1,2020-08-01,A,3,2020-07-01\n2,2020-08-02,B,5,\n";
    CHECK_FALSE(tables::read(t, open).ok());
    const auto rows = tables::read(reading, open);
    REQUIRE(rows.ok());
    const task::Statistics given = task::prepare(t, *tables::read(t, orders_text))->statistics;
    const auto scored = task::ScoreRows::start(reading, *rows, &given);
    REQUIRE(scored.ok());
    CHECK(scored->size() == 2);
    CHECK(example(*scored, 0) == std::vector<float>{3, 1, 0, 0, 0.31f, 1, 0.25f, 0});
    CHECK(scored->event(0) == task::Event::unknown);
    CHECK_FALSE(tables::read(reading, "line,due,weight\n1,2020-08-01,3\n").ok());
    // The mapping that served for training names the label's header, too.
    task::Mapping mine;
    mine.columns = {{.column = "delivered", .from = "Ankunft"}, {.column = "weight", .from = "Gewicht"}};
    const std::string theirs = "line,due,site,Gewicht\n1,2020-08-01,A,3\n";
    CHECK(tables::read(reading, theirs, mine).error().reason == "mapping.header");
    CHECK(tables::read(reading, theirs, task::for_scoring(t, mine)).ok());
    CHECK(tables::read(reading, "line,due,site\n1,2020-08-01,A\n", task::for_scoring(t, mine)).error().reason == "mapping.header");
    task::Statistics other = given;
    other.all.mean.pop_back();
    CHECK(task::ScoreRows::start(reading, *rows, &other).error().reason == "table.statistics");
}

TEST_CASE("windows of one group run across the split, and a group that is too short has none") {
    const task::Task t = sensor();
    const auto rows = tables::read(t, "run,t,x,bad\na,1,1,0\na,2,2,0\na,3,3,0\na,4,4,1\nb,1,9,0\n");
    const auto scored = task::ScoreRows::start(t, *rows);
    REQUIRE(scored.ok());
    CHECK(scored->size() == 3);
    CHECK(scored->last_row(2) == 3);
    CHECK(scored->event(2) == task::Event::yes);
    CHECK_FALSE(scored->is_past(2));
    CHECK(scored->is_past(1));
    CHECK(scored->time(0) == task::no_instant);
    CHECK(scored->id(0).empty());
    task::Task longer = t;
    longer.window.length = 9;
    CHECK(task::ScoreRows::start(longer, *rows).error().reason == "table.empty");
}

TEST_CASE("a watch is calibrated with what was before the split, and again with newer rows") {
    task::Task t = sensor();
    t.split.head_rows = 60;
    t.window.length = 1;
    t.alarm.quantile = 0.9;
    t.model = {{1}, {nn::dense("out", 1)}};
    auto model = task::Predictor::of_network(t, std::vector<float>{0.0f, 0.0f});  // gives back the mean: the score is |x - mean| / deviation
    REQUIRE(model.ok());
    std::string text = "run,t,x,bad\n";
    for (int i = 0; i < 100; ++i) text += "a," + std::to_string(i) + "," + std::to_string(i < 60 ? i % 10 : 50 + i % 10) + ",0\n";
    const auto rows = tables::read(t, text);
    const auto examples = task::ScoreRows::start(t, *rows);
    const auto watch = task::start_watch(t, *model, *examples, *rows);
    REQUIRE(watch.ok());
    CHECK(watch->alarm.examples == 60);
    CHECK(watch->statistics.all.mean[0] == 4.5);
    CHECK(watch->usual[0] == doctest::Approx(0.0).epsilon(1e-6));
    CHECK(task::is_alert(watch->alarm, model->scores(std::vector<float>{16.0f})->front()));
    CHECK(watch->inputs[0].rows() == 60);
    std::string later = "run,t,x\n";
    for (int i = 0; i < 40; ++i) later += "a," + std::to_string(i) + "," + std::to_string(50 + i % 10) + "\n";
    const auto newer = tables::read(t, later);
    const auto newer_examples = task::ScoreRows::start(t, *newer, &watch->statistics);
    const auto anew = task::start_watch_from(t, *model, *newer_examples, *newer, 0);
    REQUIRE(anew.ok());
    CHECK(anew->statistics == watch->statistics);
    CHECK(anew->alarm.threshold > watch->alarm.threshold);
    CHECK(anew->alarm.examples == 40);
    CHECK(task::start_watch(t, *model, *newer_examples, *newer)->alarm.examples == 40);  // all of them are its head
}

TEST_CASE("rows behind their past are what they are in one file") {
    task::Task t = tables::orders();
    t.scaling.kind = task::ScalingKind::local;
    t.features.push_back({.kind = task::FeatureKind::same_count, .column = "site"});
    CHECK(task::looks_back(t));
    const std::string text = orders_text;
    const std::string head = text.substr(0, text.find('\n') + 1);
    const std::size_t fifth = text.find("\n5,") + 1;
    const auto whole = tables::read(t, text);
    // The later file has row 4 again, other columns in another order, and no labels.
    const auto earlier = tables::read(t, text.substr(0, fifth));
    const auto later = tables::read(task::for_scoring(t), "site,line,due,weight,shipment\nA,4,2020-03-01,,s4\nC,5,2020-06-01,8,s5\nB,6,2020-05-31,10,s6\nB,7,2020-06-15,12,s6\nA,8,2020-03-05,14,s8\n");
    REQUIRE(earlier.ok());
    REQUIRE(later.ok());
    const task::Rows rows = task::joined(t, *earlier, *later);
    CHECK(rows.size == 8);
    const task::Statistics statistics = task::ScoreRows::start(t, *whole)->statistics();
    const auto one = task::ScoreRows::start(t, *whole, &statistics), two = task::ScoreRows::start(t, rows, &statistics);
    REQUIRE(two.ok());
    CHECK(two->event(0) == task::Event::yes);
    CHECK(two->event(4) == task::Event::unknown);
    for (std::size_t e = 4; e < 8; ++e) {
        std::vector<float> a = example(*one, e), b = example(*two, e);
        a[4] = b[4] = a[5] = b[5] = 0;  // days from the order, which the later file does not have
        // Row 6 was late on 30 June and row 4 was early: unknown now, and too late or too early to matter.
        CHECK(a == b);
    }
}
