// Updates that send their largest numbers alone, through the whole round, and the residual that a participant keeps.
#include <doctest/doctest.h>

#include "harness.hpp"
#include "round/participant_state.hpp"

using namespace harness;

namespace {

// Three of fifteen numbers.
plan::Plan sparse_plan(std::uint32_t rounds, const std::string& strategy = "fedavg") {
    plan::Plan plan = tiny_plan(rounds);
    REQUIRE(plan::use_strategy(plan, strategy).ok());
    plan.aggregation.top = 0.2f;
    return plan;
}

// What is left behind the latest update, counted or not.
std::vector<float> residual_of(const World& w, const std::string& id) {
    return round::decode_state(w.plan, w.states.at(id)).value().pending;
}

std::size_t moved(std::span<const float> a, std::span<const float> b) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1u : 0u;
    return count;
}

}  // namespace

TEST_CASE("a round moves only what was sent, and over the rounds nothing is lost") {
    plan::Plan plan = sparse_plan(6);
    plan.aggregation.weighting = plan::Weighting::uniform;
    World w(plan, {"a", "bb"});
    std::map<std::string, std::vector<double>> learned{{"a", std::vector<double>(15)}, {"bb", std::vector<double>(15)}};
    w.spoil = [&](const std::string& id, const pa::Trained& result) {
        const std::vector<float>& base = *w.held.at(id).parameters;
        for (std::size_t i = 0; i < base.size(); ++i) {
            learned[id][i] += static_cast<double>(result.parameters[i]) - static_cast<double>(base[i]);
        }
    };
    REQUIRE(w.run());
    for (std::uint64_t round = 1; round <= 6; ++round) {
        const std::size_t count = moved(w.models.at(round), w.models.at(round + 1));
        CHECK(count >= 1);
        CHECK(count <= 2 * 3);
    }
    const auto a = residual_of(w, "a");
    const auto b = residual_of(w, "bb");
    for (std::size_t i = 0; i < 15; ++i) {
        const double sent = (learned["a"][i] - static_cast<double>(a[i]) + learned["bb"][i] - static_cast<double>(b[i])) / 2;
        const double walked = static_cast<double>(w.models.at(7)[i]) - static_cast<double>(w.models.at(1)[i]);
        CHECK(std::abs(walked - sent) < 1e-6);
    }
    CHECK(std::any_of(a.begin(), a.end(), [](float v) { return std::abs(v) > 0.01f; }));
}

TEST_CASE("every strategy but SCAFFOLD takes sparse updates, and a coordinator killed after any record comes to the same") {
    for (const std::string& name : aggregate::strategy_names()) {
        CAPTURE(name);
        if (name == "scaffold") continue;
        check_every_crash(sparse_plan(3, name));
    }
    plan::Plan scaffold = tiny_plan(1);
    REQUIRE(plan::use_strategy(scaffold, "scaffold").ok());
    scaffold.aggregation.top = 0.2f;
    CHECK(plan::check(scaffold).error().reason == "plan.strategy");
}

TEST_CASE("participants that are killed at any time have their residual again; one that has lost it goes on") {
    World undisturbed(sparse_plan(4), {"a", "b"});
    REQUIRE(undisturbed.run());
    for (const bool forgetful : {false, true}) {
        World w(sparse_plan(4), {"a", "b"});
        for (int i = 0; i < 60; ++i) {
            w.run(1);
            if (forgetful) w.states.clear();
            w.start_participant(i % 2 == 0 ? "a" : "b");
        }
        REQUIRE(w.run());
        CHECK((w.model() == undisturbed.model()) != forgetful);
    }
}

TEST_CASE("a participant that sat out rounds, and was killed in them, has its residual when it is asked again") {
    plan::Plan plan = sparse_plan(8);
    plan.round.fraction = 0.5f;
    const std::vector<std::string> ids{"a", "b", "c", "d"};
    World undisturbed(plan, ids);
    REQUIRE(undisturbed.run());
    for (const bool forgetful : {false, true}) {
        World w(plan, ids);
        for (std::size_t i = 0; i < 200; ++i) {
            w.run(1);
            if (forgetful) w.states.clear();
            if (w.machine->view().completed < 7) w.start_participant(ids[i % 4]);
        }
        REQUIRE(w.run());
        CHECK((w.model() == undisturbed.model()) != forgetful);
    }
    // Whose last update but one was counted has settled what that one left.
    std::size_t settled = 0;
    for (const std::string& id : ids) {
        if (undisturbed.states.count(id) == 0) continue;
        settled += moved(round::decode_state(plan, undisturbed.states.at(id)).value().settled, std::vector<float>(15)) >= 10 ? 1u : 0u;
    }
    CHECK(settled >= 2);
}

TEST_CASE("an update that is made again in mid-round is the same bytes, its residual in it once") {
    World w(sparse_plan(3), {"a", "b"});
    w.hold = [](const std::string& id, std::uint64_t round) { return id == "b" && round == 2; };
    const std::string own = contract::update_stream_asset("tiny", "a");
    const auto delivered = [&] { return w.exchange.current(own); };
    while (!delivered() || delivered()->round < 2) w.run(1);
    const Bytes first = w.contents.at(own);
    const Bytes kept = w.states.at("a");
    const auto state = round::decode_state(w.plan, kept).value();
    CHECK(state.update == delivered()->content);
    CHECK(moved(state.settled, std::vector<float>(15)) >= 10);
    // The same participant in a data space that has not seen this update: it died between keeping and delivering.
    World before(w.plan, {"a", "b"});
    before.hold = [](const std::string&, std::uint64_t round) { return round == 2; };
    while (before.held.count("a") == 0 || before.held.at("a").round < 2) before.run(1);
    before.states["a"] = kept;
    before.hold = [](const std::string& id, std::uint64_t round) { return id == "b" && round == 2; };
    before.start_participant("a");
    while (!before.exchange.current(own) || before.exchange.current(own)->round < 2) before.run(1);
    CHECK(before.contents.at(own) == first);
    CHECK(before.states.at("a") == kept);
    w.hold = nullptr;
    w.start_participant("a");
    w.start_participant("b");
    REQUIRE(w.run());
}

TEST_CASE("a refused update, and one whose round was abandoned, leave the residual as it was") {
    World refused(sparse_plan(2), {"a", "b", "c"});
    refused.tamper = [&refused](const std::string& id, Bytes& bytes) {
        if (id == "c" && refused.machine->view().round == 1) bytes[bytes.size() - 70] ^= std::byte{1};
    };
    REQUIRE(refused.run());
    REQUIRE(refused.refused["c"].size() >= 1);
    CHECK(moved(round::decode_state(refused.plan, refused.states.at("c")).value().settled, std::vector<float>(15)) == 0);
    CHECK(moved(round::decode_state(refused.plan, refused.states.at("a")).value().settled, std::vector<float>(15)) >= 10);

    World abandoned(sparse_plan(2), {"a", "b"});
    abandoned.hold = [](const std::string& id, std::uint64_t round) { return id == "b" && round == 1; };
    while (abandoned.count("round.abandoned") == 0) REQUIRE_FALSE(abandoned.run(1));
    abandoned.hold = nullptr;
    abandoned.start_participant("b");
    while (abandoned.held.at("a").round < 2) abandoned.run(1);
    const auto state = round::decode_state(abandoned.plan, abandoned.states.at("a")).value();
    CHECK(state.round == 2);
    CHECK(moved(state.settled, std::vector<float>(15)) == 0);
    CHECK(moved(state.pending, std::vector<float>(15)) >= 10);
}

TEST_CASE("signed content that is not a sparse update of the plan is refused, and the others' model is what it would have been") {
    World without(sparse_plan(1), {"a", "b"});
    REQUIRE(without.run());
    struct Case {
        const char* code;
        std::function<void(codec::FrameHeader&, Bytes&)> change;
    };
    // Three positions of fifteen: two low bits each, so one byte of low bits, one of unary, six of values.
    const std::vector<Case> cases{
        {"update.size", [](codec::FrameHeader&, Bytes& content) { content.pop_back(); }},
        {"frame.content-too-large", [](codec::FrameHeader&, Bytes& content) { content.push_back({}); }},
        {"update.positions", [](codec::FrameHeader&, Bytes& content) { content[1] = std::byte{0xff}; }},
        {"update.positions", [](codec::FrameHeader&, Bytes& content) { content[1] = std::byte{0x03}; }},
        {"update.positions", [](codec::FrameHeader&, Bytes& content) { content[0] = {}, content[1] = std::byte{0x07}; }},
        {"update.not-canonical", [](codec::FrameHeader&, Bytes& content) { content[0] |= std::byte{0x80}; }},
        {"update.range", [](codec::FrameHeader&, Bytes& content) { content[2] = {}, content[3] = std::byte{0x80}; }},
        {"frame.encoding",
         [](codec::FrameHeader& header, Bytes& content) {
             header.encoding = codec::Encoding::int8;
             content.resize(15);
         }},
    };
    for (const Case& wrong : cases) {
        CAPTURE(wrong.code);
        World w(sparse_plan(1), {"a", "b", "c"});
        w.tamper = [&](const std::string& id, Bytes& envelope) {
            if (id != "c") return;
            auto limits = plan::update_limits(w.plan);
            auto frame = codec::decode_frame(envelope, limits).value();
            REQUIRE(frame.content.size() == 8);
            wrong.change(frame.header, frame.content);
            envelope = codec::encode_frame(codec::FrameKind::update, frame.header, frame.content, key_of("c")).value();
        };
        REQUIRE(w.run());
        REQUIRE(w.refused["c"].size() >= 1);
        CHECK(w.refused["c"][0] == wrong.code);
        CHECK(w.model() == without.model());
    }
}
