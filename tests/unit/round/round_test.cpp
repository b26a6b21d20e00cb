#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

TEST_CASE("three rounds run to their end and every partner learns of it") {
    World w(tiny_plan(3), {"a", "b", "c"});
    REQUIRE(w.run());
    CHECK(w.machine->view().completed == 3);
    CHECK(w.count("update.accepted") == 9);
    CHECK(w.count("agreement.concluded") == 6);  // one each way and partner
    CHECK(w.count("update.refused") == 0);
    for (const std::string& id : w.ids) {
        CHECK(w.finished.at(id).empty());
        CHECK(w.participants.at(id)->view().contributions == 3);
    }
    std::optional<round::Entry> previous;
    for (const auto& entry : w.journal) {
        CHECK(round::check_link(previous, entry).ok());
        CHECK(round::encode_entry(round::decode_entry(round::encode_entry(entry)).value()) == round::encode_entry(entry));
        previous = entry;
    }
}

TEST_CASE("a contract for as many rounds as there are ends with the final model in everybody's hands") {
    plan::Plan plan = tiny_plan(3);
    plan.contract.max_rounds = 3;
    World w(plan, {"a", "b"});
    REQUIRE(w.run());
    for (const std::string& id : w.ids) {
        CHECK(w.finished.at(id).empty());
        CHECK(w.participants.at(id)->view().contributions == 3);
    }
}

TEST_CASE("the model is the weighted mean that FedAvg defines") {
    World w(tiny_plan(1), {"a", "bb"});
    const auto x = plan::initial_parameters(w.plan);
    REQUIRE(w.run());
    const auto ya = trained(x, "a", 1);
    const auto yb = trained(x, "bb", 1);
    const auto next = w.machine->parameters();
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = x[i] + (11.0 * (ya[i] - x[i]) + 12.0 * (yb[i] - x[i])) / 23.0;
        CHECK(std::abs(next[i] - expected) < 1.0 / 16384);  // one step of the grid
    }
}

TEST_CASE("killed after any record of the ledger, the coordinator comes to the same model") {
    World undisturbed(tiny_plan(2), {"a", "b"});
    REQUIRE(undisturbed.run());
    const Digest expected = undisturbed.model();
    const std::size_t records = undisturbed.journal.size();
    REQUIRE(records > 20);
    // The first records fall inside the constructor; the crash points begin behind them.
    World probe(tiny_plan(2), {"a", "b"});
    for (std::size_t at = probe.journal.size() + 1; at <= records; ++at) {
        CAPTURE(at);
        World w(tiny_plan(2), {"a", "b"});
        w.crash_after = at;
        bool crashed = false;
        bool finished = false;
        try {
            finished = w.run();
        } catch (const Crash&) {
            crashed = true;
            w.crash_after.reset();
            w.start_coordinator();
            for (const std::string& id : w.ids) w.start_participant(id);
            finished = w.run();
        }
        CHECK(crashed);
        CHECK(finished);
        CHECK(w.model() == expected);
        CHECK(w.count("update.accepted") == 4);
    }
}

TEST_CASE("a participant killed at any time comes back with its key and is counted once a round") {
    World undisturbed(tiny_plan(3), {"a", "b"});
    REQUIRE(undisturbed.run());
    World w(tiny_plan(3), {"a", "b"});
    for (int i = 0; i < 40; ++i) {
        w.run(1);
        w.start_participant(i % 2 == 0 ? "a" : "b");
    }
    REQUIRE(w.run());
    CHECK(w.model() == undisturbed.model());
    CHECK(w.count("update.accepted") == 6);
}

TEST_CASE("a partner that vanishes does not hang the round, and may return") {
    World w(tiny_plan(3), {"a", "b", "c"});
    while (w.machine->view().phase != co::Phase::collecting) w.run(1);
    w.absent.insert("c");
    while (w.machine->view().completed < 1) w.run(1);
    CHECK(w.count("round.abandoned") == 0);
    w.absent.clear();
    w.start_participant("c");
    REQUIRE(w.run());
    CHECK(w.finished.at("c").empty());
}

TEST_CASE("too few at the deadline: the round is abandoned with its reason and reopened") {
    World w(tiny_plan(1), {"a", "b"});
    w.idle.insert("b");
    while (w.count("round.abandoned") == 0) REQUIRE_FALSE(w.run(1));
    w.idle.clear();
    w.start_participant("b");
    REQUIRE(w.run());
    CHECK(w.machine->view().completed == 1);
    CHECK(w.machine->view().round == 3);  // the abandoned one has kept its number
    CHECK(w.abandoned["a"] == std::vector<std::uint64_t>{1});
    CHECK(w.abandoned["b"].empty());
}

TEST_CASE("a result that the contract forbids to release is destroyed, and the reason is told") {
    auto plan = tiny_plan(2);
    plan.contract.min_cohort_size = 3;
    World w(plan, {"a", "b"});
    const auto before = std::vector<float>(w.machine->parameters().begin(), w.machine->parameters().end());
    CHECK_FALSE(w.run());
    CHECK(w.count("round.abandoned") >= 1);
    CHECK(w.count("round.closed") == 0);
    CHECK(std::equal(before.begin(), before.end(), w.machine->parameters().begin()));
    CHECK(w.machine->view().waiting_for.find("at least 3") != std::string::npos);
}

TEST_CASE("a full disk counts nothing, loses nothing, and goes on when there is space") {
    World undisturbed(tiny_plan(2), {"a", "b"});
    REQUIRE(undisturbed.run());
    World w(tiny_plan(2), {"a", "b"});
    w.fail_storage = 1;
    // The driver's periodic look at the connector is what tries again.
    for (int i = 0; i < 200 && w.machine->view().phase != co::Phase::finished; ++i) {
        w.run(3);
        w.watch();
    }
    CHECK(w.machine->view().phase == co::Phase::finished);
    CHECK(w.model() == undisturbed.model());
}

TEST_CASE("an update that cannot be read just now is not refused: it is asked for again") {
    World undisturbed(tiny_plan(2), {"a", "b"});
    REQUIRE(undisturbed.run());
    World w(tiny_plan(2), {"a", "b"});
    w.fail_reads = 3;
    for (int i = 0; i < 200 && w.machine->view().phase != co::Phase::finished; ++i) {
        w.run(3);
        w.watch();
    }
    CHECK(w.fail_reads == 0);
    CHECK(w.machine->view().phase == co::Phase::finished);
    CHECK(w.model() == undisturbed.model());
    CHECK(w.machine->view().participants[0].refusals == 0);
}

TEST_CASE("a transfer that the coordinator has forgotten is opened again") {
    World undisturbed(tiny_plan(2), {"a", "b"});
    REQUIRE(undisturbed.run());
    World w(tiny_plan(2), {"a", "b"});
    w.forget_transfers = 3;
    REQUIRE(w.run());
    CHECK(w.forget_transfers == 0);
    CHECK(w.model() == undisturbed.model());
}

TEST_CASE("NaN in training never leaves the participant") {
    World w(tiny_plan(1), {"a", "b"});
    w.spoil = [](const std::string& id, pa::Trained& result) {
        if (id == "b") result.parameters[0] = std::nanf("");
    };
    w.run(200);
    CHECK(w.finished.at("b") == "update.not-finite");
    CHECK(w.count("round.closed") == 0);
    CHECK(w.machine->view().participants[1].contributions == 0);
}

TEST_CASE("an update that was damaged on its way is refused with its code, and the round is not affected") {
    auto plan = tiny_plan(1);
    plan.round.min_cohort = 2;
    World w(plan, {"a", "b", "c"});
    w.tamper = [](const std::string& id, Bytes& bytes) {
        if (id == "c") bytes[bytes.size() - 70] ^= std::byte{1};
    };
    REQUIRE(w.run());
    CHECK(w.count("update.accepted") == 2);
    REQUIRE(w.refused["c"].size() >= 1);
    CHECK(w.refused["c"][0].find("frame.") == 0);
}

TEST_CASE("what the disk does not give just now is not called missing or damaged") {
    struct Unread final : contract::ByteSource {
        Result<std::size_t> read(std::span<std::byte>) override { return Error{Code::internal, "file.failed", "no"}; }
    };
    World w(tiny_plan(2), {"a", "b"});
    w.idle.insert("b");
    while (w.count("update.accepted") < 1) w.run(1);
    std::vector<round::Record> records;
    for (const auto& entry : w.journal) records.push_back(entry.record);
    for (std::size_t unread = 0; unread < 2; ++unread) {  // the model, the update
        auto machine = round::Coordinator::create(w.plan, key_of(w.plan.federation.coordinator)).value();
        const auto loads = machine.restore(records).value();
        REQUIRE(loads.size() == 2);
        for (std::size_t i = 0; i < loads.size(); ++i) {
            const Digest blob = std::get<co::LoadBlob>(loads[i]).blob;
            const auto good = contract::make_source(*w.blobs.at(blob));
            Unread bad;
            machine.handle(co::BlobLoaded{blob, done(), i == unread ? static_cast<contract::ByteSource*>(&bad) : good.get()});
        }
        CAPTURE(unread);
        REQUIRE(machine.failure().has_value());
        CHECK(machine.failure()->reason == "ledger.unread-blob");
        CHECK(machine.failure()->code == Code::internal);
    }
}

TEST_CASE("without what the ledger names the coordinator refuses to start") {
    World w(tiny_plan(2), {"a", "b"});
    w.idle.insert("b");
    while (w.count("update.accepted") < 1) w.run(1);
    const auto record = std::find_if(w.journal.begin(), w.journal.end(), [](const auto& entry) {
        return round::kind_of(entry.record) == "update.accepted";
    });
    const Digest blob = std::get<round::UpdateAccepted>(record->record.body).blob;
    const auto intact = w.blobs;

    w.blobs.erase(blob);
    w.start_coordinator();
    REQUIRE(w.machine->failure().has_value());
    CHECK(w.machine->failure()->reason == "ledger.missing-blob");

    w.blobs = intact;
    w.blobs[blob] = std::make_shared<Bytes>(*intact.at(blob));
    (*w.blobs[blob])[intact.at(blob)->size() / 2] ^= std::byte{4};
    w.start_coordinator();
    REQUIRE(w.machine->failure().has_value());
    CHECK(w.machine->failure()->reason == "ledger.damaged-blob");

    w.blobs = intact;
    w.start_coordinator();
    CHECK_FALSE(w.machine->failure().has_value());
}

TEST_CASE("a ledger of another plan is not continued") {
    World w(tiny_plan(2), {"a", "b"});
    auto other = tiny_plan(3);
    auto machine = round::Coordinator::create(other, key_of("coordinator")).value();
    std::vector<round::Record> records;
    for (const auto& entry : w.journal) records.push_back(entry.record);
    CHECK(machine.restore(records).error().reason == "ledger.other-plan");
    auto other_key = round::Coordinator::create(tiny_plan(2), key_of("somebody")).value();
    CHECK(other_key.restore(records).error().reason == "ledger.other-key");
}

TEST_CASE("killed between its activation and its first model, the coordinator begins all the same") {
    const World undisturbed(tiny_plan(2), {});
    std::vector<round::Record> records{undisturbed.journal.at(0).record};
    REQUIRE(round::kind_of(records[0]) == "federation.activated");
    auto machine = round::Coordinator::create(tiny_plan(2), key_of("coordinator")).value();
    REQUIRE(machine.restore(records).value().empty());
    for (const auto& command : machine.handle(co::Started{undisturbed.now})) {
        if (const auto* c = std::get_if<co::Persist>(&command)) records.push_back(c->record);
    }
    CHECK(records.size() == 2);
    CHECK(machine.view().model == undisturbed.model());

    // Without a model anything else in the ledger is damage.
    auto other = round::Coordinator::create(tiny_plan(2), key_of("coordinator")).value();
    CHECK(other.restore({records[0], {0, round::RoundAbandoned{1, "x"}}}).error().reason == "ledger.incomplete");
}
