// What a model card says of a task on tables: which rows, and how good for whom.
#include <doctest/doctest.h>

#include "commands/export_model.hpp"
#include "commands/plan_toml.hpp"
#include "commands/rows_digest.hpp"
#include "commands/run.hpp"
#include "commands/task_toml.hpp"
#include "entente/codec/safetensors.hpp"
#include "entente/task/rows.hpp"
#include "unit/commands/fake_environment.hpp"

using namespace entente;
using namespace entente::commands;

namespace {

constexpr const char* task_text = R"(
name = "easy"
min_rows = 2
metrics = ["auc", "brier"]
[[columns]]
name = "day"
role = "time"
[[columns]]
name = "plant"
kind = "category"
[[columns]]
name = "x"
[[columns]]
name = "bad"
role = "label"
[[columns]]
name = "bill"
role = "forbidden"
why = "it is written later"
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

std::string digest_of(std::string_view csv) {
    const task::Task t = read_task_toml(task_text, "task.toml").value();
    task::RowReader reader = task::RowReader::start(t, {}).value();
    REQUIRE(reader.feed(as_bytes(csv)).ok());
    return to_hex(digest_of_rows(t, reader.finish().value()));
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("rows have a digest that does not depend on how their file is written") {
    // Python: sha256(t("day") + pack("<qq", 2020-01-01, 2020-01-03 in ms) + t("plant") + t("P0") + ff ff ff ff + t("x") + pack("<d", 1.5) +
    // 00 00 00 00 00 00 f8 7f + t("bad") + pack("<dd", 0, 1)) with t(s) = pack("<I", len(s)) + s
    const std::string known = "f566e50f19eab20b7409e8dda47b85b14fc4530c44a8749e15366581c5028aed";
    CHECK(digest_of("day,plant,x,bad\n2020-01-01,P0,1.5,0\n2020-01-03,,NA,1\n") == known);
    CHECK(digest_of("\xef\xbb\xbf" "bad;x;day;more;plant\r\n0;1,5;2020-01-01;7;P0\r\n1;;3-Jan-20;8;\r\n") == known);
    CHECK(digest_of("day,plant,x,bad\n2020-01-01,P0,1.5,0\n2020-01-03,,NA,0\n") != known);
    CHECK(digest_of("day,plant,x,bad\n2020-01-01,P1,1.5,0\n2020-01-03,,NA,1\n") != known);
}

TEST_CASE("the card of a simulation names task, split, rows, scores of each and of all, rounds and agreements") {
    FakeEnvironment e;
    e.put("task.toml", task_text);
    for (const char* name : {"a.csv", "b.csv"}) {
        std::string text = "day,plant,x,bad\n";
        for (int i = 0; i < 30; ++i) text += "2020-01-0" + std::to_string(1 + i % 3) + ",P," + std::to_string(i % 7) + "," + (i % 7 > 3 ? "1" : "0") + "\n";
        e.put(name, text + (name[0] == 'a' ? "2020-01-02,P,9,1\n" : ""));
    }
    REQUIRE(run({"simulate", "--task", "task.toml", "--table", "a.csv", "--table", "b.csv", "--rounds", "3", "--alone", "--quiet", "--out", "out"}, e) == exit_done);
    INFO(e.error);
    const std::string card = e.text("out/model-card.md");
    for (const char* part : {"| split | by time: rows from 2020-01-03 on are only scored |", "| left out, known too late | bill |", "| Partner 1 | 21 | 10 | `", "| Partner 2 | 20 | 10 | `",
                             "| auc | constant | local | federated | pooled |", "| all | 0.500 | ", "| rounds counted | 3 |", "| partners that contributed | 2 |", "| agreements in force | 4 |"}) {
        INFO(part);
        CHECK(contains(card, part));
    }
    CHECK(contains(card, digest_of(e.text("a.csv"))));
    CHECK(contains(card, digest_of(e.text("b.csv"))));
    CHECK_FALSE(contains(card, "accuracy"));
    // Of trees: no rounds and no agreements, and it says so.
    e.put("trees.toml", "[model]\nkind = \"trees\"\ntrees = 3\n");
    REQUIRE(run({"simulate", "--task", "task.toml", "--model", "trees.toml", "--table", "a.csv", "--table", "b.csv", "--quiet", "--out", "out"}, e) == exit_done);
    CHECK(contains(e.text("out/model-card.md"), "| model | 3 boosted trees of depth 4 |"));
    CHECK(contains(e.text("out/model-card.md"), "No ledger was at hand"));
    CHECK_FALSE(contains(e.text("out/model-card.md"), "0000000000000000"));
}

TEST_CASE("the card of a federation says of its partners' rows what they gave, and nothing that they did not") {
    FakeEnvironment e;
    plan::Plan plan = plan::default_digits_plan();
    plan::use_task(plan, read_task_toml(task_text, "task.toml").value());
    plan.contract.model_may = plan::model_operations | policy::operation::export_model;
    REQUIRE(plan::check(plan).ok());
    e.put("plan.toml", write_plan_toml(plan));
    const std::vector<float> parameters(static_cast<std::size_t>(plan::parameter_count(plan) + plan::sums_length(plan)), 0.5f);
    const Bytes model = codec::write_safetensors(plan::wire_tensors(plan), parameters, {}).value();
    e.files["m.safetensors"] = model;
    std::vector<std::string> line{"export", "m.safetensors", "-o", "out.npz", "--plan", "plan.toml"};
    CHECK(run(line, e) == exit_done);
    INFO(e.error);
    CHECK(contains(e.text("out.npz.card.md"), "they are not known here"));
    const std::string digest(64, 'a');
    e.put("given", R"({"participant":"plant|1","metrics_alone":{"auc":0.7,"brier":null},"metrics_federated":{"auc":0.8126,"brier":0.1},"examples":20,"data":{"digest":")" + digest +
                       R"(","train":20,"test":10}})" "\n\n" R"({"participant":"plant-2","metrics_alone":null,"metrics_federated":{"auc":0.9},"data":{"digest":")" + digest + R"(","train":1234,"test":0}})");
    line.insert(line.end(), {"--partners", "given"});
    CHECK(run(line, e) == exit_done);
    const std::string card = e.text("out.npz.card.md");
    CHECK(contains(card, "| plant/1 | 20 | 10 | `" + digest + "` |"));
    CHECK(contains(card, "| plant-2 | 1 234 | 0 | `"));
    CHECK(contains(card, "| plant/1 | 0.700 | 0.813 |"));
    CHECK(contains(card, "| plant-2 | – | 0.900 |"));
    for (const char* wrong : {"{", "[]", R"({"participant":"a"})", R"({"participant":"a","data":{"digest":"xyz","train":1,"test":1}})", R"({"participant":"a","data":{"digest":"","train":-1,"test":1}})"}) {
        e.put("given", std::string("\n") + wrong);
        e.error.clear();
        CHECK(run(line, e) != exit_done);
        CHECK(contains(e.error, "line 2"));
    }
    e.put("plan.toml", write_plan_toml(plan::default_digits_plan()));
    line = {"export", "m.safetensors", "-o", "out.npz", "--partners", "given"};
    CHECK(run(line, e) == exit_usage);
}
