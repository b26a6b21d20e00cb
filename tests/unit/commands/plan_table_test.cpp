// A task on tables in a plan's TOML.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "commands/plan_file.hpp"
#include "commands/plan_toml.hpp"
#include "commands/run.hpp"
#include "unit/commands/fake_environment.hpp"

using namespace entente;
using namespace entente::commands;

namespace {

std::string example(const std::string& path) {
    std::ifstream file(std::string(ENTENTE_SOURCE_DIR) + "/examples/" + path);
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>(file), {}};
}

FakeEnvironment with(const std::string& task, const std::string& plan) {
    FakeEnvironment e;
    e.put("plans/tasks/own.toml", task);
    e.put("plans/plan.toml", plan);
    return e;
}

}  // namespace

TEST_CASE("a plan names the file of its task, and is shown with all of it") {
    for (const char* name : {"late-deliveries/task.toml", "late-deliveries/made.toml", "sensor-anomalies/task.toml", "engine-health/task.toml"}) {
        CAPTURE(name);
        FakeEnvironment e = with(example(name), "[federation]\nid = \"tables\"\n[task]\nfile = \"tasks/own.toml\"\n");
        const auto plan = read_plan_file("plans/plan.toml", e);
        REQUIRE_MESSAGE(plan.ok(), (plan.ok() ? "" : plan.error().message));
        CHECK(plan->task.kind == "table");
        REQUIRE(plan->task.table.has_value());
        CHECK(plan->task.model.layers.size() >= 3);
        CHECK(plan->task.loss.kind != nn::LossKind::cross_entropy);
        REQUIRE(run({"plan", "show", "plans/plan.toml"}, e) == exit_done);
        const auto shown = read_plan_toml(e.out, "shown");
        REQUIRE_MESSAGE(shown.ok(), (shown.ok() ? "" : shown.error().message));
        CHECK(*shown == *plan);
        CHECK(plan::digest_of(*shown) == plan::digest_of(*plan));
        CHECK(run({"plan", "check", "plans/plan.toml"}, e) == exit_done);
        CHECK(e.out.find("task " + plan->task.table->name) != std::string::npos);
    }
}

TEST_CASE("the example's plan is good") {
    FakeEnvironment e;
    e.put("late/plan.toml", example("late-deliveries/plan.toml"));
    e.put("late/made.toml", example("late-deliveries/made.toml"));
    const auto plan = read_plan_file("late/plan.toml", e);
    REQUIRE_MESSAGE(plan.ok(), (plan.ok() ? "" : plan.error().message));
    CHECK(plan->task.table->name == "late-deliveries-made");
}

TEST_CASE("a plan's own model and loss outweigh the task's") {
    const FakeEnvironment made = with(example("late-deliveries/made.toml"),
                                      "[task]\nfile = \"tasks/own.toml\"\n[task.model]\ninput = [35]\nlayers = [{kind = \"dense\", name = \"one\", units = 1}]\n");
    FakeEnvironment e = made;
    const auto plan = read_plan_file("plans/plan.toml", e);
    REQUIRE(plan.ok());
    CHECK(plan->task.model.layers.size() == 1);
    CHECK(plan->task.loss.kind == nn::LossKind::binary_cross_entropy);
}

TEST_CASE("what is wrong with a plan's task is said with file, key and reason") {
    const std::string good = example("late-deliveries/made.toml");
    const auto fault = [](const std::string& task, const std::string& plan) {
        FakeEnvironment e = with(task, plan);
        const auto read = read_plan_file("plans/plan.toml", e);
        return read.ok() ? std::string("no fault") : read.error().message;
    };
    const auto says = [](const std::string& message, std::string_view part) {
        INFO(message);
        return message.find(part) != std::string::npos;
    };
    CHECK(says(fault(good, "[task]\nfile = \"none.toml\"\n"), "plans/none.toml"));
    CHECK(says(fault(good, "[task]\nkind = \"table\"\n"), "task.table: expected the task"));
    CHECK(says(fault(good, "[task]\nkind = \"digits\"\nfile = \"tasks/own.toml\"\n"), "task.kind"));
    CHECK(says(fault(good, "[task]\nfile = \"tasks/own.toml\"\n[task.table]\nname = \"x\"\n"), "found both"));
    CHECK(says(fault("nam = \"x\"\n" + good, "[task]\nfile = \"tasks/own.toml\"\n"), "tasks/own.toml"));
    CHECK(says(fault(good, "[task]\nfile = \"tasks/own.toml\"\n[task.table.split]\nkin = 1\n"), "found both"));
    CHECK(says(fault(good, "[task.table]\nname = \"x\"\n[task.table.split]\nkin = 1\n"), "task.table.split.kin"));
    CHECK(says(fault(good, "[task]\nfile = \"tasks/own.toml\"\n[aggregation]\ntop = 0.1\n"), "aggregation.top"));
    CHECK(says(read_plan_toml("[task]\nfile = \"own.toml\"\n", "p").error().message, "[task.table]"));
}
