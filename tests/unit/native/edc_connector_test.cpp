// A partner's half beside an EDC that is a script here, with a coordinator of the production behaviour behind it.
#include "edc/edc_connector.hpp"

#include <doctest/doctest.h>

#include "base/files.hpp"
#include "connectors/dsp/exchange_behaviour.hpp"
#include "connectors/dsp/terms.hpp"
#include "connectors/dsp/writer.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::contract;
using namespace entente::native;

namespace {

const std::string global = global_model_asset("digits");
const std::string updates = update_stream_asset("digits", "plant-b");
constexpr const char* edc_address = "http://127.0.0.1:1/management";

codec::SigningKey seeded(int n) {
    std::array<std::byte, codec::SigningKey::seed_bytes> bytes{};
    bytes.fill(static_cast<std::byte>(n));
    return codec::SigningKey(bytes);
}

std::string text_at(const std::string& json, std::initializer_list<std::string_view> path) {
    const auto tree = read_json(json);
    const Json* at = tree.ok() ? &*tree : nullptr;
    for (const std::string_view name : path) at = at == nullptr ? nullptr : at->find(name);
    return at == nullptr ? std::string() : at->text;
}

struct Coordinator {
    codec::SigningKey key = seeded(1), plant = seeded(2);
    Exchange exchange{"digits"};
    std::map<std::string, dsp::Peer, std::less<>> peers{{"plant-b", {"plant-b", "http://127.0.0.1:2/protocol", true, "http://127.0.0.1:3", "BPNL1"}}};
    dsp::ExchangeBehaviour behaviour{{"coordinator", key.public_key(), exchange, peers, now_ms}};
    SignedOffer offer = sign({"offer:global", global, "coordinator", "", policy::federation_policy({{policy::operand::max_rounds, "lteq", {"5"}}})}, key);

    Coordinator() {
        REQUIRE(exchange.admit("coordinator", key.public_key()).ok());
        REQUIRE(exchange.admit("plant-b", plant.public_key()).ok());
        REQUIRE(exchange.publish("coordinator", {global, AssetKind::global_model, "digits", "coordinator"}, offer).ok());
    }
};

// Keeps what it is given and asks the coordinator for its catalogue, like the real one.
struct FakeEdc final : edc::Http {
    Coordinator& coordinator;
    bool read_by_coordinator = true;  // it has looked into our catalogue
    std::map<std::string, std::string> kept;  // path -> body
    std::string bytes = "the model";
    int negotiations = 0, transfers = 0;
    std::string ended;
    std::int64_t clock = entente::native::now_ms();

    explicit FakeEdc(Coordinator& c) : coordinator(c) {}

    std::string property(const char* name) { return text_at(kept["/v3/assets/" + updates], {"properties", "https://w3id.org/entente/ns/" + std::string(name)}); }
    void look() {
        const std::string acceptance = property("acceptance");
        if (acceptance.empty() || !read_by_coordinator) return;
        coordinator.behaviour.told("plant-b", dsp::read_acceptance({{"acceptance", acceptance}}).value());
    }
    std::string agreement() {
        const dsp::Extensions told{{"acceptance", property("acceptance")}};
        const std::string id = dsp::read_acceptance(told).value().id;
        return R"({"@id":"local-1","agreementId":")" + id + R"(","providerId":"coordinator","consumerId":"BPNL1","policy":)" +
               dsp::agreement_over(dsp::odrl_of(coordinator.offer.offer), {"p", global, "coordinator", "BPNL1", "2026-11-23T11:00:00Z"}).value() + "}";
    }

    Result<edc::HttpResponse> send(const edc::HttpRequest& request, ByteSink* sink) override {
        if (request.url == "http://127.0.0.1:3/bytes") {
            ENTENTE_TRY(sink->append(as_bytes(std::string_view(bytes))));
            return edc::HttpResponse{200, {}};
        }
        const std::string path = request.url.substr(std::string(edc_address).size());
        const auto answer = [](std::string body) { return edc::HttpResponse{200, std::move(body)}; };
        if (path.starts_with("/v4")) return edc::HttpResponse{404, {}};
        if (path == "/v3/assets/request") return answer("[]");
        for (const char* things : {"/v3/assets", "/v3/policydefinitions", "/v3/contractdefinitions"}) {
            if (request.method != "GET" && path == things) {
                const std::string at = path + "/" + text_at(request.body, {"@id"});
                if (request.method == "POST" && kept.contains(at)) return edc::HttpResponse{409, "[]"};
                kept[at] = request.body;
                return answer(R"({"@id":"x"})");
            }
        }
        if (kept.contains(path)) return answer(kept[path]);
        if (path == "/v3/catalog/request") {
            look();
            return answer(dsp::write_catalog({"c", "coordinator", "http://127.0.0.1:4", coordinator.behaviour.catalogue("plant-b", {}).datasets}));
        }
        if (path == "/v3/contractnegotiations") {
            ++negotiations;
            return answer(R"({"@id":"n"})");
        }
        if (path == "/v3/contractnegotiations/n") return answer(R"({"@id":"n","state":"FINALIZED","contractAgreementId":"local-1"})");
        if (path == "/v3/contractagreements/local-1") return answer(agreement());
        if (path == "/v3/transferprocesses") {
            CHECK(text_at(request.body, {"contractId"}) == "local-1");
            ended.clear();
            ++transfers;
            return answer(R"({"@id":"t"})");
        }
        if (path == "/v3/transferprocesses/t") return answer(ended.empty() ? R"({"@id":"t","state":"STARTED"})" : R"({"@id":"t","state":"TERMINATED"})");
        if (path == "/v3/transferprocesses/t/terminate") {
            ended = text_at(request.body, {"reason"});
            return edc::HttpResponse{204, {}};
        }
        if (path == "/v3/edrs/t/dataaddress") return answer(R"({"endpoint":"http://127.0.0.1:3/bytes","authorization":"T"})");
        CHECK_MESSAGE(false, path);
        return edc::HttpResponse{404, {}};
    }
    void pause(std::int64_t ms) override { clock += ms; }
    [[nodiscard]] std::int64_t now_ms() const override { return clock; }
};

struct Plant {
    TemporaryFolder folder;
    Coordinator coordinator;
    FakeEdc edc{coordinator};
    std::unique_ptr<EdcSide> side;
    std::unique_ptr<EdcConnector> connector;

    Plant() { start(); }
    void start() {
        connector.reset();
        side.reset();
        auto opened = EdcSide::open({.self = "plant-b", .federation = "digits", .coordinator = "coordinator", .coordinator_key = coordinator.key.public_key(),
                                     .own_key = coordinator.plant.public_key(), .folder = folder.path, .management = edc_address, .key = {},
                                     .control = "http://127.0.0.1:1/control"});
        REQUIRE(opened.ok());
        side = std::move(opened).value();
        policy::Facts facts;
        facts.federation = "urn:fl:federation:digits";
        facts.round = 1;
        connector = std::make_unique<EdcConnector>(EdcConnectorOptions{.self = "plant-b", .federation = "digits", .coordinator = {"coordinator", "http://127.0.0.1:4"},
                                                                       .management = edc_address, .key = {}, .edc_id = "BPNL1", .facts = facts}, *side, edc);
        REQUIRE(connector->connect().ok());
        const SignedOffer offer = sign({"offer:updates", updates, "plant-b", "coordinator", policy::federation_policy({})}, coordinator.plant);
        const Asset asset{updates, AssetKind::update_stream, "digits", "plant-b"};
        connector->publish(asset, offer, {}, [](const Result<Done>& r) { REQUIRE(r.ok()); });
        REQUIRE(coordinator.exchange.publish("plant-b", asset, offer).ok());
    }
    Agreement acceptance() { return conclude(coordinator.offer, {"Ada Novak", now_ms()}, coordinator.plant).value(); }
    Result<Agreement> negotiate(const Agreement& proposal, std::int64_t timeout_ms = 5'000) {
        Result<Agreement> result = Error{};
        CallOptions options;
        options.timeout_ms = timeout_ms;
        connector->negotiate(proposal, options, [&result](Result<Agreement> r) { result = std::move(r); });
        return result;
    }
    Result<std::string> pull(const Agreement& agreement, const Version& version) {
        BoundedSink sink(1'000);
        Result<Transfer> moved = Error{};
        connector->transfer({agreement.id, global, version}, sink, {}, [&moved](Result<Transfer> r) { moved = std::move(r); });
        if (!moved.ok()) return moved.error();
        return std::string(reinterpret_cast<const char*>(sink.bytes().data()), sink.bytes().size());
    }
};

}  // namespace

TEST_CASE("EDC negotiates once the coordinator has read our acceptance, and once for all, restarts included") {
    Plant p;
    p.edc.read_by_coordinator = false;
    const Agreement proposal = p.acceptance();
    CHECK(p.negotiate(proposal, 400).error().reason == "connector.deadline");
    CHECK(p.edc.negotiations == 0);
    CHECK_FALSE(p.edc.property("acceptance").empty());
    p.edc.read_by_coordinator = true;
    REQUIRE(p.negotiate(proposal).ok());
    CHECK(p.negotiate(p.acceptance()).value() == proposal);
    p.start();
    CHECK(p.negotiate(p.acceptance()).value() == proposal);
    CHECK(p.edc.negotiations == 1);
}

TEST_CASE("the model is fetched as it was announced; another one is not, and EDC is told the end of either") {
    Plant p;
    const Agreement proposal = p.acceptance();
    const Version version{1, Digest{{std::byte{7}}}, p.edc.bytes.size()};
    CHECK(p.pull(proposal, version).error().reason == "agreement.unknown");
    REQUIRE(p.negotiate(proposal).ok());
    CHECK(p.pull(proposal, version).value() == "the model");
    CHECK(p.edc.ended.empty());
    p.connector->conclude("t", {true, {}, {}}, {}, [](const Result<Done>& r) { CHECK(r.ok()); });
    CHECK(p.edc.ended == dsp::received_whole);
    for (const std::size_t size : {std::size_t{3}, std::size_t{30}}) {
        p.edc.bytes.resize(size);
        CHECK(p.pull(proposal, version).error().reason == "transfer.superseded");
        CHECK(p.edc.ended.starts_with("transfer.superseded"));
    }
    const int asked = p.edc.transfers;
    CHECK(p.pull(proposal, {6, version.content, version.size_bytes}).error().reason == "policy.denied");
    CHECK(p.edc.transfers == asked);
    p.connector->conclude("t", {false, "model.other-content", "not it"}, {}, [](const Result<Done>& r) { CHECK(r.ok()); });
    CHECK(p.edc.ended == "model.other-content: not it");
}

TEST_CASE("what is delivered stands in EDC's catalogue; the coordinator's acceptance and verdict are read in its own") {
    Plant p;
    const auto seen = [&p] { return p.connector->watch(0, 0, {}).value(); };
    CHECK(seen().own_agreements.empty());
    const Version version{1, Digest{{std::byte{9}}}, 4};
    p.connector->deliver(updates, version, make_source(Bytes(4)), {}, [](const Result<Done>& r) { CHECK(r.ok()); });
    CHECK(p.edc.property("digest") == to_hex(version.content));
    CHECK(seen().own_version == version);

    const SignedOffer offer = sign({"offer:updates", updates, "plant-b", "coordinator", policy::federation_policy({})}, p.coordinator.plant);
    const Agreement accepted = conclude(offer, {"operator", now_ms()}, p.coordinator.key).value();
    REQUIRE(p.coordinator.exchange.negotiate("coordinator", accepted, now_ms()).ok());
    REQUIRE(p.coordinator.exchange.deliver("plant-b", updates, version).ok());
    const Transfer t = p.coordinator.exchange.open("coordinator", {accepted.id, updates, version}, now_ms()).value();
    const std::uint64_t before = seen().catalog.cursor;
    CHECK(seen().own_agreements == std::vector<Agreement>{accepted});
    REQUIRE(p.coordinator.exchange.conclude("coordinator", t.id, {false, "update.late", "Too late."}).ok());
    const HubView after = seen();
    CHECK(after.catalog.cursor != before);
    REQUIRE(after.own_transfers.size() == 1);
    CHECK(after.own_transfers.front().code == "update.late");
}
