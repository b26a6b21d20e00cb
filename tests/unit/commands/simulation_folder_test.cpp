#include <doctest/doctest.h>

#include <algorithm>

#include "commands/chart.hpp"
#include "commands/plan_toml.hpp"
#include "commands/run.hpp"
#include "commands/sweep.hpp"
#include "digits_files.hpp"
#include "entente/codec/npz.hpp"
#include "entente/codec/safetensors.hpp"

using namespace entente;

namespace {

std::string text_of(const FakeEnvironment& environment, const std::string& file) {
    const auto it = environment.files.find(file);
    REQUIRE(it != environment.files.end());
    return {reinterpret_cast<const char*>(it->second.data()), it->second.size()};
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t lines(const std::string& text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

TEST_CASE("a run leaves its numbers, its model in three formats, its card and a page that needs no network") {
    WithDigits environment;
    REQUIRE(commands::run({"simulate", "--data", "mnist", "--partners", "4", "--sample", "0.5", "--rounds", "3", "--out", "run"},
                          environment) == commands::exit_done);
    CHECK(lines(text_of(environment, "run/metrics.csv")) == 4);
    CHECK(lines(text_of(environment, "run/partners.csv")) == 5);
    const auto npz = codec::read_npz(environment.files["run/model.npz"]).value();
    const auto safetensors = codec::read_safetensors(environment.files["run/model.safetensors"]).value();
    CHECK(npz.values == safetensors.values);
    CHECK(npz.tensors == safetensors.tensors);
    CHECK(environment.files.count("run/model.onnx") == 1);
    const plan::Plan plan = commands::read_plan_toml(text_of(environment, "run/plan.toml"), "plan").value();
    CHECK(plan.round.min_cohort == 2);
    const std::string card = text_of(environment, "run/model-card.md");
    CHECK(contains(card, to_hex(plan::digest_of(plan))));
    CHECK(contains(card, "| rounds counted | 3 |"));
    CHECK(contains(card, "agr-"));
    const std::string page = text_of(environment, "run/report.html");
    CHECK(contains(page, "<svg"));
    CHECK(contains(page, to_hex(plan::digest_of(plan))));
    CHECK_FALSE(contains(page, "http:"));
    CHECK_FALSE(contains(page, "https:"));
    CHECK_FALSE(contains(page, "<script"));
}

TEST_CASE("seeds and a sweep run side by side, each in its folder") {
    WithDigits environment;
    REQUIRE(commands::run({"simulate", "--data", "mnist", "--partners", "2", "--rounds", "2", "--seed", "3,5", "--sweep",
                           "strategy=fedavg,fedadam", "local.epochs=1,2", "--out", "run", "--json"},
                          environment) == commands::exit_done);
    CHECK(lines(text_of(environment, "run/metrics.csv")) == 1 + 4 * 2 * 2);
    CHECK(contains(environment.out, R"({"run":"strategy=fedadam, local.epochs=2, seed 5","round":2,)"));
    const std::string folder = "run/strategy=fedadam-local.epochs=2-seed-5";
    const plan::Plan plan = commands::read_plan_toml(text_of(environment, folder + "/plan.toml"), "plan").value();
    CHECK(plan.aggregation.strategy == aggregate::default_terms("fedadam").value());
    CHECK(plan.training.epochs == 2);
    CHECK(plan.training.seed == 5);
    CHECK(contains(text_of(environment, "run/report.html"), "4: strategy=fedadam, local.epochs=2"));

    // Each run has left its checkpoint: resuming finds them done and comes to the same numbers.
    const std::string before = text_of(environment, "run/partners.csv");
    REQUIRE(commands::run({"simulate", "--data", "mnist", "--partners", "2", "--rounds", "2", "--seed", "3,5", "--sweep",
                           "strategy=fedavg,fedadam", "local.epochs=1,2", "--out", "run", "--resume", "--quiet"},
                          environment) == commands::exit_done);
    CHECK(text_of(environment, "run/partners.csv") == before);
}

TEST_CASE("a sweep over something that is no key of a plan is refused") {
    const auto run = [](std::vector<std::string> terms) {
        WithDigits environment;
        std::vector<std::string> args{"simulate", "--data", "mnist", "--rounds", "1", "--sweep"};
        args.insert(args.end(), terms.begin(), terms.end());
        const int code = commands::run(args, environment);
        CHECK(code != commands::exit_done);
        return environment.error;
    };
    CHECK(contains(run({"epochs"}), "usage.sweep"));
    CHECK(contains(run({"local.epochs="}), "usage.sweep"));
    CHECK(contains(run({"nothing.epochs=1"}), "usage.sweep"));
    CHECK(contains(run({"local.epoch=1"}), "training.epoch"));
    CHECK(contains(run({"local.epochs=0"}), "training.epochs"));
    CHECK(contains(run({"strategy=fedmagic"}), "fedmagic"));
    CHECK(commands::read_grid({"a=1,2,3", "b=1,2"})->size() == 6);
    CHECK(commands::read_grid({"a=1,2,3,4,5,6,7,8,9", "b=1,2,3,4,5,6,7,8,9", "c=1,2,3,4"}).error().reason == "usage.sweep");
}

TEST_CASE("a model that was exported comes in again, checked against its plan") {
    WithDigits environment;
    REQUIRE(commands::run({"simulate", "--data", "mnist", "--partners", "2", "--rounds", "1", "--out", "run"}, environment) ==
            commands::exit_done);
    REQUIRE(commands::run({"export", "run/model.npz", "-o", "m.onnx", "--plan", "run/plan.toml", "--ledger", "run/ledger.entl"},
                          environment) == commands::exit_done);
    REQUIRE(commands::run({"export", "run/model.safetensors", "-o", "m.npz", "--plan", "run/plan.toml"}, environment) ==
            commands::exit_done);
    CHECK(environment.files["m.npz"] == environment.files["run/model.npz"]);
    CHECK(environment.files["m.onnx"].size() < environment.files["run/model.onnx"].size());  // npz names no plan
    const std::string digest = text_of(environment, "m.npz.card.md").substr(0, 200);
    CHECK(text_of(environment, "run/model-card.md").substr(0, 200).find(digest.substr(digest.find('`'), 66)) != std::string::npos);
    CHECK(contains(text_of(environment, "m.onnx.card.md"), "| rounds counted | 1 |"));
    environment.put("other.toml", "[training]\nbatch = 7\n");
    CHECK(commands::run({"export", "run/model.safetensors", "-o", "n.npz", "--plan", "other.toml"}, environment) != commands::exit_done);
    CHECK(contains(environment.error, "export.other-plan"));
    environment.put("shape.toml", "[task.model]\ninput = [28, 28, 1]\nlayers = [{kind = \"flatten\"}, {kind = \"dense\", name = \"out\", units = 10}]\n");
    CHECK(commands::run({"export", "run/model.npz", "-o", "n.npz", "--plan", "shape.toml"}, environment) != commands::exit_done);
    CHECK(contains(environment.error, "export.shape"));
    CHECK(environment.files.count("n.npz") == 0);
}

TEST_CASE("a chart escapes what others have named") {
    commands::Chart chart{"<b>", "round", "", 2, false, {{"a&b", {1, 2}, {0.5, 0.7}, {0.4, 0.6}, {0.6, 0.8}}}};
    const std::string svg = commands::line_chart(chart);
    CHECK(contains(svg, "&lt;b&gt;"));
    CHECK(contains(svg, "a&amp;b"));
    CHECK(contains(svg, "<polygon"));
    chart.lines[0].low = chart.lines[0].high = chart.lines[0].y;
    CHECK_FALSE(contains(commands::line_chart(chart), "<polygon"));
    chart.lines.clear();
    CHECK(commands::line_chart(chart).empty());
    CHECK(commands::histogram("none", {{}}, 5).empty());
    CHECK(contains(commands::histogram("one", {{0.5}}, 5), "<rect"));
}
