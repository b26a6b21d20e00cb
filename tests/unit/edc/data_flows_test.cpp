// The data plane's decisions, whichever dialect asks for them.
#include "connectors/edc/data_flows.hpp"

#include "entente/policy/odrl.hpp"
#include "support.hpp"

using namespace edc_test;

namespace {

struct Plane {
    policy::Policy offer = terms();
    policy::Facts facts;
    std::string agreement = agreement_answer();
    std::vector<std::string> granted;
    std::vector<std::string> revoked;
    std::vector<contract::Completion<AgreementRecord>> lookups;  // when they are to wait
    bool wait = false;
    std::shared_ptr<std::string> latest;  // what the latest call was answered, or will be

    DataFlows flows{{.offered = [this](const Flow& flow) -> Result<policy::Policy> {
                         if (flow.dataset != "model") return Error{Code::not_found, "dataset.unknown", flow.dataset};
                         return offer;
                     },
                     .agreement = [this](const std::string& id, contract::Completion<AgreementRecord> completion) {
                         CHECK(id == "local-1");
                         if (wait) return lookups.push_back(std::move(completion));
                         completion(read_agreement(agreement));
                     },
                     .facts = [this](const Flow&) { return facts; },
                     .grant = [this](const Flow& flow, const AgreementRecord& record) -> Result<dsp::DataAddress> {
                         granted.push_back(flow.process + " " + record.wire_id);
                         return dsp::DataAddress{"http", "http://data/" + std::to_string(granted.size()), "T", "bearer"};
                     },
                     .push = [](const Flow&, const AgreementRecord&) -> Status { return Error{Code::invalid_argument, "signaling.push", "no"}; },
                     .revoke = [this](const std::string& process) {
                         revoked.push_back(process);
                         return done();
                     }}};

    Plane() {
        facts.federation = "urn:fl:federation:demo";
        facts.cohort = 3;
        facts.round = 1;
        facts.now_ms = facts.agreed_at_ms = 1'800'000'000'000;
    }
    static Flow flow(const std::string& process = "p1") { return {process, "local-1", "model", "consumer", {}}; }

    // "STARTED http://data/1", or the reason of a refusal.
    std::string say(Verb verb, const Flow& flow) {
        const auto answer = std::make_shared<std::string>("nothing");
        latest = answer;
        flows.handle({verb, "", flow}, [answer](const Result<Flowing>& now) {
            CHECK(*answer == "nothing");
            *answer = now.ok() ? std::string(word(now->state)) + (now->address ? " " + now->address->endpoint : "") : now.error().reason;
        });
        return *answer;
    }
    std::string start() { return say(Verb::start, flow()); }
};

}  // namespace

TEST_CASE("data flows: from start to end, with a new address after every pause") {
    Plane p;
    CHECK(p.start() == "STARTED http://data/1");
    CHECK(p.granted.at(0) == "p1 wire-1");
    CHECK(p.say(Verb::suspend, p.flow()) == "SUSPENDED");
    CHECK(p.revoked == std::vector<std::string>{"p1"});
    CHECK(p.say(Verb::status, p.flow()) == "SUSPENDED");
    // EDC 0.15 resumes by a second start; the newer signaling by its own word.
    CHECK(p.start() == "STARTED http://data/2");
    CHECK(p.say(Verb::suspend, p.flow()) == "SUSPENDED");
    CHECK(p.say(Verb::resume, p.flow()) == "STARTED http://data/3");
    CHECK(p.say(Verb::terminate, p.flow()) == "TERMINATED");
    CHECK(p.revoked.size() == 3);
    CHECK(p.start() == "flow.state");
    CHECK(p.say(Verb::resume, p.flow()) == "flow.state");
    CHECK(p.granted.size() == 3);
}

TEST_CASE("data flows: an end is an end for flows that nobody remembers, too") {
    Plane p;
    CHECK(p.say(Verb::terminate, p.flow("before the restart")) == "TERMINATED");
    CHECK(p.revoked == std::vector<std::string>{"before the restart"});
    CHECK(p.say(Verb::status, p.flow("before the restart")) == "flow.unknown");
    CHECK(p.say(Verb::resume, p.flow("nothing")) == "flow.state");
}

TEST_CASE("data flows: what the agreement does not allow is refused, and refused again at every start") {
    Plane p;
    SUBCASE("other terms than ours") {
        p.agreement = agreement_answer("1");
        CHECK(p.start() == "agreement.mismatch");
    }
    SUBCASE("an agreement that nobody can read") {
        p.agreement.replace(p.agreement.find("odrl:constraint"), 15, "odrl:constrain!");
        CHECK(p.start() == "agreement.mismatch");
    }
    SUBCASE("another consumer") {
        Flow stolen = p.flow();
        stolen.peer = "somebody";
        CHECK(p.say(Verb::start, stolen) == "agreement.mismatch");
    }
    SUBCASE("another dataset") {
        Flow other = p.flow();
        other.dataset = "another";
        CHECK(p.say(Verb::start, other) == "dataset.unknown");
    }
    SUBCASE("an agreement over another dataset") {
        p.agreement.replace(p.agreement.find(R"("odrl:target":{"@id":"model"})"), 29, R"("odrl:target":{"@id":"other"})");
        CHECK(p.start() == "agreement.mismatch");
    }
    SUBCASE("an offer of ours that we cannot enforce") {
        p.offer.profiles = {"https://elsewhere.example/profile"};
        CHECK(p.start() == "policy.unknown-profile");
    }
    SUBCASE("no such agreement") {
        p.agreement = "[]";
        CHECK(p.start() == "json.malformed");
    }
    SUBCASE("a push, which this host does not do") {
        Flow push = p.flow();
        push.push_to = dsp::DataAddress{"HttpData", "http://sink", "", ""};
        CHECK(p.say(Verb::start, push) == "signaling.push");
    }
    CHECK(p.granted.empty());
    CHECK(p.say(Verb::status, p.flow()) == "flow.unknown");
}

TEST_CASE("data flows: terms that stop to hold stop a flow that is started anew") {
    Plane p;
    p.offer.permissions.at(0).constraints.push_back({policy::operand::in_force_date, "lteq", {"contractAgreement+1d"}});
    const std::string rule = R"("odrl:rightOperand":"2"})";
    p.agreement.replace(p.agreement.find(rule), rule.size(),
                        rule + R"(,{"odrl:leftOperand":{"@id":"https://w3id.org/edc/v0.0.1/ns/inForceDate"},"odrl:operator":{"@id":"odrl:lteq"},
                        "odrl:rightOperand":"contractAgreement+1d"})");
    CHECK(p.start() == "STARTED http://data/1");
    p.facts.now_ms = *p.facts.agreed_at_ms + 2 * 86'400'000;
    CHECK(p.start() == "policy.denied");
    CHECK(p.revoked == std::vector<std::string>{"p1"});
    CHECK(p.say(Verb::status, p.flow()) == "SUSPENDED");
}

TEST_CASE("data flows: what was said while the agreement was on its way counts") {
    Plane p;
    p.wait = true;
    CHECK(p.start() == "nothing");
    const auto answer = p.latest;
    CHECK(p.say(Verb::terminate, p.flow()) == "TERMINATED");
    REQUIRE(p.lookups.size() == 1);
    p.lookups.at(0)(read_agreement(p.agreement));
    CHECK(*answer == "flow.state");
    CHECK(p.granted.empty());
}

TEST_CASE("data flows: a process is one flow") {
    Plane p;
    CHECK(p.say(Verb::prepare, p.flow()) == "PREPARED");
    CHECK(p.start() == "STARTED http://data/1");
    Flow other = p.flow();
    other.agreement = "local-2";
    CHECK(p.say(Verb::start, other) == "flow.other");
    for (int i = 0; i < 9'999; ++i) REQUIRE(p.say(Verb::prepare, p.flow(std::to_string(i))) == "PREPARED");
    CHECK(p.say(Verb::prepare, p.flow("one more")) == "flow.too-many");
}
