// A coordinator with the production behaviour, and a participant behind an Eclipse EDC, which is a script here: its
// messages bear nothing of ours and lose the policy's profile, as EDC 0.15.1's do.
#include <doctest/doctest.h>

#include "connectors/dsp/exchange_behaviour.hpp"
#include "connectors/dsp/node.hpp"
#include "connectors/dsp/terms.hpp"
#include "entente/policy/odrl.hpp"

using namespace entente;
using namespace entente::contract;
namespace dsp = entente::dsp;

namespace {

constexpr std::int64_t now = 1'800'000'000'000;
const std::string global = global_model_asset("digits");
const std::string updates = update_stream_asset("digits", "plant-b");

codec::SigningKey seeded(std::uint8_t seed) {
    std::array<std::byte, codec::SigningKey::seed_bytes> bytes{};
    bytes.fill(std::byte{seed});
    return codec::SigningKey(bytes);
}

std::string without_profile(std::string odrl) {
    policy::Odrl read = policy::read_odrl(odrl).value();
    read.policy.profiles.clear();
    return policy::to_odrl_json(read.policy, {.type = "Offer", .id = read.frame.id, .target = global, .assigner = "coordinator", .assignee = {}, .timestamp = {}});
}

struct Scene {
    codec::SigningKey coordinator = seeded(1), plant = seeded(2);
    Exchange exchange{"digits"};
    std::map<std::string, dsp::Peer, std::less<>> peers{
        {"plant-b", {"plant-b", "https://edc.example/protocol/2025-1", true, "https://plant-b.example", "BPNL1"}},
        {"plant-a", {"plant-a", "https://plant-a.example/dsp/2025-1"}}};
    dsp::ExchangeBehaviour behaviour{{"coordinator", coordinator.public_key(), exchange, peers, [] { return now; }}};
    dsp::Node node{options(), behaviour};
    int ids = 0;

    Scene() {
        REQUIRE(exchange.admit("coordinator", coordinator.public_key()).ok());
        REQUIRE(exchange.admit("plant-a", seeded(3).public_key()).ok());
        REQUIRE(exchange.admit("plant-b", plant.public_key()).ok());
        const Offer offer{"offer:global", global, "coordinator", "", policy::federation_policy({{policy::operand::max_rounds, "lteq", {"9"}}})};
        REQUIRE(exchange.publish("coordinator", {global, AssetKind::global_model, "digits", "coordinator"}, sign(offer, coordinator)).ok());
    }
    dsp::NodeOptions options() {
        dsp::NodeOptions o;
        o.participant = "coordinator";
        o.address = "https://coordinator.example/dsp/2025-1";
        o.new_id = [this] { return "urn:uuid:" + std::to_string(++ids); };
        o.called = [this](const std::string& peer) { return peers.find(peer)->second.called(); };
        return o;
    }
    dsp::Answer call(const std::string& caller, const std::string& path, const std::string& body) {
        const dsp::Step step = node.receive({"POST", path, caller, body, 0}, now);
        node.commit(step);
        node.answered(step);
        return step.answer;
    }
    dsp::Dataset shown(const std::string& to) {
        const auto page = dsp::read_catalog(call(to, "/catalog/request", dsp::write_catalog_request({})).body);
        REQUIRE((page.ok() && page->datasets.size() == 1));
        return page->datasets.front();
    }
    Agreement acceptance() { return conclude(dsp::read_entry(shown("plant-b"))->offer, {"Ada Novak", now}, plant).value(); }
    // A ContractRequest as EDC sends it.
    dsp::Answer ask(const std::string& odrl, const std::string& caller = "plant-b", const std::string& at = "https://edc.example/protocol/2025-1") {
        dsp::Message m{.kind = dsp::Kind::contract_request, .id = "m" + std::to_string(++ids), .consumer_pid = "c" + std::to_string(ids),
                       .callback_address = at, .policy = odrl};
        return call(caller, "/negotiations/request", dsp::write(m));
    }
};

}  // namespace

TEST_CASE("what EDC drops is missed only where it may be, and nothing else is") {
    Scene s;
    dsp::Dataset d = s.shown("plant-b");
    const std::string whole = d.offers.front();
    d.offers.front() = without_profile(whole);
    CHECK(dsp::read_entry(d).error().reason == "dataset.other-terms");
    CHECK(dsp::read_entry(d, dsp::Profile::may_be_lost).ok());
    d.offers.front().replace(d.offers.front().find("\"9\""), 3, "\"99\"");
    CHECK(dsp::read_entry(d, dsp::Profile::may_be_lost).error().reason == "dataset.other-terms");
    policy::Odrl other = policy::read_odrl(whole).value();
    other.policy.profiles = {"https://elsewhere.example/profile"};
    d.offers.front() = policy::to_odrl_json(other.policy, other.frame);
    CHECK(dsp::read_entry(d, dsp::Profile::may_be_lost).error().reason == "dataset.other-terms");
}

TEST_CASE("an EDC's request is agreed to once its participant has shown that it accepts, and the dataset says that this was read") {
    Scene s;
    const std::string odrl = without_profile(s.shown("plant-b").offers.front());
    CHECK(s.ask(odrl).body.find("contract.no-acceptance") != std::string::npos);
    const Agreement accepted = s.acceptance();
    CHECK_FALSE(s.shown("plant-b").properties.contains(dsp::member::accepted));
    s.behaviour.told("plant-b", accepted);
    CHECK(s.shown("plant-b").properties.at(dsp::member::accepted) == accepted.id);

    std::string looser = odrl;
    looser.replace(looser.find("\"9\""), 3, "\"99\"");
    CHECK(s.ask(looser).body.find("agreement.mismatch") != std::string::npos);
    REQUIRE(s.ask(odrl).status == 201);
    // It is agreed to in our own spelling, profile and all.
    const auto due = s.node.due(now);
    REQUIRE(due.size() == 1);
    const auto agreement = dsp::read_message(due.front().body, {dsp::Kind::agreement});
    REQUIRE(agreement.ok());
    const policy::Odrl agreed = policy::read_odrl(agreement->policy).value();
    CHECK(agreed.frame.id == accepted.id);
    CHECK(agreed.frame.assignee == "BPNL1");
    CHECK(policy::same_terms(agreed.policy, accepted.offer.offer.policy));
}

TEST_CASE("an acceptance is taken from no catalogue for a participant with a connector of ours, nor for another dataset") {
    Scene s;
    const std::string odrl = s.shown("plant-a").offers.front();
    s.behaviour.told("plant-a", s.acceptance());
    CHECK_FALSE(s.shown("plant-a").properties.contains(dsp::member::view));
    const std::string offer = dsp::offer_for(odrl, global, "coordinator").value();
    CHECK(s.ask(offer, "plant-a", "https://plant-a.example/dsp/2025-1").body.find("contract.no-acceptance") != std::string::npos);
    Agreement elsewhere = s.acceptance();
    elsewhere.offer.offer.asset = "urn:fl:other:global";
    s.behaviour.told("plant-b", elsewhere);
    CHECK(s.ask(without_profile(odrl)).body.find("contract.no-acceptance") != std::string::npos);
}

TEST_CASE("an EDC that asks for an asset gets the version that it is now") {
    Scene s;
    const Agreement accepted = s.acceptance();
    s.behaviour.told("plant-b", accepted);
    REQUIRE(s.exchange.negotiate("plant-b", accepted, now).ok());
    const auto asked = [&] {
        dsp::Message m{.kind = dsp::Kind::transfer_request, .id = "t" + std::to_string(++s.ids), .consumer_pid = "p" + std::to_string(s.ids),
                       .callback_address = "https://edc.example/protocol/2025-1", .agreement_id = accepted.id, .format = "HttpData-PULL"};
        return s.call("plant-b", "/transfers/request", dsp::write(m)).status;
    };
    CHECK(asked() == 400);  // nothing is there yet
    const Version v{3, Digest{{std::byte{7}}}, 1234, 9};
    REQUIRE(s.exchange.deliver("coordinator", global, v).ok());
    REQUIRE(asked() == 201);
    CHECK(dsp::read_version(s.node.transfers().begin()->second.extensions).value() == v);
}

TEST_CASE("the coordinator's books about a participant's updates are in the dataset that it reads, of transfers the latest sixteen") {
    Scene s;
    const Asset asset{updates, AssetKind::update_stream, "digits", "plant-b"};
    const SignedOffer offer = sign({"offer:1", updates, "plant-b", "coordinator", policy::federation_policy({})}, s.plant);
    REQUIRE(s.exchange.publish("plant-b", asset, offer).ok());
    const Agreement agreement = conclude(offer, {"operator", now}, s.coordinator).value();
    REQUIRE(s.exchange.negotiate("coordinator", agreement, now).ok());
    for (std::uint64_t round = 1; round <= 20; ++round) {
        const Version v{round, Digest{{std::byte(round)}}, 10};
        REQUIRE(s.exchange.deliver("plant-b", updates, v).ok());
        const Transfer t = s.exchange.open("coordinator", {agreement.id, updates, v}, now).value();
        REQUIRE(s.exchange.conclude("coordinator", t.id, {round % 2 == 0, round % 2 == 0 ? "" : "update.late", ""}).ok());
    }
    const HubView told = dsp::read_view(s.shown("plant-b").properties).value();
    CHECK(told.own_agreements == std::vector<Agreement>{agreement});
    REQUIRE(told.own_transfers.size() == 16);
    CHECK(told.own_transfers.back().version.round == 20);
    CHECK(told.own_transfers.back().state == TransferState::completed);
    CHECK(told.own_transfers.at(14).code == "update.late");
    dsp::Extensions broken = s.shown("plant-b").properties;
    broken[dsp::member::view] = broken[dsp::member::view].substr(0, 40);
    CHECK_FALSE(dsp::read_view(broken).ok());
}

TEST_CASE("an EDC is called in offers and agreements what it calls itself") {
    Scene s;
    const std::string odrl = R"({"@id":"b64:b64:b64","@type":"Offer","permission":[{"action":"use"}]})";
    const auto begun = s.node.request(dsp::Node::NegotiationRequest{"plant-b", "https://edc.example/protocol/2025-1", updates, odrl, {}}, now);
    REQUIRE(begun.ok());
    s.node.commit(*begun);
    const auto due = s.node.due(now);
    REQUIRE(due.size() == 1);
    const std::string offer = dsp::read_message(due.front().body, {dsp::Kind::contract_request})->policy;
    CHECK(policy::read_odrl(offer)->frame.assigner == "BPNL1");
    const auto agreed_with = [&](const char* assigner) {
        dsp::Message m{.kind = dsp::Kind::agreement, .id = assigner, .provider_pid = "theirs", .consumer_pid = begun->negotiation->pid};
        m.policy = dsp::agreement_over(odrl, {"a", updates, assigner, "coordinator", "2026-11-23T11:00:00Z"}).value();
        return s.call("plant-b", "/negotiations/" + begun->negotiation->pid + "/agreement", dsp::write(m)).body;
    };
    CHECK(agreed_with("plant-b").find("expected the assigner BPNL1") != std::string::npos);
}

TEST_CASE("an EDC's own name for an agreement is taken, other terms are not; what it is told waits until it has written them down") {
    Scene s;
    const SignedOffer offer = sign({"offer:1", updates, "plant-b", "coordinator", policy::federation_policy({{policy::operand::max_rounds, "lteq", {"9"}}})}, s.plant);
    const Agreement ours = conclude(offer, {"operator", now}, s.coordinator).value();
    dsp::Negotiation n;
    n.role = dsp::Role::consumer;
    n.peer = "plant-b";
    n.dataset = updates;
    n.extensions = dsp::acceptance_of(ours);
    policy::Policy lost = offer.offer.policy;
    lost.profiles.clear();
    const auto agreement = [&](const policy::Policy& terms) {
        return policy::to_odrl_json(terms, {.type = "Agreement", .id = "8bc4fb62", .target = updates, .assigner = "plant-b", .assignee = "coordinator", .timestamp = {}});
    };
    n.agreement = agreement(lost);
    CHECK(s.behaviour.admit_agreement(n).ok());
    const auto acts = s.behaviour.next(n, dsp::Kind::agreement, dsp::Cause::received);
    REQUIRE(acts.size() == 1);
    CHECK((acts.front().send == dsp::Kind::verification && acts.front().after_ms > 0));
    lost.permissions.front().constraints.front().right_operand = {"10"};
    n.agreement = agreement(lost);
    CHECK(s.behaviour.admit_agreement(n).error().reason == "agreement.mismatch");
    n.peer = "plant-a";
    n.agreement = agreement(offer.offer.policy);
    CHECK(s.behaviour.admit_agreement(n).error().reason == "agreement.mismatch");
}
