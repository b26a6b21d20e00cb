// Each way in which an update can be wrong: refused with its own code, told to its sender, and never in the sum.
#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

namespace {

// A world in which c's honest update is replaced by one that was made wrong; a and b are honest.
struct Case {
    const char* code;
    std::function<void(World&, codec::FrameHeader&, Bytes&)> change;
    const char* signer = "c";
};

void forge(World& w, const Case& wrong, Bytes& envelope) {
    auto frame = codec::decode_frame(envelope, plan::update_limits(w.plan)).value();
    Bytes content = frame.content;
    wrong.change(w, frame.header, content);
    envelope = codec::encode_frame(codec::FrameKind::update, frame.header, content, key_of(wrong.signer)).value();
}

const std::vector<Case> cases{
    {"update.foreign-signature", [](World&, codec::FrameHeader&, Bytes&) {}, "a"},
    {"update.foreign-signature", [](World&, codec::FrameHeader& h, Bytes&) { h.sender = "a"; }},
    {"update.foreign-agreement", [](World&, codec::FrameHeader& h, Bytes&) { h.agreement = "agr-000000"; }},
    {"update.foreign-agreement",
     [](World& w, codec::FrameHeader& h, Bytes&) { h.agreement = w.participants.at("a")->view().update_agreement; }},
    {"update.foreign-federation", [](World&, codec::FrameHeader& h, Bytes&) { h.federation = "other"; }},
    {"update.wrong-plan", [](World&, codec::FrameHeader& h, Bytes&) { h.plan.bytes[0] ^= std::byte{1}; }},
    {"update.shape", [](World&, codec::FrameHeader& h, Bytes&) { h.schema.bytes[0] ^= std::byte{1}; }},
    {"update.shape", [](World&, codec::FrameHeader& h, Bytes&) { h.tensors[0].name = "other"; }},
    {"update.shape", [](World&, codec::FrameHeader& h, Bytes&) { std::swap(h.tensors[0].shape[0], h.tensors[0].shape[1]); }},
    {"update.shape",
     [](World&, codec::FrameHeader& h, Bytes& content) {
         h.tensors.pop_back();
         content.resize(content.size() - 6);
     }},
    {"update.late", [](World&, codec::FrameHeader& h, Bytes&) { h.round = 0; }},
    {"update.future", [](World&, codec::FrameHeader& h, Bytes&) { h.round = 9; }},
    {"update.stale-base", [](World&, codec::FrameHeader& h, Bytes&) { h.base_model.bytes[0] ^= std::byte{1}; }},
    {"update.weight", [](World&, codec::FrameHeader& h, Bytes&) { h.weight = 0; }},
    {"update.weight", [](World& w, codec::FrameHeader& h, Bytes&) { h.weight = w.plan.aggregation.max_weight + 1; }},
    {"update.other-content", [](World&, codec::FrameHeader&, Bytes& content) { content[0] ^= std::byte{1}; }},
    {"update.range",
     [](World&, codec::FrameHeader&, Bytes& content) {
         content[0] = std::byte{0};
         content[1] = std::byte{0x80};  // -32768
     }},
};

}  // namespace

TEST_CASE("every wrong update is refused with its code, and the others' model is what it would have been") {
    World without(tiny_plan(1), {"a", "b"});
    REQUIRE(without.run());
    for (const Case& wrong : cases) {
        CAPTURE(wrong.code);
        World w(tiny_plan(1), {"a", "b", "c"});
        w.tamper = [&](const std::string& id, Bytes& envelope) {
            if (id == "c") forge(w, wrong, envelope);
        };
        REQUIRE(w.run());
        CHECK(w.count("update.refused") >= 1);
        REQUIRE(w.refused["c"].size() >= 1);
        CHECK(w.refused["c"][0] == wrong.code);
        CHECK(w.model() == without.model());
        CHECK(w.machine->view().participants[2].refusals >= 1);
        CHECK_FALSE(w.machine->view().participants[2].last_refusal.empty());
    }
}

TEST_CASE("the same update looked at again is counted once") {
    World w(tiny_plan(2), {"a", "b"});
    w.idle.insert("b");
    while (w.count("update.accepted") < 1) w.run(1);
    w.watch();
    w.watch();
    CHECK(w.count("update.accepted") == 1);
    CHECK(w.count("update.refused") == 0);
}

TEST_CASE("a second, different update of one round is a duplicate") {
    World w(tiny_plan(2), {"a", "b"});
    w.idle.insert("b");
    while (w.count("update.accepted") < 1) w.run(1);
    const std::string own = contract::update_stream_asset("tiny", "a");
    auto frame = codec::decode_frame(w.contents.at(own), plan::update_limits(w.plan)).value();
    frame.content[0] ^= std::byte{1};
    const Bytes second = codec::encode_frame(codec::FrameKind::update, frame.header, frame.content, key_of("a")).value();
    const auto info = codec::peek_frame(second, plan::update_limits(w.plan)).value();
    w.contents[own] = second;
    REQUIRE(w.exchange.deliver("a", own, {1, info.header.content, second.size()}).ok());
    w.watch();
    CHECK(w.count("update.accepted") == 1);
    const auto* refused = std::get_if<round::UpdateRefused>(&w.journal.back().record.body);
    REQUIRE(refused != nullptr);
    CHECK(refused->code == "update.duplicate");
}

TEST_CASE("an agreement that has expired or is used up admits no update") {
    auto plan = tiny_plan(2);
    plan.contract.valid_days = 1;
    World w(plan, {"a", "b"});
    while (w.machine->view().phase != co::Phase::collecting) w.run(1);
    w.now += 2 * 86'400'000;
    CHECK_FALSE(w.run(500));
    CHECK(w.count("update.accepted") == 0);
    CHECK(w.count("round.closed") == 0);
}
