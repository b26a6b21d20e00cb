// Every strategy through the whole round, from the names alone.
#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

namespace {

plan::Plan plan_of(const std::string& strategy, std::uint32_t rounds) {
    plan::Plan plan = tiny_plan(rounds);
    REQUIRE(plan::use_strategy(plan, strategy).ok());
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
        check_every_crash(plan_of(name, 3));
    }
}

TEST_CASE("FedProx with mu 0, FedNova with equal steps and FedBuff with fresh updates are FedAvg, bit for bit") {
    World fedavg(plan_of("fedavg", 3), {"a", "bb", "ccc"});
    REQUIRE(fedavg.run());
    plan::Plan fedprox = plan_of("fedprox", 3);
    CHECK(fedprox.training.proximal_mu == 0.01f);
    fedprox.training.proximal_mu = 0;
    plan::Plan fedbuff = plan_of("fedbuff", 3);
    for (const std::uint64_t steps : {1u, 3u, 7u, 640u}) {
        for (const plan::Plan& plan : {fedprox, plan_of("fednova", 3), fedbuff}) {
            CAPTURE(plan.aggregation.strategy.name);
            World w(plan, {"a", "bb", "ccc"});
            w.spoil = [steps](const std::string&, pa::Trained& result) { result.steps = steps; };
            REQUIRE(w.run());
            const auto x = w.machine->parameters();
            CHECK(std::equal(x.begin(), x.end(), fedavg.machine->parameters().begin()));
        }
    }
}

TEST_CASE("FedNova counts by examples and steps as its equation says") {
    World w(plan_of("fednova", 1), {"a", "bb"});
    const auto x = plan::initial_parameters(w.plan);
    w.spoil = [](const std::string& id, pa::Trained& result) { result.steps = id == "a" ? 3 : 12; };
    REQUIRE(w.run());
    const auto ya = trained(x, "a", 1);
    const auto yb = trained(x, "bb", 1);
    const double effective = (11.0 * 3 + 12.0 * 12) / 23.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double mean = (11.0 * (ya[i] - x[i]) / 3 + 12.0 * (yb[i] - x[i]) / 12) / 23.0;
        CHECK(std::abs(w.machine->parameters()[i] - (x[i] + effective * mean)) < 4.0 / 16384);
    }
    World none(plan_of("fednova", 1), {"a", "bb"});
    none.spoil = [](const std::string& id, pa::Trained& result) { result.steps = id == "a" ? 0 : 1; };
    none.run(300);
    REQUIRE_FALSE(none.refused["a"].empty());
    CHECK(none.refused["a"][0] == "update.steps");
}

TEST_CASE("with 8 and 4 bits in blocks the model is the weighted mean to the precision of a block") {
    for (const std::uint8_t bits : {std::uint8_t{8}, std::uint8_t{4}}) {
        plan::Plan plan = plan_of("fedavg", 1);
        plan.aggregation.grid.bits = bits;
        plan.aggregation.grid.block = 16;
        World w(plan, {"a", "bb"});
        const auto x = plan::initial_parameters(w.plan);
        REQUIRE(w.run());
        const auto ya = trained(x, "a", 1);
        const auto yb = trained(x, "bb", 1);
        const double step = bits == 8 ? 0.5 / 64 : 0.5 / 4;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double expected = x[i] + (11.0 * (ya[i] - x[i]) + 12.0 * (yb[i] - x[i])) / 23.0;
            CHECK(std::abs(w.machine->parameters()[i] - expected) < step);
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
