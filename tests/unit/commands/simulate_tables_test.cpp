#include <doctest/doctest.h>

#include "commands/run.hpp"
#include "commands/table_outcome.hpp"
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
    const auto tables = read_tables({.task_file = "task.toml", .model_file = "", .mapping_file = "", .files = {"all.csv"}, .by = "plant", .partners = 2}, e);
    REQUIRE(tables.ok());
    CHECK(tables->names == std::vector<std::string>{"P0", "the rest"});
    CHECK(tables->shares[0].size() == 24);
    CHECK(tables->shares[1].size() == 24);
    CHECK(tables->shares[1].front() == 24);
    CHECK(tables->train.size() == 48);
    CHECK(tables->test.size() == 24);
    CHECK(tables->partners[0].statistics == tables->partners[1].statistics);
    CHECK(tables->partners[0].statistics.all.rows.front() == 48);
    CHECK(read_tables({.task_file = "task.toml", .model_file = "", .mapping_file = "", .files = {"all.csv"}, .by = "x", .partners = 2}, e).error().reason == "usage.tables");
    e.put("few.csv", "day,plant,x,bad\n2020-01-01,P,1,0\n2020-01-01,P,9,1\n2020-01-05,P,9,1\n");
    const auto few = read_tables({.task_file = "task.toml", .model_file = "", .mapping_file = "", .files = {"all.csv", "few.csv"}, .by = "", .partners = 0}, e);
    CHECK(few.error().message.starts_with("Partner 2: expected at least 4 examples to train on, found 2: 3 rows"));
}

TEST_CASE("however rows are dealt, everybody scales with the same bits: sums of whole numbers, as in a federation that is served") {
    FakeEnvironment e;
    e.put("task.toml", task_text);
    // A large mean and thirds: doubles that are merged one partner after the other come to other bits.
    std::string text = "day,plant,x,bad\n";
    for (int i = 0; i < 60; ++i) text += std::string(i % 3 < 2 ? "2020-01-01" : "2020-01-05") + ",P" + std::to_string(i % 7) + "," + std::to_string(1e6 + i / 3.0) + "," + (i % 2 == 0 ? "1" : "0") + "\n";
    e.put("all.csv", text);
    const auto dealt = [&e](std::uint32_t partners) { return read_tables({.task_file = "task.toml", .model_file = "", .mapping_file = "", .files = {"all.csv"}, .by = "plant", .partners = partners}, e).value(); };
    const task::Statistics whole = dealt(1).partners.front().statistics;
    CHECK(whole.all.rows.front() == 40);
    for (const std::uint32_t partners : {2u, 5u, 7u}) {
        for (const task::Prepared& p : dealt(partners).partners) CHECK(p.statistics == whole);
    }
}

TEST_CASE("simulate --task trains on tables and scores what lies behind the split") {
    FakeEnvironment e = world();
    const std::vector<std::string> line{"simulate", "--task", "task.toml", "--table", "all.csv", "--by", "plant", "--partners", "2", "--rounds", "40", "--alone", "--quiet"};
    CHECK(run(line, e) == exit_done);
    INFO(e.error << e.out);
    CHECK(e.out.find("auc       rows      constant    local       federated   pooled") != std::string::npos);
    // A weight of either sign orders x: only what was learned puts the bad above the good.
    CHECK(e.out.find("all       24        0.500       1.000       1.000       1.000") != std::string::npos);
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

TEST_CASE("trees learn from tables: all partners together come to the same as all rows pooled") {
    FakeEnvironment e = world();
    const std::string trees = "[model]\nkind = \"trees\"\ntrees = 20\nrate = 0.3\nmin_child_weight = 0.5\n";
    e.put("trees.toml", trees);
    const std::vector<std::string> line{"simulate", "--task", "task.toml", "--model", "trees.toml", "--table", "all.csv", "--by", "plant", "--partners", "2", "--alone", "--json", "--seeds", "2", "--out", "out"};
    CHECK(run(line, e) == exit_done);
    INFO(e.error << e.out);
    CHECK(e.out.find(R"({"training":"federated","who":"all","examples":24,"auc":1,"auc-error":0,"rmse":null})") != std::string::npos);
    CHECK(e.out.find(R"("importance":[{"feature":"x","share":1}])") != std::string::npos);
    const std::string csv = e.text("out/scores.csv");
    const auto lines_of = [&csv](const std::string& training) {
        std::string lines;
        for (std::size_t at = csv.find("\n" + training + ","); at != std::string::npos; at = csv.find("\n" + training + ",", at + 1)) {
            const std::size_t from = at + 1 + training.size();
            lines += csv.substr(from, csv.find('\n', from) - from) + "\n";
        }
        return lines;
    };
    CHECK_FALSE(lines_of("federated").empty());
    CHECK(lines_of("federated") == lines_of("pooled"));
    const std::string page = e.text("out/report.html");
    CHECK(page.find("<td>all</td><td>24</td><td>0.500</td><td>1.000</td>") != std::string::npos);
    CHECK(page.find("<td>event</td><td>10</td><td>0</td></tr><tr><td>none</td><td>0</td><td>14</td>") != std::string::npos);
    CHECK(page.find("<td>x</td><td>100.0 %</td>") != std::string::npos);
    CHECK(page.find("<svg") != std::string::npos);
    CHECK(page.find("http") == std::string::npos);  // it needs no network
    CHECK(e.text("out/joining.csv").find("\"all\",local,federated,auc,0") != std::string::npos);
    // 20 trees, one at each step; what crossed: 5 sums of 9 digits, 1,024 cells and two sums, of 2 partners.
    CHECK(page.find("<td>statistics</td><td>up, from partners</td><td>180 B</td><td>90 B</td>") != std::string::npos);
    CHECK(page.find("<td>counts of the cells</td><td>up, from partners</td><td>16.4 kB</td>") != std::string::npos);
    const std::string course = e.text("out/course.csv");
    CHECK(course.starts_with("trees,who,metric,value\n1,"));
    CHECK(course.find("\n20,\"all\",auc,1.0") != std::string::npos);
    CHECK(course.find("\n21,") == std::string::npos);
    std::vector<std::string> tuned = line;
    tuned.insert(tuned.end(), {"--fine-tune", "2"});
    CHECK(run(tuned, e) == exit_usage);
    e.put("raw.toml", std::string(task_text).replace(std::string(task_text).find("\"federated\""), 11, "\"none\""));
    CHECK(run({"simulate", "--task", "raw.toml", "--model", "trees.toml", "--table", "all.csv"}, e) == exit_configuration);
    CHECK(e.error.find("trees.toml: model.kind: trees expect numbers that are scaled") != std::string::npos);
    // A file of a model holds nothing else; what the task's own was is gone.
    e.put("more.toml", trees + "[scaling]\nkind = \"local\"\n");
    CHECK(run({"simulate", "--task", "task.toml", "--model", "more.toml", "--table", "all.csv"}, e) == exit_configuration);
    e.put("none.toml", "name = \"trees\"\n");
    CHECK(run({"simulate", "--task", "task.toml", "--model", "none.toml", "--table", "all.csv"}, e) == exit_configuration);
    CHECK(e.error.find("expected [model]") != std::string::npos);
    e.put("whole.toml", std::string(task_text).substr(0, std::string(task_text).find("[model]")) + trees);
    e.put("network.toml", std::string(task_text).substr(std::string(task_text).find("[model]")));
    CHECK(read_tables({.task_file = "whole.toml", .model_file = "network.toml", .mapping_file = "", .files = {"all.csv"}, .by = "plant", .partners = 2}, e)->task.model ==
          read_tables({.task_file = "task.toml", .model_file = "", .mapping_file = "", .files = {"all.csv"}, .by = "plant", .partners = 2}, e)->task.model);
}

TEST_CASE("the page shows how a model came about, round by round, and looking changes no bit of it") {
    FakeEnvironment e = world();
    std::vector<std::string> line{"simulate", "--task", "task.toml", "--table", "all.csv", "--by", "plant", "--partners", "2", "--rounds", "7", "--seeds", "2", "--json"};
    REQUIRE(run(line, e) == exit_done);
    const std::string unseen = e.out.substr(e.out.rfind("{\"task\""));
    e.out.clear();
    line.insert(line.end(), {"--out", "out"});
    REQUIRE(run(line, e) == exit_done);
    CHECK(e.out.substr(e.out.rfind("{\"task\"")) == unseen);
    const std::string course = e.text("out/course.csv"), scores = e.text("out/scores.csv");
    for (int round = 1; round <= 7; ++round) {
        for (const char* metric : {"auc", "loss", "train-loss"}) CHECK(course.find("\n" + std::to_string(round) + ",\"all\"," + metric + ",") != std::string::npos);
    }
    CHECK(course.find("\n8,") == std::string::npos);
    // The last round's is the first seed's federated model.
    const auto value_behind = [](const std::string& text, const std::string& key) {
        const std::size_t at = text.find(key);
        REQUIRE(at != std::string::npos);
        return text.substr(at + key.size(), text.find('\n', at + key.size()) - at - key.size());
    };
    for (const char* who : {"\"P0\"", "\"all\""}) {
        const std::string examples = std::string(who) == "\"all\"" ? "24" : "12";
        CHECK(value_behind(course, std::string("\n7,") + who + ",auc,") == value_behind(scores, std::string("\nfederated,1,") + who + "," + examples + ",auc,"));
    }
    const std::string page = e.text("out/report.html");
    std::size_t thin = 0;
    for (std::size_t at = page.find("class=\"thin\""); at != std::string::npos; at = page.find("class=\"thin\"", at + 1)) ++thin;
    CHECK(thin == 2);
    CHECK(page.find("<title>the rest, at the end ") != std::string::npos);
    CHECK(page.find("<td>updates</td><td>up, from partners</td>") != std::string::npos);
}

TEST_CASE("a partner may go on by itself, and the report says who gains and who loses by joining") {
    FakeEnvironment e = world();
    CHECK(run({"simulate", "--task", "task.toml", "--table", "all.csv", "--by", "plant", "--partners", "2", "--rounds", "3", "--alone", "--quiet", "--seeds", "3", "--fine-tune", "4"}, e) == exit_done);
    INFO(e.error << e.out);
    CHECK(e.out.find("federated        fine-tuned       pooled") != std::string::npos);
    CHECK(e.out.find("auc, federated instead of local, 95 % interval over 3 seeds") != std::string::npos);
    CHECK(e.out.find("auc, fine-tuned instead of local") != std::string::npos);
}

TEST_CASE("intervals of differences, seed by seed") {
    Tables tables;
    tables.task.metrics = {task::Metric::rmse};
    const auto training = [](const char* name, std::vector<double> a, std::vector<double> b) {
        Training t{name, {}};
        for (std::size_t s = 0; s < a.size(); ++s) t.seeds.push_back({{"A", 10, {a[s]}}, {"B", 10, {b[s]}}});
        return t;
    };
    // Differences 1, 2, 3 and -1, 0, 1; t of two degrees of freedom is 4.303, the deviation 1 (scipy.stats.t.ppf(0.975, 2) = 4.3027).
    const auto gains = gains_of(tables, training("local", {5, 6, 7}, {5, 5, 5}), training("federated", {4, 4, 4}, {6, 5, 4}));
    REQUIRE(gains.size() == 2);
    CHECK(gains[0].spread->mean == doctest::Approx(2.0));
    CHECK(gains[0].spread->error == doctest::Approx(0.57735027));
    CHECK(gains[0].spread->interval == doctest::Approx(2.4843).epsilon(1e-4));
    CHECK(gains[0].verdict == 0);
    CHECK(gains[1].verdict == 0);
    CHECK(gains_of(tables, training("local", {5, 5.1, 5}, {5, 5, 5}), training("federated", {4, 4, 4}, {6, 6, 6.1}))[0].verdict == 1);
    CHECK(gains_of(tables, training("local", {5, 5.1, 5}, {5, 5, 5}), training("federated", {4, 4, 4}, {6, 6, 6.1}))[1].verdict == -1);
    CHECK_FALSE(spread_of(std::vector<std::optional<double>>{1.0, std::nullopt}));
}
