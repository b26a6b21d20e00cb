// Both dialects of Data Plane Signaling: json_ld by what EDC 0.15.1 sent, plain by the message tables of its specification.
#include "connectors/edc/signaling.hpp"

#include <doctest/doctest.h>

#include "connectors/dsp/json.hpp"
#include "entente/base/json.hpp"

using namespace entente;
using namespace entente::edc;
namespace json = entente::dsp::json;

namespace {

const std::string source = R"("sourceDataAddress":{"@type":"dspace:DataAddress","dspace:endpointType":"HttpData","dspace:endpointProperties":[
  {"@type":"dspace:EndpointProperty","dspace:name":"https://w3id.org/edc/v0.0.1/ns/baseUrl","dspace:value":"http://localhost:19300/model.bin"}]})";
const std::string contexts = R"("@context":{"odrl":"http://www.w3.org/ns/odrl/2/","dspace":"https://w3id.org/dspace/v0.8/","@vocab":"https://w3id.org/edc/v0.0.1/ns/"})";
const std::string pull = R"({"@type":"DataFlowStartMessage","transferTypeDestination":"HttpData","flowType":"PULL","agreementId":"agr","processId":"p1",
  "datasetId":"asset-1","properties":{},"callbackAddress":"http://localhost:39192/control",)" + source + R"(,"participantId":"consumer",)" + contexts + "}";
// EDC writes a list of one as the object.
const std::string push = R"({"@type":"DataFlowStartMessage","flowType":"PUSH","agreementId":"agr","processId":"p2","datasetId":"asset-1",)" + source +
    R"(,"participantId":"consumer","destinationDataAddress":{"@type":"dspace:DataAddress","dspace:endpointType":"HttpData","dspace:endpointProperties":
    {"@type":"dspace:EndpointProperty","dspace:name":"https://w3id.org/edc/v0.0.1/ns/baseUrl","dspace:value":"http://localhost:1/sink"}},)" + contexts + "}";

const std::string plain_pull = R"({"messageId":"m1","participantId":"provider","counterPartyId":"consumer","dataspaceContext":"ctx","processId":"p1",
  "agreementId":"agr","datasetId":"asset-1","claims":{},"metadata":{},"labels":[])";

const dsp::DataAddress address{"https://w3id.org/idsa/v4.1/HTTP", "http://localhost:1/data/p1", "TOKEN", "bearer"};

std::string reason(const Result<Signal>& signal) { return signal.ok() ? "ok" : signal.error().reason; }

}  // namespace

TEST_CASE("signaling: what EDC 0.15.1 sends is read") {
    const auto dialect = make_signaling(Dialect::json_ld);
    const auto start = dialect->read("POST", "/start", pull);
    REQUIRE(start.ok());
    CHECK(*start == Signal{Verb::start, "", {"p1", "agr", "asset-1", "consumer", {}}});
    for (const char* bare : {"", "/"}) CHECK(dialect->read("POST", bare, pull).value() == *start);  // as 0.14.0 does
    const auto pushed = dialect->read("POST", "/start", push);
    REQUIRE(pushed.ok());
    REQUIRE(pushed->flow.push_to);
    CHECK(pushed->flow.push_to->endpoint == "http://localhost:1/sink");
    CHECK(dialect->read("GET", "/check", "")->verb == Verb::check);
    for (const auto& [path, verb] : {std::pair{"/p1/suspend", Verb::suspend}, {"/p1/terminate", Verb::terminate}, {"/p1/terminate/", Verb::terminate}}) {
        const auto signal = dialect->read("POST", path, R"({"@type":"DataFlowSuspendMessage"})");
        REQUIRE(signal.ok());
        CHECK(signal->verb == verb);
        CHECK(signal->flow.process == "p1");
    }
    CHECK(dialect->read("GET", "/p1/state", "")->verb == Verb::status);
}

TEST_CASE("signaling: the plain dialect is read") {
    const auto dialect = make_signaling(Dialect::plain);
    for (const char* type : {R"("transferType":"HttpData-PULL")", R"("profile":"http-pull")", R"("profile":"https://w3id.org/dspace-sig/profile/http-pull")"}) {
        const auto start = dialect->read("POST", "/start", plain_pull + "," + type + "}");
        REQUIRE(start.ok());
        CHECK(*start == Signal{Verb::start, "m1", {"p1", "agr", "asset-1", "consumer", {}}});
    }
    const auto push_to = dialect->read("POST", "/prepare", plain_pull + R"(,"profile":"http-push","dataAddress":{"@type":"DataAddress",
        "endpointType":"https://w3id.org/idsa/v4.1/HTTP","endpoint":"http://c/sink","endpointProperties":[{"name":"authorization","value":"T"}]}})");
    REQUIRE(push_to.ok());
    CHECK(push_to->verb == Verb::prepare);
    CHECK(push_to->flow.push_to->endpoint == "http://c/sink");
    CHECK(push_to->flow.push_to->authorization == "T");
    for (const auto& [action, verb] : {std::pair{"suspend", Verb::suspend}, {"resume", Verb::resume}, {"terminate", Verb::terminate}, {"completed", Verb::complete}}) {
        CHECK(dialect->read("POST", std::string("/p1/") + action, "")->verb == verb);
    }
    CHECK(dialect->read("GET", "/p1/status", "")->verb == Verb::status);
}

TEST_CASE("signaling: what is no message of theirs is refused by name") {
    const auto ld = make_signaling(Dialect::json_ld);
    const auto plain = make_signaling(Dialect::plain);
    CHECK(reason(ld->read("POST", "/start", "")) == "json.malformed");
    CHECK(reason(ld->read("POST", "/start", "{}")) == "signaling.message");
    CHECK(reason(ld->read("POST", "/start", R"({"processId":"p","agreementId":"a","datasetId":"d","participantId":"c"})")) == "signaling.message");
    CHECK(reason(ld->read("POST", "/start", R"({"processId":"p","agreementId":"a","datasetId":"d","participantId":"c","flowType":"PUSH"})")) == "signaling.message");
    CHECK(reason(ld->read("POST", "/start", R"({"processId":")" + std::string(257, 'p') + R"(","agreementId":"a","datasetId":"d","participantId":"c","flowType":"PULL"})")) ==
          "signaling.message");
    CHECK(reason(plain->read("POST", "/start", plain_pull + "}")) == "signaling.message");
    CHECK(reason(plain->read("POST", "/start", plain_pull + R"(,"profile":"https://elsewhere/s3-pull"})")) == "signaling.message");
    for (const auto& [method, at] : {std::pair{"GET", "/start"}, {"GET", "/"}, {"POST", "/begin"}, {"POST", "/p1/erase"}, {"POST", "/p1/suspend/now"},
                                       {"DELETE", "/p1/suspend"}, {"POST", "//suspend"}, {"GET", "/p1"}}) {
        const std::string path = at;
        CAPTURE(path);
        CHECK(reason(ld->read(method, path, pull)) == "signaling.path");
        CHECK(reason(plain->read(method, path, plain_pull)) == "signaling.path");
    }
}

TEST_CASE("signaling: answers as each dialect wants them") {
    const Signal start{Verb::start, "m1", {"p1", "agr", "asset-1", "consumer", {}}};
    const auto ld = make_signaling(Dialect::json_ld);
    const Json told = read_json(ld->write(start, FlowState::started, address)).value();
    CHECK(told.find("@type")->text == "DataFlowResponseMessage");
    const Json& given = *told.find("dataAddress");
    CHECK(given.find("dspace:endpointType")->text == address.endpoint_type);
    std::string names;
    for (const Json& p : given.find("dspace:endpointProperties")->items) names += p.find("dspace:name")->text + "=" + p.find("dspace:value")->text + ";";
    CHECK(names ==
          "https://w3id.org/edc/v0.0.1/ns/endpoint=http://localhost:1/data/p1;https://w3id.org/edc/v0.0.1/ns/endpointType=https://w3id.org/idsa/v4.1/HTTP;"
          "https://w3id.org/edc/v0.0.1/ns/authorization=TOKEN;https://w3id.org/edc/v0.0.1/ns/authType=bearer;");
    CHECK(ld->write({Verb::suspend, "", {}}, FlowState::suspended, {}).empty());
    CHECK(read_json(ld->write({Verb::status, "", {}}, FlowState::suspended, {}))->find("state")->text == "SUSPENDED");

    const auto plain = make_signaling(Dialect::plain);
    const Json answer = read_json(plain->write(start, FlowState::started, address)).value();
    CHECK(answer.find("messageId")->text == "m1");
    CHECK(answer.find("dataFlowId")->text == "p1");
    CHECK(answer.find("state")->text == "STARTED");
    CHECK(answer.find("dataAddress")->find("endpoint")->text == address.endpoint);
    CHECK(read_json(plain->write(start, FlowState::prepared, {}))->find("dataAddress") == nullptr);

    CHECK(ld->registration("e", "http://x/s", "HttpData", {"HttpData-PULL"}).body ==
          R"({"@context":{"@vocab":"https://w3id.org/edc/v0.0.1/ns/"},"@type":"DataPlaneInstance","@id":"e","url":"http://x/s","allowedSourceTypes":["HttpData"],"allowedTransferTypes":["HttpData-PULL"]})");
    CHECK(plain->registration("e", "http://x/dataflows", "HttpData", {"HttpData-PULL"}).path == "/v4/dataplanes");
}
