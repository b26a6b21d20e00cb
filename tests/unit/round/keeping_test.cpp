#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

namespace {

constexpr std::int64_t day_ms = 24 * 3600 * 1000;

plan::Plan plan_of(std::uint32_t rounds, std::uint32_t days) {
    plan::Plan plan = tiny_plan(rounds);
    plan.contract.delete_after_days = days;
    return plan;
}

// Counted updates that are still stored, by round.
std::map<std::uint64_t, std::set<std::string>> stored(const World& w) {
    std::map<std::uint64_t, std::set<std::string>> rounds;
    for (const auto& entry : w.journal) {
        const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body);
        if (in != nullptr && w.blobs.count(in->blob) > 0) rounds[in->round].insert(in->participant);
    }
    return rounds;
}

// Those that the ledger says were deleted.
std::map<std::uint64_t, std::set<std::string>> deleted(const World& w) {
    std::map<std::uint64_t, std::set<std::string>> rounds;
    for (const auto& entry : w.journal) {
        const auto* gone = std::get_if<round::UpdatesDeleted>(&entry.record.body);
        if (gone != nullptr) rounds[gone->round].insert(gone->participants.begin(), gone->participants.end());
    }
    return rounds;
}

using Rounds = std::map<std::uint64_t, std::set<std::string>>;

}  // namespace

TEST_CASE("updates are kept for as many rounds as wanted, within what their agreements let") {
    World w(plan_of(4, 7), {"a", "b"});
    w.machine->keep_updates(2);
    REQUIRE(w.run());
    CHECK(stored(w) == Rounds{{3, {"a", "b"}}, {4, {"a", "b"}}});
    CHECK(deleted(w) == Rounds{{1, {"a", "b"}}, {2, {"a", "b"}}});
    w.now += 7 * day_ms - 1'000'000;
    w.send(co::Tick{w.now});
    CHECK(stored(w).size() == 2);
    w.now += 2'000'000;
    w.send(co::Tick{w.now});
    CHECK(stored(w).empty());
    CHECK(deleted(w).size() == 4);
}

TEST_CASE("with a duty to delete at once nothing is kept, whatever the operator wants") {
    World w(plan_of(2, 0), {"a", "b"});
    w.machine->keep_updates(100);
    REQUIRE(w.run());
    CHECK(stored(w).empty());
    CHECK(deleted(w).size() == 2);
}

TEST_CASE("a restart goes on keeping, and deletes what fell due meanwhile") {
    World w(plan_of(3, 7), {"a", "b"});
    w.machine->keep_updates(100);
    REQUIRE(w.run());
    CHECK(stored(w).size() == 3);
    const std::size_t records = w.journal.size();
    w.start_coordinator();  // its operator wants none any more
    CHECK(stored(w).empty());
    CHECK(deleted(w).size() == 3);
    CHECK(w.journal.size() == records + 3);
    w.start_coordinator();
    CHECK(w.journal.size() == records + 3);
}

TEST_CASE("what a partner that leaves had sent is deleted, each round by name; the others' stays") {
    World w(plan_of(3, 7), {"a", "b", "c"});
    w.machine->keep_updates(100);
    while (w.machine->view().completed < 2) w.run(1);
    w.send(co::Left{"c", "it has ended its agreement", w.now});
    for (const auto& [round, who] : stored(w)) CHECK((who.count("c") == 0 || round == w.machine->view().round));
    CHECK(deleted(w) == Rounds{{1, {"c"}}, {2, {"c"}}});
    w.absent.insert("c");
    w.run();
    for (const auto& [round, who] : stored(w)) CHECK(who.count("c") == 0);
    CHECK(stored(w).at(1) == std::set<std::string>{"a", "b"});
}

TEST_CASE("an abandoned round's updates are of no use to anybody") {
    World w(plan_of(1, 7), {"a", "b"});
    w.machine->keep_updates(100);
    w.idle.insert("b");
    while (w.count("round.abandoned") == 0) REQUIRE_FALSE(w.run(1));
    CHECK(stored(w).empty());
    CHECK(deleted(w) == Rounds{{1, {"a"}}});
}
