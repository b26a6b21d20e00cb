// The next round waits until partners have cosigned the log with the receipt of the last one, and not for ever.
#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

namespace {

plan::Plan witnessed_plan(std::uint32_t witnesses, std::uint32_t rounds = 3) {
    plan::Plan plan = tiny_plan(rounds);
    plan.round.goal = 0;
    plan.round.witnesses = witnesses;
    return plan;
}

// From each receipt to the opening of the round behind it.
std::vector<std::int64_t> waits(const World& w) {
    std::vector<std::int64_t> found;
    std::optional<std::int64_t> since;
    for (const auto& entry : w.journal) {
        if (std::holds_alternative<round::ReceiptIssued>(entry.record.body)) since = entry.record.at_ms;
        if (std::holds_alternative<round::RoundOpened>(entry.record.body) && since) found.push_back(entry.record.at_ms - *since);
    }
    return found;
}

}  // namespace

TEST_CASE("rounds open when enough have cosigned, and the model is the one without witnesses") {
    World without(witnessed_plan(0), {"a", "b", "c"});
    REQUIRE(without.run());
    World w(witnessed_plan(2), {"a", "b", "c"});
    w.silent = {"b"};
    REQUIRE(w.run());
    CHECK(w.model() == without.model());
    CHECK(w.count("round.unwitnessed") == 0);
    CHECK(waits(w) == std::vector<std::int64_t>{0, 0});
}

TEST_CASE("too few cosignatures hold a round up for as long as a round may last, and the ledger says so") {
    World w(witnessed_plan(2), {"a", "b", "c"});
    w.silent = {"b", "c"};
    REQUIRE(w.run());
    const std::int64_t deadline_ms = std::int64_t{1000} * w.plan.round.deadline_s;
    CHECK(waits(w) == std::vector<std::int64_t>{deadline_ms, deadline_ms});
    std::vector<std::string> said;
    for (const auto& entry : w.journal) {
        if (std::holds_alternative<round::WitnessesMissing>(entry.record.body)) said.push_back(round::summary_of(entry.record));
    }
    REQUIRE(said.size() == 2);
    CHECK(said[0] == "Round 2: opens although only 1 of 2 witnesses have cosigned the log with the receipt before it");
}

TEST_CASE("while it waits, people read for whom; who cosigned another receipt, is unknown or comes twice does not count") {
    World w(witnessed_plan(2, 4), {"a", "b", "c"});
    REQUIRE(w.run());  // to see how many records there are before the second wait
    std::size_t second = 0;
    for (const auto& entry : w.journal) {
        const auto* receipt = std::get_if<round::ReceiptIssued>(&entry.record.body);
        if (receipt != nullptr && receipt->receipt.round == 2) second = static_cast<std::size_t>(entry.sequence) + 1;
    }
    World v(witnessed_plan(2, 4), {"a", "b", "c"});
    v.crash_after = second;  // the model of round 3 is published; the coordinator starts again and knows of no cosignature
    try {
        v.run();
    } catch (const Crash&) {
        v.crash_after.reset();
    }
    v.silent = {"a", "b", "c"};
    v.start_coordinator();
    for (const std::string& id : v.ids) v.send(co::Seen{id, v.now});
    CHECK(v.machine->view().phase == co::Phase::waiting);
    CHECK(v.machine->view().unwitnessed == 2);
    CHECK(v.machine->view().waiting_for == "Round 3 opens when 2 partners have cosigned the log with the receipt of round 2, or in at most 300 s; nobody has yet.");
    CHECK(v.machine->next_tick_ms(v.now) == 300'000);
    v.send(co::Cosigned{"a", 1, v.now});
    v.send(co::Cosigned{"nobody", 2, v.now});
    v.send(co::Cosigned{"b", 2, v.now});
    v.send(co::Cosigned{"b", 2, v.now});
    CHECK(v.machine->view().waiting_for == "Round 3 opens when 2 partners have cosigned the log with the receipt of round 2, or in at most 300 s; 1 has yet.");
    v.send(co::Cosigned{"a", 2, v.now});
    CHECK(v.machine->view().phase == co::Phase::collecting);
    CHECK(v.machine->view().round == 3);
    v.silent.clear();
    CHECK(v.run());
    CHECK(v.model() == w.model());
}

TEST_CASE("killed after any record, it comes to the same model with witnesses, too") { check_every_crash(witnessed_plan(2)); }

TEST_CASE("an abandoned round asks for no other cosignature: its receipt is still the last") {
    World w(witnessed_plan(2, 2), {"a", "b"});
    std::size_t lost = 0;
    w.hold = [&](const std::string& id, std::uint64_t round) { return id == "b" && round == 2 && ++lost > 0; };
    static_cast<void>(w.run(400));
    CHECK(w.count("round.abandoned") >= 1);
    CHECK(w.count("round.unwitnessed") == 0);
}
