#include <doctest/doctest.h>

#include "commands/run.hpp"
#include "unit/commands/fake_environment.hpp"

using namespace entente;
using namespace entente::commands;

namespace {

constexpr const char* task_text = R"(
name = "orders"
min_rows = 1
[[columns]]
name = "line"
role = "id"
[[columns]]
name = "due"
role = "time"
[[columns]]
name = "delivered"
role = "label"
kind = "instant"
missing = ["open"]
[[columns]]
name = "note"
kind = "category"
unknown = "hash"
buckets = 4
[[features]]
kind = "one-hot"
column = "note"
[label]
kind = "later"
column = "delivered"
[model]
input = [4]
[[model.layers]]
kind = "dense"
name = "out"
units = 1
)";

struct Labelling {
    FakeEnvironment e;
    int code = 0;

    Labelling(std::string_view data, std::string_view labels, const std::string& to = "out.csv", std::string_view mapping = "") {
        e.put("task.toml", task_text);
        e.put("mapping.toml", mapping);
        e.put("orders.csv", data);
        e.put("labels.csv", labels);
        code = run({"data", "label", "--task", "task.toml", "--mapping", "mapping.toml", "orders.csv", "labels.csv", "-o", to}, e);
    }
    void refused(std::string_view reason, std::string_view said) {
        INFO(e.error);
        CHECK(code != exit_done);
        CHECK(e.error.find(reason) != std::string::npos);
        CHECK(e.error.find(said) != std::string::npos);
        CHECK(e.files.count("out.csv") == 0);
    }
};

constexpr const char* orders = "line;due;note;delivered;other\n1;2020-01-02;\"a; \"\"b\"\"\";2020-01-01;x\n2;2020-01-03;;open;y\n3;2020-01-04;c;;\n";

}  // namespace

TEST_CASE("labels come into a copy, and every other cell stays") {
    Labelling l(orders, "id,arrived\n2,2020-01-09\n3,\n1,1-Jan-20\n");
    INFO(l.e.error);
    REQUIRE(l.code == exit_done);
    CHECK(l.e.text("out.csv") == "line;due;note;delivered;other\n1;2020-01-02;\"a; \"\"b\"\"\";2020-01-01;x\n2;2020-01-03;;2020-01-09;y\n3;2020-01-04;c;;\n");
    CHECK(l.e.text("orders.csv") == orders);
    CHECK(l.e.out.find("3 rows, 1 of them with a label that is new; 1 label was there already") != std::string::npos);
}

TEST_CASE("a file without the label's column gets it, last") {
    Labelling l("line,due,note\n1,2020-01-02,a\n2,2020-01-03,b\n", "id,arrived\n2,2020-01-09\n");
    REQUIRE(l.code == exit_done);
    CHECK(l.e.text("out.csv") == "line,due,note,delivered\n1,2020-01-02,a,\n2,2020-01-03,b,2020-01-09\n");
}

TEST_CASE("the copy is read as the file is: under the mapping's header, behind as many lines") {
    constexpr const char* mapping = "[file]\ntitle_lines = 2\n[columns]\ndelivered = \"Ankunft\"\n";
    const std::string labels = "id,arrived\n1,2020-01-01\n2,2020-01-09\n";
    Labelling l("Orders\nof, May\nline,due,note\n1,2020-01-02,a\n2,2020-01-03,b\n", labels, "out.csv", mapping);
    INFO(l.e.error);
    REQUIRE(l.code == exit_done);
    CHECK(l.e.text("out.csv") == "\n\nline,due,note,Ankunft\n1,2020-01-02,a,2020-01-01\n2,2020-01-03,b,2020-01-09\n");
    Labelling again(l.e.text("out.csv"), labels, "out.csv", mapping);
    INFO(again.e.error);
    REQUIRE(again.code == exit_done);
    CHECK(again.e.text("out.csv") == l.e.text("out.csv"));
    CHECK(again.e.out.find("2 rows, 0 of them with a label that is new; 2 labels were there already") != std::string::npos);
    CHECK(run({"data", "check", "--task", "task.toml", "--mapping", "mapping.toml", "out.csv"}, again.e) == exit_done);
}

TEST_CASE("what cannot be a label of the file is refused with its row, and nothing is written") {
    Labelling(orders, "id,arrived\n2,2020-01-09\n9,2020-01-09\n").refused("label.unknown", "row 2: expected an id of orders.csv, found \"9\"");
    Labelling(orders, "id,arrived\n1,2020-01-07\n").refused("label.contradiction", "row 1: expected the label \"2020-01-01\" of the id \"1\", found \"2020-01-07\" in row 1 of the labels");
    Labelling(orders, "id,arrived\n2,2020-01-09\n2,2020-01-10\n").refused("label.contradiction", "row 2: expected one label for the id \"2\"");
    Labelling(orders, "id,arrived\n2,2020-02-31\n").refused("label.value", "row 1");
    Labelling(orders, "id,arrived,by\n2,2020-01-09,me\n").refused("label.columns", "two columns");
    Labelling("line,due,note\n1,2020-01-02,a\n1,2020-01-03,b\n", "id,arrived\n1,2020-01-09\n").refused("label.twice", "row 2: expected the id \"1\" once, found it in row 1, too");
    Labelling(orders, "id,arrived\n2,2020-01-09\n", "orders.csv").refused("usage.output", "another file");
}
