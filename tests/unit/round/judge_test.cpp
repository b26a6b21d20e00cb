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
    // Said once for each agreement, not at each look; both sides know why.
    std::vector<std::string> ended;
    for (const auto& entry : w.journal) {
        const auto* d = std::get_if<round::PolicyDecided>(&entry.record.body);
        if (d == nullptr || d->point != policy::Point::monitor) continue;
        CHECK_FALSE(d->permitted);
        CHECK(d->term == policy::operand::in_force_date);
        CHECK(d->input.starts_with("maxRounds="));
        ended.push_back(d->agreement);
    }
    std::sort(ended.begin(), ended.end());
    CHECK(ended.size() == 4);
    CHECK(std::adjacent_find(ended.begin(), ended.end()) == ended.end());
    for (const auto& p : w.machine->view().participants) CHECK(p.last_refusal.starts_with("inForceDate: expected not after"));
    CHECK(w.finished["a"] == "policy.denied");
}

TEST_CASE("one whose agreement has ended holds nobody up, and the others go on") {
    World w(tiny_plan(4), {"a", "b"});
    // The offer of c gives less than the plan.
    policy::Policy own = plan::update_policy(w.plan);
    for (auto& term : own.permissions.front().constraints) {
        if (term.left_operand == policy::operand::max_rounds) term.right_operand = {"2"};
    }
    w.ids.push_back("c");
    REQUIRE(w.exchange.admit("c", key_of("c").public_key()).ok());
    w.send(co::Joined{"c", "Partner c", key_of("c").public_key(), w.now});
    const std::string asset = contract::update_stream_asset("tiny", "c");
    REQUIRE(w.exchange.publish("c", {asset, contract::AssetKind::update_stream, "tiny", "c"},
                               contract::sign({"offer:c:short", asset, "c", "coordinator", own}, key_of("c"))).ok());
    w.watch();
    pa::Options options{w.plan, "c", key_of("c"), key_of("coordinator").public_key(), "c"};
    options.agreements = w.exchange.agreements("c", asset).value();
    REQUIRE(options.agreements.size() == 1);
    w.participants["c"] = std::make_unique<round::Participant>(round::Participant::create(std::move(options)).value());
    w.send("c", pa::Started{w.now});
    CHECK(w.run());
    std::map<std::string, std::vector<std::uint64_t>> rounds;
    for (const auto& entry : w.journal) {
        if (const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body)) rounds[in->participant].push_back(in->round);
    }
    CHECK(rounds["a"] == std::vector<std::uint64_t>{1, 2, 3, 4});
    CHECK(rounds["c"] == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("what a round has counted is deleted with it, closed or abandoned, and the ledger says so") {
    auto plan = tiny_plan(2);
    World w(plan, {"a", "b"});
    w.hold = [](const std::string& id, std::uint64_t round) { return id == "b" && round == 1; };
    while (w.machine->view().round == 1) w.run(1);  // it is abandoned
    pa::Trained late;
    late.parameters = *w.held.at("b").parameters;
    late.examples = 10;
    late.steps = 1;
    w.send("b", std::move(late));
    CHECK(w.run());
    std::vector<std::string> kinds;
    std::map<std::uint64_t, std::vector<std::string>> deleted;
    std::set<Digest> counted;
    for (const auto& entry : w.journal) {
        if (const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body)) counted.insert(in->blob);
        if (const auto* gone = std::get_if<round::UpdatesDeleted>(&entry.record.body)) deleted[gone->round] = gone->participants;
    }
    CHECK(deleted == std::map<std::uint64_t, std::vector<std::string>>{{1, {"a"}}, {2, {"a", "b"}}, {3, {"a", "b"}}});
    CHECK(counted.size() == 5);
    for (const Digest& blob : counted) CHECK(w.blobs.count(blob) == 0);
}
