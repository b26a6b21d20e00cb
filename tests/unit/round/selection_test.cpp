// Whom a round asks, how many it waits for, and what becomes of those who come late.
#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

namespace {

std::vector<std::string> people(int n) {
    std::vector<std::string> ids;
    for (int i = 0; i < n; ++i) ids.push_back("p" + std::to_string(i));
    return ids;
}

std::vector<std::set<std::string>> contributors(const World& w) {
    std::vector<std::set<std::string>> rounds;
    for (const auto& entry : w.journal) {
        if (const auto* closed = std::get_if<round::RoundClosed>(&entry.record.body)) {
            rounds.emplace_back(closed->participants.begin(), closed->participants.end());
        }
    }
    return rounds;
}

std::vector<round::UpdateAccepted> accepted(const World& w) {
    std::vector<round::UpdateAccepted> updates;
    for (const auto& entry : w.journal) {
        if (const auto* update = std::get_if<round::UpdateAccepted>(&entry.record.body)) updates.push_back(*update);
    }
    return updates;
}

// The slow one trains on what it has got, but hands it over only when the world says so.
struct Slow {
    World& w;
    std::string id;
    void hand_over() {
        w.idle.erase(id);
        w.send(id, pa::Trained{trained(*w.held.at(id).parameters, id, w.held.at(id).round), 10 + id.size(), 1});
    }
};

}  // namespace

TEST_CASE("a round asks its fraction by lot; the lot is the seed's, the round's and the name's alone") {
    plan::Plan plan = tiny_plan(6);
    plan.round.fraction = 0.3f;
    World w(plan, people(10));
    REQUIRE(w.run());
    const auto rounds = contributors(w);
    REQUIRE(rounds.size() == 6);
    std::set<std::string> ever;
    for (std::uint64_t round = 1; round <= rounds.size(); ++round) {
        const auto& in = rounds[static_cast<std::size_t>(round) - 1];
        CHECK(in.size() == 3);
        std::uint32_t highest = 0;
        for (const std::string& id : in) highest = std::max(highest, plan::lot_of(plan, round, id));
        for (const std::string& id : w.ids) CHECK((plan::lot_of(plan, round, id) <= highest) == (in.count(id) > 0));
        ever.insert(in.begin(), in.end());
    }
    CHECK(ever.size() > 5);
    CHECK(w.count("update.refused") == 0);
    for (const std::string& id : w.ids) CHECK(w.finished.at(id).empty());  // all of them have the result
}

TEST_CASE("0.1 of 100 is 10, of 10 no fewer than the least cohort") {
    plan::Plan plan = tiny_plan(1);
    plan.round.fraction = 0.1f;
    World hundred(plan, people(100));
    REQUIRE(hundred.run());
    CHECK(contributors(hundred)[0].size() == 10);
    World ten(plan, people(10));
    REQUIRE(ten.run());
    CHECK(contributors(ten)[0].size() == 2);
}

TEST_CASE("over-selection asks more than it waits for, and one that vanishes holds nobody up") {
    plan::Plan plan = tiny_plan(1);
    plan.round.fraction = 0.4f;
    plan.round.over_selection = 1.5f;
    World w(plan, people(10));
    for (const std::string& id : w.ids) w.idle.insert(id);
    while (w.machine->view().phase != co::Phase::collecting) w.run(1);
    CHECK(w.machine->view().expected == 6);
    w.run(3);
    std::vector<std::string> asked;
    for (const auto& [id, job] : w.held) asked.push_back(id);
    REQUIRE(asked.size() == 6);
    for (int i = 0; i < 4; ++i) Slow{w, asked[static_cast<std::size_t>(i)]}.hand_over();
    REQUIRE(w.run());
    CHECK(contributors(w)[0].size() == 4);
    CHECK(w.now - 1'800'000'000'000 < 300'000);  // no deadline was waited for
}

TEST_CASE("an update of one that was not drawn is refused") {
    plan::Plan plan = tiny_plan(1);
    plan.round.fraction = 0.3f;
    World w(plan, people(6));
    for (const std::string& id : w.ids) w.idle.insert(id);
    while (w.machine->view().phase != co::Phase::collecting) w.run(1);
    w.run(3);
    std::string outsider;
    for (const std::string& id : w.ids) {
        if (w.held.count(id) == 0) outsider = id;
    }
    // It believes that everybody is asked.
    w.forget_lots = true;
    w.start_participant(outsider);
    w.run(5);
    w.forget_lots = false;
    REQUIRE(w.held.count(outsider) == 1);
    Slow{w, outsider}.hand_over();
    w.run(3);
    REQUIRE_FALSE(w.refused[outsider].empty());
    CHECK(w.refused[outsider][0] == "update.not-asked");
}

TEST_CASE("a late update is refused, or counts for 1 / sqrt(1 + s) of itself: the plan says which") {
    for (const std::uint32_t bears : {0u, 2u}) {
        CAPTURE(bears);
        plan::Plan plan = tiny_plan(3);
        plan.round.goal = 2;
        plan.round.max_staleness = bears;
        World w(plan, {"a", "b", "slow"});
        // Round 2 is b's and the late one's.
        w.hold = [](const std::string& id, std::uint64_t round) { return (id == "slow" && round == 1) || (id == "a" && round == 2); };
        while (w.machine->view().completed < 1) w.run(1);
        REQUIRE(w.held.at("slow").round == 1);
        const auto base = *w.held.at("slow").parameters;
        const auto x = std::vector<float>(w.machine->parameters().begin(), w.machine->parameters().end());
        Slow{w, "slow"}.hand_over();
        w.run(20);
        if (bears == 0) {
            REQUIRE_FALSE(w.refused["slow"].empty());
            CHECK(w.refused["slow"][0] == "update.late");
            continue;
        }
        const auto updates = accepted(w);
        const auto late = std::find_if(updates.begin(), updates.end(), [](const auto& u) { return u.base_round < u.round; });
        REQUIRE(late != updates.end());
        CHECK(late->participant == "slow");
        CHECK(late->round == 2);
        CHECK(late->base_round == 1);
        const double fraction = late->factor / std::ldexp(1.0, plan::fold_bounds(plan).factor_log2);
        CHECK(std::abs(fraction - 1 / std::sqrt(2.0)) < 1e-4);
        REQUIRE(w.machine->view().completed >= 2);
        const auto late_delta = trained(base, "slow", 1);
        const auto b = trained(x, "b", 2);
        // One by one the mean over 11 and 14 examples, the late one at its fraction (Nguyen et al., algorithm 1).
        const auto model = w.models.at(3);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double expected = x[i] + (11.0 * (b[i] - x[i]) + 14.0 * fraction * (late_delta[i] - base[i])) / 25.0;
            CHECK(std::abs(model[i] - expected) < 2.0 / 16384);
        }
    }
}

TEST_CASE("one that is too late even for that is refused, and told so") {
    plan::Plan plan = tiny_plan(6);
    plan.round.goal = 2;
    plan.round.max_staleness = 1;
    World w(plan, {"a", "b", "slow"});
    w.hold = [](const std::string& id, std::uint64_t round) { return (id == "slow" && round == 1) || (id == "a" && round == 4); };
    while (w.machine->view().completed < 3) w.run(1);
    Slow{w, "slow"}.hand_over();
    w.run(20);
    REQUIRE_FALSE(w.refused["slow"].empty());
    CHECK(w.refused["slow"][0] == "update.late");
}

TEST_CASE("killed in an open round, the coordinator remembers whom it asked and comes to the same model") {
    plan::Plan plan = tiny_plan(3);
    plan.round.fraction = 0.6f;
    plan.round.max_staleness = 2;
    World undisturbed(plan, people(4));
    REQUIRE(undisturbed.run());
    const std::size_t begin = World(plan, people(4)).journal.size() + 1;
    bool open = false;
    for (std::size_t at = begin; at <= undisturbed.journal.size(); ++at) {
        CAPTURE(at);
        const auto kind = round::kind_of(undisturbed.journal[at - 1].record);
        if (kind == "round.opened") open = true;
        if (kind == "round.closed") open = false;
        if (!open) continue;  // between rounds who is present decides, and after a restart nobody is yet
        World w(plan, people(4));
        CHECK(w.run_through_crash(at));
        CHECK(w.model() == undisturbed.model());
    }
}
