// The round before any training, in which a federation on tables gathers what all scale with.
#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

TEST_CASE("the first result are everybody's sums; every model from then on carries them, and nothing was trained for them") {
    World w(table_plan(3), {"a", "bb"});
    w.spoil = [](const std::string& id, pa::Trained& result) { result.global_metric = id == "a" ? 0.25 : 0.75; };
    REQUIRE(w.run());
    CHECK(w.machine->view().completed == 3);
    CHECK(w.models.at(1) == w.models.at(2));
    CHECK(w.models.at(2) != w.models.at(3));
    const auto both = sums_of(w.plan, {1, 2, -3}), others = sums_of(w.plan, {2, 4, -6});
    std::vector<std::int64_t> added(both.begin(), both.end());
    for (std::size_t i = 0; i < added.size(); ++i) added[i] += others[i];
    const auto expected = task::read_sums(*w.plan.task.table, task::carried(added)).value();
    CHECK(expected.rows == 6);
    CHECK(expected.positive == 2);
    for (const std::string& id : w.ids) {
        CAPTURE(id);
        const pa::Train& last = w.held.at(id);
        CHECK(last.round == 3);
        CHECK_FALSE(last.measure);
        REQUIRE(last.shared != nullptr);
        CHECK(last.shared->statistics == expected.statistics);
        CHECK(last.shared->rows == 6);
        std::vector<bool> sums;
        for (const pa::Crossing& c : w.participants.at(id)->view().crossings) {
            if (c.outgoing) sums.push_back(c.sums);
        }
        CHECK(sums == std::vector<bool>{true, false, false});
    }
    // Once counted each, however many rows a partner has; what the models are worth is said with what was trained.
    for (const auto& entry : w.journal) {
        const auto* accepted = std::get_if<round::UpdateAccepted>(&entry.record.body);
        if (accepted == nullptr) continue;
        if (accepted->round == 1) CHECK(accepted->weight == 1);
        const auto said = std::find_if(accepted->measures.begin(), accepted->measures.end(), [](const codec::Measure& m) { return m.name == pa::measure_metric; });
        CHECK((said != accepted->measures.end()) == (accepted->round > 1));
        if (said != accepted->measures.end()) CHECK(said->value == (accepted->participant == "a" ? 0.25 : 0.75));
    }
}

TEST_CASE("a round of statistics that came to nothing is tried again before anything is trained") {
    World w(table_plan(2), {"a", "b"});
    w.tamper = [once = true](const std::string& id, Bytes& bytes) mutable {
        if (id == "b" && std::exchange(once, false)) bytes.back() ^= std::byte{1};
    };
    REQUIRE(w.run());
    CHECK(w.abandoned["a"] == std::vector<std::uint64_t>{1});
    CHECK(w.models.at(2) == w.models.at(3));
    CHECK(w.models.at(3) != w.models.at(4));
    CHECK(w.machine->view().completed == 2);
}

TEST_CASE("who comes later scales like all the others") {
    World w(table_plan(4), {"a", "b", "ccc"});
    w.absent = {"ccc"};
    w.hold = [&w](const std::string&, std::uint64_t round) {
        if (round == 3) w.absent.clear();
        return false;
    };
    REQUIRE(w.run());
    REQUIRE(w.held.count("ccc") == 1);
    REQUIRE(w.held.at("ccc").shared != nullptr);
    CHECK(w.held.at("ccc").shared->statistics == w.held.at("a").shared->statistics);
    CHECK(w.held.at("ccc").shared->rows == 6);
}

TEST_CASE("killed after any record, the coordinator comes to the same sums and the same model") { check_every_crash(table_plan(3)); }

TEST_CASE("sums of another length end the participant that made them") {
    World w(table_plan(2), {"a", "b"});
    w.spoil = [](const std::string& id, pa::Trained& result) {
        if (id == "b" && !result.sums.empty()) result.sums.pop_back();
    };
    CHECK_FALSE(w.run(2000));
    CHECK(w.finished.at("b") == "update.shape");
}
