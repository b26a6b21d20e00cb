// Two connectors with the production behaviour, each over the exchange of its owner.
#include <doctest/doctest.h>

#include <memory>

#include "connectors/dsp/exchange_behaviour.hpp"
#include "connectors/dsp/node.hpp"
#include "entente/policy/policy.hpp"

using namespace entente;
using namespace entente::contract;
using entente::dsp::Node;
namespace dsp = entente::dsp;

namespace {

constexpr std::int64_t now = 1'800'000'000'000;

codec::SigningKey seeded(std::uint8_t seed) {
    std::array<std::byte, codec::SigningKey::seed_bytes> bytes{};
    bytes.fill(std::byte{seed});
    return codec::SigningKey(bytes);
}

struct Company {
    explicit Company(std::string name, std::uint8_t seed) : id(std::move(name)), key(seeded(seed)) {}

    void open(const Company& other) {
        REQUIRE(exchange.admit(id, key.public_key()).ok());
        REQUIRE(exchange.admit(other.id, other.key.public_key()).ok());
        peers[other.id] = {other.id, "https://" + other.id + ".example/dsp"};
        behaviour = std::make_unique<dsp::ExchangeBehaviour>(
            dsp::ExchangeBehaviour::Options{id, key.public_key(), exchange, peers, [] { return now; }});
        dsp::NodeOptions o;
        o.participant = id;
        o.address = "https://" + id + ".example/dsp";
        o.new_id = [this] { return "urn:uuid:" + id + std::to_string(++ids); };
        node = std::make_unique<Node>(std::move(o), *behaviour);
    }

    std::string id;
    codec::SigningKey key;
    Exchange exchange{"digits"};
    std::map<std::string, dsp::Peer, std::less<>> peers;
    std::unique_ptr<dsp::ExchangeBehaviour> behaviour;
    std::unique_ptr<Node> node;
    int ids = 0;
};

struct Two {
    Company a{"plant-a", 1};
    Company b{"coordinator", 2};

    Two() {
        a.open(b);
        b.open(a);
    }
    SignedOffer offer(std::vector<policy::Constraint> terms = {}) {
        return sign({"offer:1", update_stream_asset("digits", "plant-a"), "plant-a", "coordinator", policy::federation_policy(std::move(terms))}, a.key);
    }
    Asset asset() { return {update_stream_asset("digits", "plant-a"), AssetKind::update_stream, "digits", "plant-a"}; }

    dsp::Answer call(Company& to, const std::string& method, const std::string& path, const std::string& caller, const std::string& body = {}) {
        const dsp::Step step = to.node->receive({method, path, caller, body, 0}, now);
        to.node->commit(step);
        to.node->answered(step);
        return step.answer;
    }
    Result<CatalogEntry> look() {
        const dsp::Answer answer = call(a, "POST", "/catalog/request", "coordinator", dsp::write_catalog_request({}));
        ENTENTE_ASSIGN(const dsp::CataloguePage page, dsp::read_catalog(answer.body));
        if (page.datasets.size() != 1) return Error{Code::not_found, "test.none", std::to_string(page.datasets.size())};
        shown = page.datasets.front();
        return dsp::read_entry(shown);
    }
    void run() {
        for (bool any = true; any;) {
            any = false;
            for (Company* from : {&a, &b}) {
                Company& to = from == &a ? b : a;
                const std::string base = "https://" + to.id + ".example/dsp";
                for (const dsp::Due& due : from->node->due(now)) {
                    REQUIRE(due.url.starts_with(base));
                    const dsp::Answer answer = call(to, "POST", due.url.substr(base.size()), from->id, due.body);
                    from->node->commit(from->node->sent(due, {answer.status, answer.body, {}}, now));
                    any = true;
                }
            }
        }
    }
    const dsp::Negotiation& negotiate(const Agreement& acceptance, const std::string& odrl) {
        const auto step = b.node->request(Node::NegotiationRequest{"plant-a", "https://plant-a.example/dsp", asset().id, odrl,
                                                                   dsp::acceptance_of(acceptance)}, now);
        REQUIRE(step.ok());
        b.node->commit(*step);
        run();
        return b.node->negotiations().find(step->negotiation->pid)->second;
    }
    dsp::Dataset shown;
};

}  // namespace

TEST_CASE("a catalogue shows each participant what is meant for it, signed, with what is new") {
    Two t;
    CHECK_FALSE(t.look().ok());
    REQUIRE(t.a.exchange.publish("plant-a", t.asset(), t.offer()).ok());
    auto entry = t.look();
    REQUIRE(entry.ok());
    CHECK(entry->asset == t.asset());
    CHECK(entry->offer == t.offer());
    CHECK_FALSE(entry->version);
    const Version v{3, Digest{{std::byte{7}}}, 1234, 9};
    REQUIRE(t.a.exchange.deliver("plant-a", t.asset().id, v).ok());
    entry = t.look();
    REQUIRE(entry.ok());
    CHECK(entry->version == v);
    CHECK(t.call(t.a, "GET", "/catalog/datasets/" + t.asset().id, "coordinator").status == 200);
    // A stranger sees nothing of it, and no difference to what is not there.
    const auto page = dsp::read_catalog(t.call(t.a, "POST", "/catalog/request", "plant-c", dsp::write_catalog_request({})).body);
    CHECK(page->datasets.empty());
    CHECK(t.call(t.a, "GET", "/catalog/datasets/" + t.asset().id, "plant-c").status == 404);
}

TEST_CASE("terms that differ from what was signed are not read as an offer") {
    Two t;
    REQUIRE(t.a.exchange.publish("plant-a", t.asset(), t.offer({{policy::operand::max_rounds, "lteq", {"3"}}})).ok());
    REQUIRE(t.look().ok());
    dsp::Dataset altered = t.shown;
    altered.offers.front().replace(altered.offers.front().find("\"3\""), 3, "\"9\"");
    CHECK(dsp::read_entry(altered).error().reason == "dataset.other-terms");
    altered = t.shown;
    altered.id = "urn:fl:digits:plant-b:updates";
    CHECK_FALSE(dsp::read_entry(altered).ok());
    altered = t.shown;
    altered.properties.at("signedOffer")[20] ^= 1;
    CHECK_FALSE(dsp::read_entry(altered).ok());
    altered.properties.erase("signedOffer");
    CHECK_FALSE(dsp::read_entry(altered).ok());
}

TEST_CASE("an agreement comes about over the offer as published, with the consumer's signature") {
    Two t;
    REQUIRE(t.a.exchange.publish("plant-a", t.asset(), t.offer()).ok());
    const CatalogEntry entry = t.look().value();
    const Agreement acceptance = conclude(entry.offer, {"Ada Novak", now}, t.b.key).value();
    const dsp::Negotiation n = t.negotiate(acceptance, t.shown.offers.front());
    REQUIRE(n.state == dsp::NegotiationState::finalized);
    CHECK(n.agreement.find("\"" + acceptance.id + "\"") != std::string::npos);
    REQUIRE(t.a.exchange.negotiate("coordinator", dsp::read_acceptance(t.a.node->negotiations().begin()->second.extensions).value(), now).ok());

    // Asked again with a later acceptance, the first agreement stands.
    const Agreement later = conclude(entry.offer, {"Ada Novak", now + 1000}, t.b.key).value();
    const dsp::Negotiation again = t.negotiate(later, t.shown.offers.front());
    CHECK(again.state == dsp::NegotiationState::finalized);
    CHECK(dsp::read_acceptance(again.extensions)->id == acceptance.id);
}

TEST_CASE("what is no acceptance of the published offer is refused before anything begins") {
    Two t;
    REQUIRE(t.a.exchange.publish("plant-a", t.asset(), t.offer({{policy::operand::max_rounds, "lteq", {"3"}}})).ok());
    const CatalogEntry entry = t.look().value();
    const Agreement right = conclude(entry.offer, {"Ada", now}, t.b.key).value();
    const auto ended = [&](const Agreement& acceptance, const std::string& odrl) {
        const dsp::Negotiation& n = t.negotiate(acceptance, odrl);
        CHECK(n.state == dsp::NegotiationState::terminated);
        CHECK(t.a.node->negotiations().empty());
        return n.code;
    };
    std::string other = t.shown.offers.front();
    other.replace(other.find("\"3\""), 3, "\"9\"");
    CHECK(ended(right, other) == "agreement.mismatch");
    CHECK(ended(conclude(entry.offer, {"Ada", now}, t.a.key).value(), t.shown.offers.front()) == "contract.foreign-key");
    CHECK(ended(conclude(entry.offer, {"Ada", now - 3'600'000}, t.b.key).value(), t.shown.offers.front()) == "agreement.clock");
    Agreement forged = right;
    forged.acceptance.accepted_by = "Mallory";
    CHECK(ended(forged, t.shown.offers.front()) == "contract.bad-signature");
}

TEST_CASE("a callback elsewhere than the peer is registered is refused") {
    Two t;
    CHECK(t.a.behaviour->admit_address("coordinator", "https://coordinator.example/dsp").ok());
    CHECK(t.a.behaviour->admit_address("coordinator", "https://coordinator.example/elsewhere/").ok());
    for (const char* address : {"https://coordinator.example.evil/dsp", "http://coordinator.example/dsp", "https://coordinator.example:8443/dsp",
                                "https://coordinator.example@evil/dsp", "https://evil/coordinator.example", "coordinator.example", "", "file:///etc/passwd"}) {
        CAPTURE(address);
        CHECK_FALSE(t.a.behaviour->admit_address("coordinator", address).ok());
    }
    CHECK_FALSE(t.a.behaviour->admit_address("plant-c", "https://coordinator.example/dsp").ok());
}

TEST_CASE("one origin is one text, however its address is written") {
    CHECK(dsp::origin_of("https://plant-a.example:8443/dsp?x") == "https://plant-a.example:8443");
    for (const char* same : {"https://plant-a.example/dsp", "https://plant-a.example:443/", "https://Plant-A.example#x"}) {
        CHECK(dsp::origin_of(same) == "https://plant-a.example");
    }
    CHECK(dsp::origin_of("http://plant-a.example:80") == "http://plant-a.example");
    CHECK(dsp::origin_of("http://plant-a.example:443") == "http://plant-a.example:443");
    for (const char* none : {"", "plant-a", "https://", "https://a@b/", "https://a\\b", "https://a b"}) CHECK(dsp::origin_of(none).empty());
}
