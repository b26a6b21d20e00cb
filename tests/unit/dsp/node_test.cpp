#include <utility>

#include "two_nodes.hpp"

using namespace dsp_test;

namespace {

Call call(const std::string& method, const std::string& path, const std::string& body = {}, const std::string& caller = "plant-b") {
    return {method, path, caller, body, 0};
}

std::string request_body(const std::string& consumer_pid, const std::string& id) {
    Message m;
    m.kind = Kind::contract_request;
    m.id = id;
    m.consumer_pid = consumer_pid;
    m.callback_address = "http://b/dsp";
    m.policy = offer_for(offer, dataset_id).value();
    return write(m);
}

}  // namespace

TEST_CASE("two connectors come to an agreement, and both know it") {
    World w;
    w.negotiate();
    w.run();
    const Negotiation& consumer = World::only(w.b.node->negotiations());
    const Negotiation& provider = World::only(w.a.node->negotiations());
    CHECK(consumer.state == NegotiationState::finalized);
    CHECK(provider.state == NegotiationState::finalized);
    CHECK(consumer.agreement == provider.agreement);
    CHECK(consumer.peer_pid == provider.pid);
    CHECK(w.posted == std::vector<std::string>{"http://a/dsp/negotiations/request",
                                               "http://b/dsp/negotiations/" + consumer.pid + "/agreement",
                                               "http://a/dsp/negotiations/" + provider.pid + "/agreement/verification",
                                               "http://b/dsp/negotiations/" + consumer.pid + "/events"});
    CHECK(provider.history.size() == 4);
}

TEST_CASE("an agreement whose rules were altered under a valid offer is not verified") {
    for (const auto& change : std::vector<std::pair<std::string, std::string>>{
             {"urn:fl:federation:42", "urn:fl:federation:43"},
             {"\"operator\":\"eq\"", "\"operator\":\"isAnyOf\""},
             {"\"target\":\"urn:fl:42:a:updates\"", "\"target\":\"urn:fl:42:b:updates\""},
             {"\"assigner\":\"plant-a\"", "\"assigner\":\"plant-c\""},
             {"\"assignee\":\"plant-b\"", "\"assignee\":\"plant-c\""},
             {",\"profile\":\"https://w3id.org/entente/policy/v1\"", ""}}) {
        World w;
        w.a.behaviour.tamper = [&change](std::string text) {
            const std::size_t at = text.find(change.first);
            REQUIRE(at != std::string::npos);
            return text.replace(at, change.first.size(), change.second);
        };
        w.negotiate();
        w.run();
        CAPTURE(change.first);
        const Negotiation& consumer = World::only(w.b.node->negotiations());
        CHECK(consumer.state == NegotiationState::terminated);
        CHECK(consumer.code == "agreement.mismatch");
        CHECK(consumer.agreement.empty());
        const Negotiation& provider = World::only(w.a.node->negotiations());
        CHECK(provider.state == NegotiationState::terminated);
        CHECK(provider.code == "agreement.mismatch");
    }
}

TEST_CASE("a transfer starts, is suspended, resumed with a new token and completed") {
    World w;
    const std::string pid = w.transfer();
    w.run();
    const auto& consumer = World::only(w.b.node->transfers());
    const auto& provider = World::only(w.a.node->transfers());
    REQUIRE(consumer.state == TransferState::started);
    REQUIRE(provider.state == TransferState::started);
    REQUIRE(consumer.address);
    CHECK(consumer.address->authorization == "token-1");

    w.say(w.b, pid, Kind::transfer_suspension);
    w.run();
    CHECK(consumer.state == TransferState::suspended);
    CHECK(provider.state == TransferState::suspended);

    w.say(w.b, pid, Kind::transfer_start);
    w.run();
    CHECK(consumer.state == TransferState::started);
    CHECK(provider.state == TransferState::started);
    CHECK(consumer.address->authorization == "token-2");
    CHECK_FALSE(consumer.resuming);
    CHECK_FALSE(provider.resuming);

    w.say(w.a, provider.pid, Kind::transfer_suspension);
    w.run();
    CHECK(consumer.state == TransferState::suspended);
    w.say(w.b, pid, Kind::transfer_termination);
    w.run();
    CHECK(consumer.state == TransferState::terminated);
    CHECK(provider.state == TransferState::terminated);
    CHECK(provider.ended_by_peer);
}

TEST_CASE("a provider's owner starts when it can: the first time, and as it owes it after a resumption") {
    World w;
    w.a.behaviour.starts_by_itself = false;
    const std::string pid = w.transfer();
    w.run();
    const auto& consumer = World::only(w.b.node->transfers());
    const auto& provider = World::only(w.a.node->transfers());
    CHECK(provider.state == TransferState::requested);
    w.say(w.a, provider.pid, Kind::transfer_start);
    w.run();
    CHECK(consumer.state == TransferState::started);
    CHECK(w.a.node->act(provider.pid, {.send = Kind::transfer_start}, w.now).error().reason == "dsp.state");
    w.say(w.b, pid, Kind::transfer_suspension);
    w.run();
    w.say(w.b, pid, Kind::transfer_start);
    w.run();
    CHECK(consumer.resuming);
    CHECK(provider.resuming);
    w.say(w.a, provider.pid, Kind::transfer_start);
    w.run();
    CHECK_FALSE(consumer.resuming);
    CHECK_FALSE(provider.resuming);
    CHECK(w.a.node->act(provider.pid, {.send = Kind::transfer_start}, w.now).error().reason == "dsp.state");
}

TEST_CASE("whatever is lost, doubled or answered in vain on the way, both sides end in the same place") {
    for (const Fate fate : {Fate::lose_request, Fate::lose_answer, Fate::twice}) {
        for (std::size_t nth = 0; nth < 6; ++nth) {
            World w;
            std::size_t count = 0;
            w.fate = [&](const Due&) { return count++ == nth ? fate : Fate::deliver; };
            w.negotiate();
            w.run();
            CAPTURE(static_cast<int>(fate));
            CAPTURE(nth);
            CHECK(World::only(w.b.node->negotiations()).state == NegotiationState::finalized);
            CHECK(World::only(w.a.node->negotiations()).state == NegotiationState::finalized);
            const auto& history = World::only(w.b.node->negotiations()).history;
            REQUIRE(history.size() == 4);
            CHECK(history[0].kind == Kind::contract_request);
            CHECK(history[1].kind == Kind::agreement);
        }
    }
}

TEST_CASE("a connector killed after any step goes on with what it had stored") {
    for (Side World::*victim : {&World::a, &World::b}) {
        for (int when = 1; when < 12; ++when) {
            for (const bool before_answer : {false, true}) {
                World w;
                bool killed = false;
                w.fate = [&](const Due&) {
                    Side& side = w.*victim;
                    if (side.stored != when || std::exchange(killed, true)) return Fate::deliver;
                    side.start();
                    return before_answer ? Fate::lose_answer : Fate::lose_request;
                };
                w.negotiate();
                w.run(60'000);
                CAPTURE(when);
                CAPTURE(before_answer);
                CHECK(World::only(w.b.node->negotiations()).state == NegotiationState::finalized);
                CHECK(World::only(w.a.node->negotiations()).state == NegotiationState::finalized);
            }
        }
    }
}

TEST_CASE("a peer that is silent for good is given up, and the reason says who was silent") {
    World w;
    w.fate = [](const Due& due) { return due.url.starts_with("http://b") ? Fate::lose_request : Fate::deliver; };
    w.negotiate();
    w.run(200'000);
    const Negotiation& consumer = World::only(w.b.node->negotiations());
    const Negotiation& provider = World::only(w.a.node->negotiations());
    CHECK(provider.state == NegotiationState::terminated);
    CHECK(provider.code == "peer.unreachable");
    CHECK(consumer.state == NegotiationState::terminated);
    CHECK(consumer.code == "dsp.deadline");
    CHECK(consumer.reasons.front().find("plant-a") != std::string::npos);
}

TEST_CASE("the same message is applied once, and another in its place is refused") {
    World w;
    const Step first = w.a.node->receive(call("POST", "/negotiations/request", request_body("urn:c", "urn:m1")), w.now);
    REQUIRE(first.answer.status == 201);
    w.a.carry_out(first);
    const Step again = w.a.node->receive(call("POST", "/negotiations/request", request_body("urn:c", "urn:m1")), w.now);
    CHECK(again.answer.status == 201);
    CHECK(again.answer.body == first.answer.body);
    CHECK_FALSE(again.negotiation);
    const Step other = w.a.node->receive(call("POST", "/negotiations/request", request_body("urn:c", "urn:m2")), w.now);
    CHECK(other.answer.status == 400);
    CHECK(other.answer.body.find("dsp.duplicate") != std::string::npos);
    // The same pid of another participant is another process.
    const Step stranger = w.a.node->receive(call("POST", "/negotiations/request", request_body("urn:c", "urn:m1"), "plant-c"), w.now);
    CHECK(stranger.answer.status == 201);
    CHECK(stranger.negotiation->pid != first.negotiation->pid);
}

TEST_CASE("a process is there for its two parties and for nobody else") {
    World w;
    w.negotiate();
    w.run();
    const std::string pid = World::only(w.a.node->negotiations()).pid;
    CHECK(w.a.node->receive(call("GET", "/negotiations/" + pid), w.now).answer.status == 200);
    CHECK(w.a.node->receive(call("GET", "/negotiations/" + pid + "/"), w.now).answer.status == 200);
    const Answer foreign = w.a.node->receive(call("GET", "/negotiations/" + pid, {}, "plant-c"), w.now).answer;
    const Answer missing = w.a.node->receive(call("GET", "/negotiations/urn:uuid:nothing", {}, "plant-c"), w.now).answer;
    CHECK(foreign.status == 404);
    CHECK(missing.status == 404);
    CHECK(w.a.node->receive(call("GET", "/negotiations/" + pid, {}, ""), w.now).answer.status == 401);
    CHECK(w.a.node->receive(call("GET", "/transfers/" + pid), w.now).answer.status == 404);
}

TEST_CASE("a message in the wrong state is refused with a typed error, and the state stays") {
    World w;
    w.negotiate();
    w.run();
    const Negotiation before = World::only(w.a.node->negotiations());
    Message m;
    m.id = "urn:late";
    m.provider_pid = before.pid;
    m.consumer_pid = before.peer_pid;
    m.code = "x";
    for (const auto& [kind, path] : std::vector<std::pair<Kind, std::string>>{{Kind::negotiation_termination, "/termination"},
                                                                              {Kind::acceptance, "/events"},
                                                                              {Kind::finalization, "/events"}}) {
        m.kind = kind;
        const Step step = w.a.node->receive(call("POST", "/negotiations/" + before.pid + path, write(m)), w.now);
        CHECK(step.answer.status == 400);
        CHECK(step.answer.body.find("\"ContractNegotiationError\"") != std::string::npos);
        CHECK(step.answer.body.find("dsp.state") != std::string::npos);
        CHECK_FALSE(step.negotiation);
    }
    // A pid that does not belong to it, in an otherwise right message.
    m.kind = Kind::verification;
    m.consumer_pid = "urn:uuid:other";
    CHECK(w.a.node->receive(call("POST", "/negotiations/" + before.pid + "/agreement/verification", write(m)), w.now).answer.status == 404);
}

TEST_CASE("the same agreement or verification under another id is no second one, and no error") {
    World w;
    w.negotiate();
    w.run();
    const Negotiation& consumer = World::only(w.b.node->negotiations());
    const Negotiation& provider = World::only(w.a.node->negotiations());
    Message m{.kind = Kind::verification, .id = "urn:again", .provider_pid = provider.pid, .consumer_pid = consumer.pid};
    const Step verified = w.a.node->receive(call("POST", "/negotiations/" + provider.pid + "/agreement/verification", write(m)), w.now);
    CHECK(verified.answer.status == 200);
    CHECK_FALSE(verified.negotiation);

    World v;
    v.fate = [](const Due& due) { return due.url.ends_with("/events") ? Fate::lose_request : Fate::deliver; };
    v.negotiate();
    v.run(200);
    const Negotiation& waiting = World::only(v.b.node->negotiations());
    REQUIRE(waiting.state == NegotiationState::verified);
    m = Message{.kind = Kind::agreement, .id = "urn:again", .provider_pid = waiting.peer_pid, .consumer_pid = waiting.pid, .policy = waiting.agreement};
    const std::string path = "/negotiations/" + waiting.pid + "/agreement";
    CHECK(v.b.node->receive(call("POST", path, write(m), "plant-a"), v.now).answer.status == 200);
    m.policy.replace(m.policy.find("agreement-1"), 11, "agreement-2");
    CHECK(v.b.node->receive(call("POST", path, write(m), "plant-a"), v.now).answer.status == 400);
    m.policy = waiting.agreement;
    m.policy.replace(m.policy.find("federation:42"), 13, "federation:43");
    CHECK(v.b.node->receive(call("POST", path, write(m), "plant-a"), v.now).answer.status == 400);
}

TEST_CASE("open processes with one peer are bounded, those with others are not touched by it") {
    World w;
    for (int i = 0; i < 100; ++i) {
        const Step step = w.a.node->receive(call("POST", "/negotiations/request", request_body("urn:c" + std::to_string(i), "urn:m" + std::to_string(i))), w.now);
        REQUIRE(step.answer.status == 201);
        w.a.carry_out(step);
    }
    CHECK(w.a.node->receive(call("POST", "/negotiations/request", request_body("urn:d", "urn:d")), w.now).answer.status == 429);
    CHECK(w.a.node->receive(call("POST", "/negotiations/request", request_body("urn:d", "urn:d"), "plant-c"), w.now).answer.status == 201);
}

TEST_CASE("our next message leaves when the answer has been flushed, and not before") {
    World w;
    const Step step = w.a.node->receive(call("POST", "/negotiations/request", request_body("urn:c", "urn:m1")), w.now);
    w.a.carry_out(step);
    CHECK(w.a.node->due(w.now).empty());
    CHECK_FALSE(w.a.node->next_ms() == w.now);
    w.a.node->answered(step);
    CHECK(w.a.node->due(w.now).size() == 1);
    CHECK(w.a.node->due(w.now).empty());  // it is under way
}
