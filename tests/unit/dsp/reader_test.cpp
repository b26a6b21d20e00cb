#include <doctest/doctest.h>

#include "connectors/dsp/catalogue.hpp"
#include "connectors/dsp/reader.hpp"
#include "connectors/dsp/words.hpp"
#include "connectors/dsp/writer.hpp"

using namespace entente;
using namespace entente::dsp;

namespace {

const std::string head = R"("@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@id":"urn:m")";
const std::string offer = R"({"@id":"o","@type":"Offer","target":"d","permission":[{"action":"use"}]})";

std::string message(const std::string& type, const std::string& rest) {
    return "{" + head + R"(,"@type":")" + type + "\"," + rest + "}";
}
std::string request(const std::string& rest) {
    return message("ContractRequestMessage", rest);
}

bool refused(const std::string& body, Kind kind, const std::string& part) {
    const auto read = read_message(body, {kind});
    if (read.ok()) return false;
    CHECK(read.error().code == Code::invalid_argument);
    INFO(read.error().message);
    const bool named = read.error().message.find(part) != std::string::npos;
    CHECK(named);
    return named;
}

}  // namespace

TEST_CASE("every message that we write is read back as it was") {
    for (int k = 0; k <= static_cast<int>(Kind::transfer_termination); ++k) {
        Message m;
        m.kind = static_cast<Kind>(k);
        m.id = "urn:uuid:1";
        m.provider_pid = "urn:uuid:p";
        m.consumer_pid = "urn:uuid:c";
        m.extensions = {{"acceptance", "AAAA"}};
        switch (m.kind) {
            case Kind::contract_request:
            case Kind::contract_offer: m.policy = offer; break;
            case Kind::agreement:
                m.policy = R"({"@id":"a","@type":"Agreement","target":"d","assigner":"x","assignee":"y","permission":[{"action":"use"}]})";
                break;
            case Kind::transfer_request:
                m.provider_pid.clear();
                m.callback_address = "https://b.example/dsp";
                m.agreement_id = "a";
                m.format = "HttpData-PUSH";
                m.address = DataAddress{"HttpData", "https://b.example/in/1", {}, {}};
                break;
            case Kind::transfer_start: m.address = DataAddress{"https://w3id.org/idsa/v4.1/HTTP", "https://a.example/data/1", "t", "bearer"}; break;
            case Kind::negotiation_termination:
            case Kind::transfer_suspension:
            case Kind::transfer_termination:
                m.code = "policy.denied";
                m.reasons = {"expected at most 3 rounds, found round 4"};
                break;
            default: break;
        }
        const std::string body = write(m);
        const auto back = read_message(body, {m.kind});
        CAPTURE(body);
        REQUIRE(back.ok());
        CHECK(*back == m);
        CHECK(body.find("[]") == std::string::npos);
    }
}

TEST_CASE("what JSON-LD may write differently says the same") {
    // Prefixes, expanded names, several contexts, ids as objects, single values for arrays.
    const auto termination = read_message(
        R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld","https://w3id.org/edc/dspace/v0.0.1"],
            "@type":"dspace:TransferTerminationMessage","dspace:providerPid":{"@id":"p"},
            "https://w3id.org/dspace/2025/1/consumerPid":{"@value":"c"},"code":"1","reason":{"message":"no more"}})",
        {Kind::transfer_termination});
    REQUIRE(termination.ok());
    CHECK(termination->provider_pid == "p");
    CHECK(termination->consumer_pid == "c");
    CHECK(termination->reasons == std::vector<std::string>{"no more"});
    CHECK(read_message(R"({"@context":"https://w3id.org/dspace/2025/1/context.jsonld","@type":"TransferCompletionMessage","providerPid":"p","consumerPid":"c"})",
                       {Kind::transfer_completion}).ok());

    // A pull's address without `endpoint`, as EDC 0.15.1 sends it.
    const auto start = read_message(message("TransferStartMessage", R"("providerPid":"p","consumerPid":"c","dataAddress":{"@type":"DataAddress",
        "endpointType":"https://w3id.org/idsa/v4.1/HTTP","endpointProperties":[
        {"@type":"EndpointProperty","name":"https://w3id.org/edc/v0.0.1/ns/endpoint","value":"http://x/public"},
        {"@type":"EndpointProperty","name":"https://w3id.org/edc/v0.0.1/ns/authorization","value":"tok"},
        {"@type":"EndpointProperty","name":"https://w3id.org/edc/v0.0.1/ns/authType","value":"bearer"}]})"), {Kind::transfer_start});
    REQUIRE(start.ok());
    CHECK(start->address == DataAddress{"https://w3id.org/idsa/v4.1/HTTP", "http://x/public", "tok", "bearer"});

    // A push's, with baseUrl in endpoint's place.
    const auto push = read_message(message("TransferRequestMessage", R"("consumerPid":"c","agreementId":"a","format":"HttpData-PUSH","callbackAddress":"http://b",
        "dataAddress":{"@type":"DataAddress","endpointType":"HttpData","endpointProperties":[
        {"@type":"EndpointProperty","name":"https://w3id.org/edc/v0.0.1/ns/baseUrl","value":"http://b/in"}]})"), {Kind::transfer_request});
    REQUIRE(push.ok());
    CHECK(push->address->endpoint == "http://b/in");
}

TEST_CASE("what the schemas forbid is refused by name") {
    const Kind k = Kind::contract_request;
    const std::string pid = R"("consumerPid":"c",)";
    CHECK(refused(request(pid + R"("callbackAddress":"http://b")"), k, "offer"));
    CHECK(refused(request(R"("callbackAddress":"http://b","offer":)" + offer), k, "consumerPid"));
    CHECK(refused(request(pid + R"("callbackAddress":"http://b","providerPid":"p","offer":)" + offer), k, "both"));
    CHECK(refused(request(pid + R"("offer":)" + offer), k, "neither"));
    CHECK(refused(request(pid + R"("callbackAddress":5,"offer":)" + offer), k, "callbackAddress"));
    CHECK(refused(R"({"@context":["https://example.org/other"],"@type":"ContractRequestMessage"})", k, "@context"));
    CHECK(refused(R"({"@type":"ContractRequestMessage"})", k, "@context"));
    CHECK(refused(message("Foo", R"("a":"b")"), k, "@type"));
    CHECK(refused("{" + head + "}", k, "@type"));
    CHECK(refused("[1]", k, "object"));
    CHECK(refused("{", k, "byte"));

    const auto with = [&](const std::string& policy) { return request(pid + R"("callbackAddress":"http://b","offer":)" + policy); };
    const auto ruled = [&](const std::string& rule) { return with(R"({"@id":"o","@type":"Offer","target":"d","permission":[)" + rule + "]}"); };
    CHECK(read_message(ruled(R"({"action":"use","constraint":[]})"), {k}).ok());
    CHECK(refused(with(R"({"@type":"Offer","target":"d","permission":[{"action":"use"}]})"), k, "@id"));
    CHECK(refused(with(R"({"@id":"o","@type":"Offer","permission":[{"action":"use"}]})"), k, "target"));
    CHECK(refused(with(R"({"@id":"o","@type":"Set","target":"d","permission":[{"action":"use"}]})"), k, "@type"));
    CHECK(refused(with(R"({"@id":"o","@type":"Offer","target":"d"})"), k, "permission"));
    CHECK(refused(with(R"({"@id":"o","@type":"Offer","target":"d","permission":[]})"), k, "empty array"));
    CHECK(refused(ruled(R"({"constraint":[]})"), k, "action"));
    CHECK(refused(ruled(R"({"action":"use","target":"d"})"), k, "target"));
    const std::string l = R"({"action":"use","constraint":[{"leftOperand":"x",)";
    CHECK(refused(ruled(l + R"("operator":"eq","rightOperand":5}]})"), k, "a number"));
    CHECK(refused(ruled(l + R"("operator":"eq","rightOperand":true}]})"), k, "a boolean"));
    CHECK(refused(ruled(l + R"("operator":"eq","rightOperand":["a",5]}]})"), k, "an array"));
    CHECK(refused(ruled(l + R"("operator":"eq"}]})"), k, "rightOperand"));
    CHECK(refused(ruled(l + R"("rightOperand":"5"}]})"), k, "operator"));
    CHECK(refused(ruled(l + R"("operator":"eq","rightOperand":"5","and":[{"leftOperand":"x","operator":"eq","rightOperand":"5"}]}]})"), k, "several"));

    CHECK(refused(message("ContractNegotiationEventMessage", R"("providerPid":"p","consumerPid":"c","eventType":"DONE")"), Kind::acceptance, "eventType"));
    CHECK(refused(message("ContractNegotiationEventMessage", R"("providerPid":"p","consumerPid":"c","eventType":"ACCEPTED")"), Kind::finalization, "eventType"));
    CHECK(refused(message("TransferTerminationMessage", R"("providerPid":"p","consumerPid":"c","reason":[])"), Kind::transfer_termination, "empty array"));
    CHECK(refused(message("TransferRequestMessage", R"("consumerPid":"c","format":"f","callbackAddress":"http://b")"), Kind::transfer_request, "agreementId"));
    CHECK(refused(message("TransferStartMessage", R"("providerPid":"p","consumerPid":"c","dataAddress":{"endpoint":"x"})"), Kind::transfer_start, "endpointType"));
    CHECK(refused(message("TransferStartMessage", R"("providerPid":"p","consumerPid":"c","dataAddress":{"endpointType":"x","endpointProperties":[]})"), Kind::transfer_start, "empty array"));
}

TEST_CASE("nothing an enemy sends costs more than it weighs") {
    const Kind k = Kind::contract_request;
    CHECK_FALSE(read_message(std::string(10'000, '{'), {k}).ok());
    CHECK_FALSE(read_message(std::string(10'000, '['), {k}).ok());
    std::string deep;
    for (int i = 0; i < 10'000; ++i) deep += R"({"constraint":)";
    CHECK_FALSE(read_message(deep, {k}).ok());
    const auto big = read_message(std::string(2'000'000, ' '), {k});
    REQUIRE_FALSE(big.ok());
    CHECK(big.error().code == Code::too_large);
    CHECK_FALSE(read_message(request(R"("consumerPid":")" + std::string(257, 'x') + R"(","callbackAddress":"http://b","offer":)" + offer), {k}).ok());
    // Any prefix and any byte changed of a right message: read or refused, never worse.
    const std::string body = request(R"("consumerPid":"c","callbackAddress":"http://b","offer":)" + offer);
    for (std::size_t i = 0; i < body.size(); ++i) {
        CHECK_FALSE(read_message(body.substr(0, i), {k}).ok());
        for (const char c : {'"', '{', '}', '\\', '\0', '9', '\x80'}) {
            std::string changed = body;
            changed[i] = c;
            static_cast<void>(read_message(changed, {k}));
        }
    }
}

TEST_CASE("a catalogue is read back as it was written, and a dataset bears no target") {
    CataloguePage page{"urn:c", "plant-a", "https://a.example/dsp", {}};
    page.datasets.push_back({"d", {R"({"@id":"o","@type":"Offer","permission":[{"action":"use"}]})"}, {"HttpData-PULL", "HttpData-PUSH"},
                             {{"round", "3"}, {"digest", "ab"}}, "https://a.example/dsp"});
    const auto back = read_catalog(write_catalog(page));
    REQUIRE(back.ok());
    CHECK(*back == page);
    CHECK(write_dataset({"d", {offer}, {"f"}, {}, "e"}).find("target") == std::string::npos);
    const auto empty = read_catalog(write_catalog({"urn:c", "plant-a", "https://a.example/dsp", {}}));
    REQUIRE(empty.ok());
    CHECK(empty->datasets.empty());
    CHECK(write_catalog({"urn:c", "plant-a", "e", {}}).find("dataset") == std::string::npos);
}

TEST_CASE("a catalogue request: EDC's filter by id, limit and offset, and nothing else") {
    const auto query = [](const std::string& filter) {
        return read_catalog_request(message("CatalogRequestMessage", R"("filter":)" + filter));
    };
    const auto edc = query(R"([{"@type":"QuerySpec","limit":50,"offset":10,"sortOrder":"ASC","filterExpression":[]}])");
    REQUIRE(edc.ok());
    CHECK(edc->limit == 50);
    CHECK(edc->offset == 10);
    CHECK_FALSE(edc->dataset);
    const auto by_id = read_catalog_request(write_catalog_request({.dataset = "d", .offset = 0, .limit = 5}));
    REQUIRE(by_id.ok());
    CHECK(by_id->dataset == "d");
    CHECK(query("[]").ok());
    CHECK(query(R"({"@type":"QuerySpec","limit":1000000})")->limit == max_page);
    CHECK(query(R"([{"filterExpression":[{"operandLeft":"price","operator":"<","operandRight":"5"}]}])").error().reason == "dsp.filter");
    CHECK(query(R"([{"limit":-1}])").error().reason == "dsp.filter");
    CHECK(query(R"([{"where":"1=1"}])").error().reason == "dsp.filter");
}

TEST_CASE("the version document: ours is found, others are not taken for it") {
    CHECK(read_version_path(write_versions("/2025-1", "plant-a")).value() == "/2025-1");
    const auto edc = read_version_path(R"({"protocolVersions":[{"version":"0.8","path":"/","binding":"HTTPS"},{"version":"2025-1","path":"/2025-1","binding":"HTTPS"}]})");
    CHECK(edc.value() == "/2025-1");
    CHECK(read_version_path(R"({"protocolVersions":[{"version":"0.8","path":"/"}]})").error().reason == "dsp.version");
    CHECK_FALSE(read_version_path("<html>").ok());
}

TEST_CASE("errors are typed, and whatever a peer answers is made the best of") {
    const std::string body = write_error(ErrorType::negotiation, {Code::invalid_argument, "dsp.state", "expected this, found that"}, "p", "c");
    CHECK(body == R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"ContractNegotiationError","providerPid":"p","consumerPid":"c","code":"dsp.state","reason":["expected this, found that"]})");
    CHECK(read_refusal(body) == Refusal{"dsp.state", {"expected this, found that"}});
    CHECK(read_refusal("<html>500</html>") == Refusal{});
    CHECK(read_refusal("") == Refusal{});
}
