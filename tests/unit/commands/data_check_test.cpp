#include "commands/data_check.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "commands/run.hpp"
#include "commands/task_toml.hpp"
#include "unit/commands/fake_environment.hpp"

using namespace entente;
using namespace entente::commands;

namespace {

std::string example(const std::string& name) {
    std::ifstream file(std::string(ENTENTE_SOURCE_DIR) + "/examples/" + name + "/task.toml");
    return {std::istreambuf_iterator<char>(file), {}};
}

constexpr const char* task_text = R"(
name = "pump"
title = "A pump"
min_rows = 2
[[columns]]
name = "at"
role = "time"
[[columns]]
name = "pressure"
unit = "bar"
least = 0
most = 40
[[columns]]
name = "broken"
role = "label"
[[columns]]
name = "repair"
role = "forbidden"
known_as = ["Repair cost"]
why = "it is paid when the pump has broken"
[[features]]
kind = "value"
column = "pressure"
[label]
kind = "flag"
column = "broken"
)";

constexpr const char* mapping_text = R"(
[file]
dates = "day-first"
[columns]
at = "Zeit"
broken = "Defekt"
[columns.pressure]
from = "Druck"
unit = "kPa"
missing = ["Sensor aus"]
)";

constexpr const char* data_text = "Zeit;Druck;Defekt;Repair cost\r\n1.2.2020 10:00;1.250,5;0;\r\n1.2.2020 11:00;Sensor aus;1;900\r\n1.2.2020 12:00;700,25;0;\r\n";

FakeEnvironment world() {
    FakeEnvironment e;
    e.put("task.toml", task_text);
    e.put("mine.toml", mapping_text);
    e.put("data.csv", data_text);
    return e;
}

std::string refusal(const char* task, const char* mapping = "", const char* expected = "") {
    const auto read = read_task_toml(task, "task.toml");
    if (!read.ok()) return read.error().reason + " " + read.error().message;
    const auto mapped = read_mapping_toml(mapping, "mine.toml", *read);
    return mapped.ok() ? expected : mapped.error().reason + " " + mapped.error().message;
}

}  // namespace

TEST_CASE("the examples' tasks are good, with as many inputs as their models have") {
    for (const auto& [name, inputs] : {std::pair{"late-deliveries", 171u}, {"sensor-anomalies", 240u}, {"engine-health", 56u}}) {
        const auto task = read_task_toml(example(name), "task.toml");
        INFO((task.ok() ? "" : task.error().message));
        REQUIRE(task.ok());
        CHECK(task->name == name);
        CHECK(task::feature_names(*task).size() == inputs);
    }
}

TEST_CASE("data check shows what is mapped, what is missing and what will be used") {
    FakeEnvironment e = world();
    CHECK(run({"data", "check", "--task", "task.toml", "--mapping", "mine.toml", "data.csv"}, e) == exit_done);
    CHECK(e.error.empty());
    INFO(e.out);
    CHECK(e.out.find("data.csv: 3 rows, 4 columns; semicolon, decimal comma, UTF-8") != std::string::npos);
    CHECK(e.out.find("pressure  Druck   1 (33 %)         7.003 to 12.51 bar, mean 9.754, from kPa") != std::string::npos);
    CHECK(e.out.find("Repair cost: it is paid when the pump has broken") != std::string::npos);
    CHECK(e.out.find("To train on  3 examples, label 1: 1 (33 %)") != std::string::npos);
    FakeEnvironment json = world();
    CHECK(run({"data", "check", "--json", "--task", "task.toml", "--mapping", "mine.toml", "data.csv"}, json) == exit_done);
    CHECK(json.out.find(R"("unused":[{"header":"Repair cost","forbidden":"it is paid when the pump has broken"}],"inputs":1,"train":{"examples":3,"positive":1})") != std::string::npos);
}

TEST_CASE("what data make writes is what the examples' tasks read") {
    for (const auto& [story, file] : {std::pair{"late-deliveries", "late-deliveries/made"}, {"sensor-anomalies", "sensor-anomalies/task"}, {"engine-health", "engine-health/task"}}) {
        FakeEnvironment e;
        CHECK(run({"data", "make", story, "--partners", "2", "--seed", "3", "-o", "made"}, e) == exit_done);
        CHECK(e.files.size() == 2);
        std::ifstream task(std::string(ENTENTE_SOURCE_DIR) + "/examples/" + file + ".toml");
        e.put("task.toml", std::string{std::istreambuf_iterator<char>(task), {}});
        for (const char* partner : {"partner-1", "partner-2"}) {
            CHECK(run({"data", "check", "--task", "task.toml", std::string("made/") + partner + "/" + story + ".csv"}, e) == exit_done);
        }
        INFO(e.error);
        CHECK(e.error.empty());
        CHECK(e.out.find("outside") == std::string::npos);
    }
    FakeEnvironment e;
    CHECK(run({"data", "make", "late-deliverys", "-o", "made"}, e) == exit_usage);
    CHECK(e.error.find("did you mean \"late-deliveries\"?") != std::string::npos);
}

TEST_CASE("data check refuses with the place and the reason") {
    FakeEnvironment e = world();
    e.put("bad.csv", "at,pressure,broken\n2020-01-01,5,0\n2020-02-31,5,1\n");
    CHECK(run({"data", "check", "--task", "task.toml", "bad.csv"}, e) == exit_bad_data);
    CHECK(e.error.find("bad.csv: row 2 (line 3), column 1 (at): expected a day of the calendar") != std::string::npos);
    e.put("leak.toml", "[columns]\npressure = \"Repair cost\"\nbroken = \"Defekt\"\nat = \"Zeit\"\n");
    CHECK(run({"data", "check", "--task", "task.toml", "--mapping", "leak.toml", "data.csv"}, e) == exit_configuration);
    CHECK(e.error.find("it is paid when the pump has broken") != std::string::npos);
}

TEST_CASE("tasks and mappings name the key that is wrong, and the nearest") {
    const std::string task = task_text;
    CHECK(refusal((task + "colour = 1\n").c_str()).starts_with("task.unknown-key task.toml:27:1: label.colour"));
    CHECK(refusal(("tittle = \"x\"\n" + task).c_str()).find("did you mean \"title\"?") != std::string::npos);
    CHECK(refusal((task + "[split]\nkind = \"tme\"\n").c_str()).find("did you mean \"time\"?") != std::string::npos);
    CHECK(refusal((task + "[split]\nkind = \"time\"\nat = \"2014-02-31\"\n").c_str()).starts_with("task.split task.toml:29:"));
    CHECK(refusal((task + "[split]\nkind = \"time\"\n").c_str()).find("the instant from which rows are only scored") != std::string::npos);
    CHECK(refusal(task_text, "[columns]\npresure = \"Druck\"\n").find("did you mean \"pressure\"?") != std::string::npos);
    CHECK(refusal(task_text, "[columns.pressure]\nform = \"Druck\"\n").find("did you mean \"from\"?") != std::string::npos);
    CHECK(refusal(task_text, "[file]\ndates = \"mdy\"\n").starts_with("mapping.out-of-range mine.toml:2:"));
    const auto mapping = read_mapping_toml("[columns.pressure]\nfrom = \"P\"\nrename = {}\n[file]\ndelimiter = \"tab\"\ntitle_lines = 2\n", "mine.toml", read_task_toml(task_text, "t").value()).value();
    CHECK(mapping.delimiter == '\t');
    CHECK(mapping.title_lines == 2u);
    CHECK_FALSE(mapping.columns.at(0).unit.has_value());
}
