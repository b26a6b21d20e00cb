// Every strategy through the whole round, from the names alone.
#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

namespace {

plan::Plan plan_of(const std::string& strategy, std::uint32_t rounds) {
    plan::Plan plan = tiny_plan(rounds);
    plan.aggregation.strategy = aggregate::default_terms(strategy).value();
    return plan;
}

}  // namespace

TEST_CASE("every strategy runs to its end, and no two with a memory come to the same model") {
    std::set<Digest> models;
    for (const std::string& name : aggregate::strategy_names()) {
        CAPTURE(name);
        World w(plan_of(name, 4), {"a", "b", "c"});
        REQUIRE(w.run());
        CHECK(w.machine->view().completed == 4);
        models.insert(w.model());
    }
    CHECK(models.size() >= 5);
}

TEST_CASE("killed after any record of the ledger, the coordinator comes to the same model, whatever the strategy") {
    for (const std::string& name : aggregate::strategy_names()) {
        CAPTURE(name);
        const plan::Plan plan = plan_of(name, 3);
        World undisturbed(plan, {"a", "b"});
        REQUIRE(undisturbed.run());
        const std::size_t begin = World(plan, {"a", "b"}).journal.size() + 1;
        for (std::size_t at = begin; at <= undisturbed.journal.size(); ++at) {
            CAPTURE(at);
            World w(plan, {"a", "b"});
            w.crash_after = at;
            bool finished = false;
            try {
                finished = w.run();
            } catch (const Crash&) {
                w.crash_after.reset();
                w.start_coordinator();
                finished = w.run();
            }
            CHECK(finished);
            CHECK(w.model() == undisturbed.model());
        }
    }
}

TEST_CASE("without what the strategy remembers, or with it damaged, the coordinator refuses to start") {
    World w(plan_of("fedadam", 3), {"a", "b"});
    while (w.machine->view().completed < 1) w.run(1);
    Digest memory;
    for (const auto& entry : w.journal) {
        if (const auto* published = std::get_if<round::ModelPublished>(&entry.record.body)) memory = published->memory;
    }
    REQUIRE_FALSE(memory.is_zero());
    const auto intact = w.blobs;
    w.blobs.erase(memory);
    w.start_coordinator();
    REQUIRE(w.machine->failure().has_value());
    CHECK(w.machine->failure()->reason == "ledger.missing-blob");

    w.blobs = intact;
    w.blobs[memory] = std::make_shared<Bytes>(*intact.at(memory));
    w.blobs[memory]->back() ^= std::byte{1};
    w.start_coordinator();
    REQUIRE(w.machine->failure().has_value());
    CHECK(w.machine->failure()->reason == "ledger.damaged-blob");
}
