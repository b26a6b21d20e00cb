// SCAFFOLD: two parts in each envelope, and the one state that a participant keeps.
#include <doctest/doctest.h>

#include "harness.hpp"
#include "round/participant_state.hpp"

using namespace harness;

namespace {

plan::Plan scaffold(std::uint32_t rounds) {
    plan::Plan plan = tiny_plan(rounds);
    REQUIRE(plan::use_strategy(plan, "scaffold").ok());
    plan.aggregation.grid.scale_log2 = 12;  // room for gradients
    return plan;
}

float largest(const std::vector<float>& values) {
    float most = 0;
    for (const float v : values) most = std::max(most, std::abs(v));
    return most;
}

}  // namespace

TEST_CASE("SCAFFOLD with everybody and one local step is FedSGD") {
    plan::Plan fedsgd = tiny_plan(4);
    fedsgd.aggregation.grid.scale_log2 = 12;
    World plain(fedsgd, {"a", "bb", "ccc"});
    REQUIRE(plain.run());
    World w(scaffold(4), {"a", "bb", "ccc"});
    bool corrected = false;
    w.spoil = [&](const std::string& id, const pa::Trained&) {
        if (w.held.at(id).round > 1 && largest(*w.held.at(id).correction) > 0.1f) corrected = true;
    };
    REQUIRE(w.run());
    CHECK(corrected);
    const auto x = w.machine->parameters();
    const auto y = plain.machine->parameters();
    REQUIRE(x.size() == y.size());
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(x[i] - y[i]) < 8.0f / 4096);
}

TEST_CASE("an update whose round was abandoned leaves no trace in the participant's state") {
    World w(scaffold(2), {"a", "b"});
    w.hold = [](const std::string& id, std::uint64_t round) { return id == "b" && round == 1; };
    while (w.count("round.abandoned") == 0) REQUIRE_FALSE(w.run(1));
    const Bytes kept = w.states.at("a");
    const auto state = round::decode_state(w.plan, kept).value();
    CHECK(largest(state.settled) == 0);
    CHECK(largest(state.pending) > 0.1f);
    w.hold = nullptr;
    w.start_participant("a");
    w.start_participant("b");
    REQUIRE(w.run());
    CHECK(largest(w.corrections.at({"a", 2})) == 0);
    CHECK(largest(w.corrections.at({"a", 3})) > 0.01f);
}

TEST_CASE("a refused update is rolled back") {
    World w(scaffold(2), {"a", "b", "c"});
    w.tamper = [&w](const std::string& id, Bytes& bytes) {
        if (id == "c" && w.machine->view().round == 1) bytes[bytes.size() - 70] ^= std::byte{1};
    };
    REQUIRE(w.run());
    REQUIRE(w.refused["c"].size() >= 1);
    // c is the round's mean of the other two, and its own variate is still zero.
    const auto c = round::decode_state(w.plan, w.states.at("c")).value();
    CHECK(largest(c.settled) == 0);
    const auto a = round::decode_state(w.plan, w.states.at("a")).value();
    CHECK(largest(a.settled) > 0.1f);
}

TEST_CASE("participants that are killed at any time have their state again: the same model, bit for bit") {
    World undisturbed(scaffold(3), {"a", "b"});
    REQUIRE(undisturbed.run());
    World w(scaffold(3), {"a", "b"});
    for (int i = 0; i < 40; ++i) {
        w.run(1);
        w.start_participant(i % 2 == 0 ? "a" : "b");
    }
    REQUIRE(w.run());
    CHECK(w.model() == undisturbed.model());
    World forgetful(scaffold(3), {"a", "b"});
    for (int i = 0; i < 40; ++i) {
        forgetful.run(1);
        forgetful.states.clear();
        forgetful.start_participant(i % 2 == 0 ? "a" : "b");
    }
    REQUIRE(forgetful.run());
    CHECK(forgetful.model() != undisturbed.model());  // the test would see a state that is lost
}

TEST_CASE("a state comes back as it was kept; damaged, cut or another plan's it is refused") {
    const plan::Plan plan = scaffold(1);
    round::ParticipantState state = round::fresh_state(plan);
    REQUIRE(state.settled.size() == 15);
    state.settled[3] = 0.5f;
    state.pending = state.settled;
    state.pending[4] = -2;
    state.round = 7;
    state.counted = true;
    const Bytes bytes = round::encode_state(plan, state);
    CHECK(bytes.size() == pa::state_limit(plan));
    const auto back = round::decode_state(plan, bytes).value();
    CHECK(back.settled == state.settled);
    CHECK(back.pending == state.pending);
    CHECK(back.round == 7);
    CHECK(back.counted);
    for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(round::decode_state(plan, ByteView(bytes).first(n)).ok());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Bytes flipped = bytes;
        flipped[i] ^= std::byte{16};
        CHECK(round::decode_state(plan, flipped).error().reason == "state.malformed");
    }
    CHECK_FALSE(round::decode_state(scaffold(2), bytes).ok());
    CHECK(pa::state_limit(tiny_plan(1)) == 0);
}
