#include <doctest/doctest.h>

#include "commands/run.hpp"
#include "commands/tables.hpp"
#include "unit/commands/fake_environment.hpp"

using namespace entente;
using namespace entente::commands;

namespace {

constexpr const char* task_text = R"(
name = "easy"
min_rows = 4
metrics = ["auc", "rmse"]
[[columns]]
name = "day"
role = "time"
[[columns]]
name = "plant"
kind = "category"
unknown = "hash"
buckets = 2
[[columns]]
name = "x"
[[columns]]
name = "bad"
role = "label"
[[features]]
kind = "value"
column = "x"
[label]
kind = "flag"
column = "bad"
[split]
kind = "time"
at = "2020-01-03"
[scaling]
kind = "federated"
[loss]
kind = "binary_cross_entropy"
[model]
input = [1]
[[model.layers]]
kind = "dense"
name = "out"
units = 1
)";

// Bad above 5, in each of three plants; two days to learn from, one to score.
std::string table() {
    std::string text = "day,plant,x,bad\n";
    for (int day = 1; day <= 3; ++day) {
        for (int i = 0; i < 24; ++i) {
            text += "2020-01-0" + std::to_string(day) + ",P" + std::to_string(i % 6 < 3 ? 0 : i % 6 < 5 ? 1 : 2) + "," + std::to_string(i % 11) + "," + (i % 11 > 5 ? "1" : "0") + "\n";
        }
    }
    return text;
}

FakeEnvironment world() {
    FakeEnvironment e;
    e.put("task.toml", task_text);
    e.put("all.csv", table());
    return e;
}

}  // namespace

TEST_CASE("a table is dealt by a column, and scaled by what all of them have") {
    FakeEnvironment e = world();
    const auto tables = read_tables({.task_file = "task.toml", .mapping_file = "", .files = {"all.csv"}, .by = "plant", .partners = 2}, e);
    REQUIRE(tables.ok());
    CHECK(tables->names == std::vector<std::string>{"P0", "the rest"});
    CHECK(tables->shares[0].size() == 24);
    CHECK(tables->shares[1].size() == 24);
    CHECK(tables->shares[1].front() == 24);
    CHECK(tables->train.size() == 48);
    CHECK(tables->test.size() == 24);
    CHECK(tables->partners[0].statistics == tables->partners[1].statistics);
    CHECK(tables->partners[0].statistics.all.rows.front() == 48);
    CHECK(read_tables({.task_file = "task.toml", .mapping_file = "", .files = {"all.csv"}, .by = "x", .partners = 2}, e).error().reason == "usage.tables");
    e.put("few.csv", "day,plant,x,bad\n2020-01-01,P,1,0\n2020-01-01,P,9,1\n2020-01-05,P,9,1\n");
    const auto few = read_tables({.task_file = "task.toml", .mapping_file = "", .files = {"all.csv", "few.csv"}, .by = "", .partners = 0}, e);
    CHECK(few.error().message.starts_with("Partner 2: expected at least 4 examples to train on, found 2: 3 rows"));
}

TEST_CASE("simulate --task trains on tables and scores what lies behind the split") {
    FakeEnvironment e = world();
    const std::vector<std::string> line{"simulate", "--task", "task.toml", "--table", "all.csv", "--by", "plant", "--partners", "2", "--rounds", "40", "--alone", "--quiet"};
    CHECK(run(line, e) == exit_done);
    INFO(e.error << e.out);
    CHECK(e.out.find("auc       rows      local       federated   pooled") != std::string::npos);
    // A weight of either sign orders x: only what was learned puts the bad above the good.
    CHECK(e.out.find("all       24        1.000       1.000       1.000") != std::string::npos);
    CHECK(e.out.find("rmse") != std::string::npos);
    FakeEnvironment json = world();
    std::vector<std::string> with_json = line;
    with_json.back() = "--json";
    with_json.push_back("--quiet");
    CHECK(run(with_json, json) == exit_done);
    CHECK(json.out.find(R"({"training":"federated","who":"all","examples":24,"auc":1,"rmse":null})") != std::string::npos);
    e.put("plan.toml", "[task]\nkind = \"table\"\n");
    CHECK(run({"plan", "check", "plan.toml"}, e) == exit_configuration);
    for (const auto& [path, bytes] : json.files) CHECK_FALSE(path.ends_with(".checkpoint"));
}
