#include "entente/task/scored.hpp"

#include <doctest/doctest.h>

#include <string>

#include "unit/task/tables.hpp"

using namespace entente;
using tables::column;
using tables::number;

namespace {

// A row with two groups and a time; x is its score as it is, and above 0.5 an alert.
task::Task orders(bool windows) {
    task::Task t;
    t.name = "orders";
    t.min_rows = 1;
    t.columns = {column("line", task::Role::id, task::CellKind::category), column("shipment", task::Role::group, task::CellKind::category),
                 column("order", task::Role::group, task::CellKind::category), column("day", task::Role::time, task::CellKind::instant), number("x"), number("y")};
    t.columns[2].optional = true;
    t.columns[5].role = task::Role::label;
    t.columns[5].optional = true;
    t.features = {{.kind = task::FeatureKind::value, .column = "x"}};
    t.label = {.kind = task::LabelKind::value, .column = "y"};
    t.scaling.kind = task::ScalingKind::none;
    t.split.kind = task::SplitKind::none;
    if (windows) t.window = {.length = 4, .summary = {task::Summary::mean}};
    t.model = {{1}, {nn::dense("out", 1)}};
    return t;
}

struct Scoring {
    task::Task task;
    std::unique_ptr<task::ScoreTable> table;
    task::Scored scored;
    task::Predictor model;
};

Scoring scored(const task::Task& t, const std::string& text, bool below = false, const task::Mapping& mapping = {}) {
    auto model = task::Predictor::of_network(t, std::vector<float>{1.0f, 0.0f});
    REQUIRE(model.ok());
    auto rows = tables::read(t, text, mapping);
    REQUIRE(rows.ok());
    Scoring s{t, {}, {}, std::move(*model)};
    auto table = task::ScoreTable::start(s.task, std::move(*rows), nullptr, nullptr);
    REQUIRE(table.ok());
    s.table = std::move(*table);
    task::Watch watch;
    watch.alarm.threshold = 0.5;
    watch.alarm.below = below;
    watch.usual = {0.0f};
    auto out = task::score_table(s.model, *s.table, watch, false);
    REQUIRE(out.ok());
    s.scored = std::move(*out);
    return s;
}

// "strongest row: alerts, first-last row" of each group.
std::string groups_of(const Scoring& s) {
    std::string text;
    for (const task::AlertGroup& g : task::alert_groups(s.task, *s.table, s.scored)) {
        const std::uint32_t row = s.table->examples->last_row(s.scored.example_of(s.scored.alerts[g.strongest]));
        text += std::to_string(s.table->row_number(row)) + ": " + std::to_string(g.alerts) + ", " + std::to_string(g.first_row) + "-" + std::to_string(g.last_row) + "\n";
    }
    return text;
}

std::string runs(const std::string& a, const std::string& b) {
    std::string text = "line,shipment,day,x\n";
    int line = 0;
    for (const char* name : {"a", "b"}) {
        for (const char c : name[0] == 'a' ? a : b) {
            ++line;
            text += std::to_string(line) + "," + name + ",2020-01-" + std::to_string(10 + line) + "," + (c == '.' ? "0" : std::string(1, c)) + "\n";
        }
    }
    return text;
}

}  // namespace

TEST_CASE("lines of one shipment or one order are one event, wherever they stand") {
    const std::string text =
        "line,shipment,order,day,x\n"
        "1,s1,o1,2020-01-01,1\n2,s2,o2,2020-01-01,4\n3,s1,,2020-01-01,3\n4,s3,,2020-01-01,0\n5,,,2020-01-01,2\n6,,,2020-01-01,2\n7,s4,o2,2020-01-01,1\n8,s3,,2020-01-01,1\n";
    CHECK(groups_of(scored(orders(false), text)) == "2: 2, 2-7\n3: 2, 1-3\n5: 1, 5-5\n6: 1, 6-6\n8: 1, 8-8\n");
    CHECK(groups_of(scored(orders(false), "line,shipment,day,x\n1,s1,2020-01-01,0.2\n2,s1,2020-01-01,0.1\n3,s2,2020-01-01,0.9\n4,s2,2020-01-01,0.4\n", true)) == "2: 2, 1-2\n4: 1, 4-4\n");
    task::Mapping mine;
    mine.columns = {{.column = "shipment", .from = "shipment", .rename = {{"unknown", ""}}}};
    CHECK(groups_of(scored(orders(false), "line,shipment,day,x\n1,unknown,2020-01-01,2\n2,unknown,2020-01-01,1\n", false, mine)) == "1: 1, 1-1\n2: 1, 2-2\n");
}

TEST_CASE("windows of one group that share rows are one stretch, and those of another group are not") {
    task::Task t = orders(true);
    // Means of four: 1 of a burst of 4 for as long as it lies in the window.
    CHECK(groups_of(scored(t, runs(".....4.........", "...."))) == "6: 4, 6-9\n");
    // The windows that end at rows 9 and 13 share none, those that end at 9 and 12 one.
    CHECK(groups_of(scored(t, runs(".....4......8...", "...."))) == "13: 4, 13-16\n6: 4, 6-9\n");
    CHECK(groups_of(scored(t, runs(".....4.....8....", "...."))) == "12: 8, 6-15\n");
    // The last window of a and the first of b stand one behind the other.
    CHECK(groups_of(scored(t, runs(".......4", "8..."))) == "12: 1, 12-12\n8: 1, 8-8\n");
    t.window.stride = 3;
    // They end at rows 4, 7, 10, ... and share one row with the next.
    CHECK(groups_of(scored(t, runs("...4............", "...."))) == "4: 2, 4-7\n");
    CHECK(groups_of(scored(t, runs("...4....4.......", "...."))) == "4: 3, 4-10\n");
    t.window.stride = 4;
    CHECK(groups_of(scored(t, runs("...44...........", "...."))) == "4: 1, 4-4\n8: 1, 8-8\n");
}

TEST_CASE("the CSV has a line an example, and of an alert reasons and similar cases") {
    task::Task t = orders(false);
    Scoring s = scored(t, "line,shipment,day,x\n1,\"s,1\",2020-01-02,2\n2,,2020-01-03,0.25\n");
    const auto past_rows = tables::read(t, "line,shipment,day,x,y\n1,a,2020-01-01,2,0\n7,a,2020-01-01,1,1\n8,a,2020-01-01,0,1\n");
    const auto past_examples = task::ScoreRows::start(t, *past_rows);
    REQUIRE(past_examples.ok());
    const task::Past past(*past_examples);
    REQUIRE(s.scored.alerts.size() == 1);
    REQUIRE(task::explain_alert(t, s.model, *s.table, s.scored, &past, s.scored.alerts[0]).ok());
    CHECK(task::scored_csv(t, *s.table, s.scored) ==
          "row,line,shipment,day,score,alert,reason_1,share_1,reason_2,share_2,reason_3,share_3,similar_rows,similar_labels\n"
          "1,1,\"s,1\",2020-01-02,2,1,x 2 (+2),2,,,,,2 3,\n"
          "2,2,,2020-01-03,0.25,0,,,,,,,,\n");
    s.scored.alerts[0].similar = {{4, task::Event::yes, 0.0}, {1, task::Event::unknown, 0.0}, {2, task::Event::no, 0.0}};
    CHECK(task::scored_csv(t, *s.table, s.scored).find(",5 2 3,1  0\n") != std::string::npos);
}
