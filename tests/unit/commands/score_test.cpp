#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "commands/run.hpp"
#include "commands/score.hpp"
#include "unit/commands/fake_environment.hpp"

using namespace entente;
using namespace entente::commands;

namespace {

constexpr const char* task_text = R"(
name = "easy"
min_rows = 4
metrics = ["auc"]
[[columns]]
name = "line"
role = "id"
[[columns]]
name = "day"
role = "time"
[[columns]]
name = "x"
unit = "kg"
[[columns]]
name = "y"
[[columns]]
name = "bad"
role = "label"
[[features]]
kind = "value"
columns = ["x", "y"]
[label]
kind = "flag"
column = "bad"
[split]
kind = "time"
at = "2020-01-21"
[scaling]
kind = "federated"
[alarm]
kind = "budget"
per_week = 3
[loss]
kind = "binary_cross_entropy"
)";
constexpr const char* network = "[model]\ninput = [2]\n[[model.layers]]\nkind = \"dense\"\nname = \"out\"\nunits = 1\n";
constexpr const char* forest = "[model]\nkind = \"trees\"\ntrees = 20\ndepth = 3\n";

// Bad where x is above 6; y says nothing.
std::string table(bool labels) {
    std::string text = std::string("line,day,x,y") + (labels ? ",bad\n" : "\n");
    for (int i = 0; i < 90; ++i) {
        const int x = i * 7 % 10;
        text += "L" + std::to_string(i) + ",2020-01-" + (i / 3 + 1 < 10 ? "0" : "") + std::to_string(i / 3 + 1) + "," + std::to_string(x) + "," + std::to_string(i * 3 % 8) + (labels ? x > 6 ? ",1" : ",0" : "") + "\n";
    }
    return text;
}

FakeEnvironment trained(const char* model) {
    FakeEnvironment e;
    e.put("task.toml", std::string(task_text) + model);
    e.put("a.csv", table(true));
    e.put("open.csv", table(false));
    REQUIRE(run({"simulate", "--task", "task.toml", "--table", "a.csv", "--table", "a.csv", "--rounds", "8", "--quiet", "--out", "run"}, e) == exit_done);
    e.out.clear();
    return e;
}

}  // namespace

TEST_CASE("a network and trees say which rows are alerts, and why") {
    for (const char* model : {network, forest}) {
        FakeEnvironment e = trained(model);
        INFO(e.error);
        REQUIRE(run({"score", "run", "a.csv", "-o", "out.csv"}, e) == exit_done);
        CHECK(e.out.find("an alert is a score above") != std::string::npos);
        CHECK(e.out.find("by 60 examples, 2020-01-01 to 2020-01-20") != std::string::npos);
        CHECK(e.out.find("60 examples before the split, which the alarm is calibrated with") != std::string::npos);
        CHECK(e.out.find("Known        of 9 events") != std::string::npos);
        const std::string csv = e.text("out.csv");
        CHECK(csv.starts_with("row,line,day,score,alert,reason_1,share_1,reason_2,share_2,reason_3,share_3,similar_rows,similar_labels\n61,L60,2020-01-21,0."));
        // All of 7, 8 and 9 are one leaf's, more than a budget of every tenth example allows.
        if (model == network) CHECK(csv.find(",1,\"x 9 kg, usually 1 to 9 (+0.") != std::string::npos);
        CHECK(std::count(csv.begin(), csv.end(), '\n') == 31);
        CHECK(e.files.count(std::string("run/") + calibration_name) == 0);
        e.out.clear();
        REQUIRE(run({"score", "run/model.entente", "a.csv", "--explain", "68"}, e) == exit_done);
        CHECK(e.out.find("row 68, line L67, day 2020-01-23") != std::string::npos);
        CHECK(e.out.find("x 9 kg, usually 1 to 9  +0.") != std::string::npos);
        CHECK(e.out.find("Like your past row ") != std::string::npos);
    }
}

TEST_CASE("rows without labels are scored by a calibration that is kept") {
    FakeEnvironment e = trained(network);
    CHECK(run({"score", "run", "open.csv", "--past", "a.csv", "--state", "mine", "--json"}, e) == exit_done);
    INFO(e.error);
    CHECK(e.out.find("\"scored\":90") != std::string::npos);
    CHECK(e.out.find("\"calibrated_with\":60") != std::string::npos);
    REQUIRE(e.files.count("mine/calibration.entw") == 1);
    const Bytes kept = e.files["mine/calibration.entw"];
    // A past that is the file itself: no row is like itself.
    REQUIRE(run({"score", "run", "a.csv", "--past", "a.csv", "--state", "mine", "-o", "out.csv"}, e) == exit_done);
    std::istringstream lines(e.text("out.csv"));
    std::size_t alerts = 0;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t similar = line.rfind(',', line.rfind(',') - 1) + 1;
        const std::string cases = " " + line.substr(similar, line.rfind(',') - similar) + " ", row = line.substr(0, line.find(','));
        if (cases.size() < 3 || row == "row") continue;
        ++alerts;
        CHECK_MESSAGE(cases.find(" " + row + " ") == std::string::npos, line);
    }
    CHECK(alerts > 0);
    REQUIRE(run({"score", "run", "open.csv", "--state", "mine", "--recalibrate"}, e) == exit_done);
    CHECK(e.files["mine/calibration.entw"] != kept);
    CHECK(e.out.find("by 90 examples") != std::string::npos);
}

TEST_CASE("what cannot be scored is told") {
    FakeEnvironment e = trained(network);
    const auto refused = [&e](const std::vector<std::string>& words, int code, const char* said) {
        e.error.clear();
        CHECK(run(words, e) == code);
        INFO(e.error);
        CHECK(e.error.find(said) != std::string::npos);
    };
    refused({"score", "run", "a.csv", "--explain", "99"}, exit_usage, "a row from 1 to 90 that is scored, found 99");
    refused({"score", "task.toml", "a.csv"}, exit_bad_data, "model.malformed");
    refused({"score", "nowhere", "a.csv"}, exit_failed, "nowhere");
    e.put("few.csv", "line,day,x,y\nA,2020-03-01,1,1\n");
    refused({"score", "run", "few.csv"}, exit_bad_data, "--past names the file with your rows to train on");
    e.put("ragged.csv", "line,day,x,y\nA,2020-03-01,1\n");
    refused({"score", "run", "ragged.csv"}, exit_bad_data, "csv.ragged");
    FakeEnvironment other = trained(forest);
    e.files["mine/calibration.entw"] = {};
    refused({"score", "run", "a.csv", "--state", "mine"}, exit_bad_data, "take that file away and --past sets it again");
    REQUIRE(run({"score", "run", "open.csv", "--past", "a.csv", "--json"}, other) == exit_done);
    e.files["mine/calibration.entw"] = other.files["run/calibration.entw"];
    refused({"score", "run", "a.csv", "--state", "mine"}, exit_failed, "watch.other-model");
    refused({"score", "run", "a.csv", "--state", "mine"}, exit_failed, "--recalibrate sets it by the rows of this file, or take that file away and --past sets it again");
}
