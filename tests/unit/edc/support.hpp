// An EDC that is a script: what it is asked must be what the test expects next.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

#include "connectors/edc/edc_client.hpp"

namespace edc_test {

using namespace entente;
using namespace entente::edc;

inline constexpr const char* management = "http://edc.example/management";

struct ScriptedEdc final : Http {
    struct Line {
        std::string asked;  // "POST /v3/assets", or a whole URL
        int status;
        std::string body;
    };
    std::deque<Line> lines;
    std::vector<HttpRequest> requests;
    std::int64_t clock_ms = 1'800'000'000'000;
    std::int64_t paused_ms = 0;

    ~ScriptedEdc() override { CHECK(lines.empty()); }

    void expect(std::string asked, int status, std::string body = {}) { lines.push_back({std::move(asked), status, std::move(body)}); }

    Result<HttpResponse> send(const HttpRequest& request, contract::ByteSink* sink) override {
        requests.push_back(request);
        REQUIRE_FALSE(lines.empty());
        const Line line = lines.front();
        lines.pop_front();
        std::string url = request.url;
        if (url.rfind(management, 0) == 0) url = url.substr(std::string(management).size());
        CHECK(request.method + " " + url == line.asked);
        if (line.status == 0) return Error{Code::unavailable, "outbound.unreachable", "nobody there"};
        if (sink != nullptr && line.status < 300) {
            ENTENTE_TRY(sink->append(as_bytes(line.body)));
            return HttpResponse{line.status, {}};
        }
        return HttpResponse{line.status, line.body};
    }
    void pause(std::int64_t ms) override {
        paused_ms += ms;
        clock_ms += ms;
    }
    [[nodiscard]] std::int64_t now_ms() const override { return clock_ms; }
};

// As EDC 0.15.1 wrote them in script/interop edc, ids shortened.
inline constexpr const char* asset_answer = R"({"@id":"model","@type":"Asset","properties":{
  "https://w3id.org/entente/ns/round":"7","https://w3id.org/entente/ns/profile":"https://w3id.org/entente/policy/v1","id":"model"},
  "dataAddress":{"@type":"DataAddress","type":"HttpData","baseUrl":"http://127.0.0.1:9000/model"},
  "@context":{"@vocab":"https://w3id.org/edc/v0.0.1/ns/","edc":"https://w3id.org/edc/v0.0.1/ns/","odrl":"http://www.w3.org/ns/odrl/2/"}})";

inline constexpr const char* policy_answer = R"({"@id":"policy:model","@type":"PolicyDefinition","createdAt":1796014435133,
  "policy":{"@id":"1c17a493","@type":"odrl:Set","odrl:permission":{"odrl:action":{"@id":"odrl:use"},"odrl:constraint":[
   {"odrl:leftOperand":{"@id":"https://w3id.org/entente/policy/purpose"},"odrl:operator":{"@id":"odrl:eq"},"odrl:rightOperand":"urn:fl:federation:demo"},
   {"odrl:leftOperand":{"@id":"https://w3id.org/entente/policy/minCohortSize"},"odrl:operator":{"@id":"odrl:gteq"},"odrl:rightOperand":"2"}]},
   "odrl:prohibition":[],"odrl:obligation":[]}})";

inline constexpr const char* definition_answer = R"({"@id":"definition:model","@type":"ContractDefinition",
  "accessPolicyId":"policy:model","contractPolicyId":"policy:model","assetsSelector":{"@type":"Criterion",
  "operandLeft":"https://w3id.org/edc/v0.0.1/ns/id","operator":"=","operandRight":"model"}})";

inline constexpr const char* catalogue_answer = R"({"@id":"b8bbb75f","@type":"Catalog","dataset":[{"@id":"model","@type":"Dataset",
  "hasPolicy":[{"@id":"ZGVm:bW9k:ODA5","@type":"Offer","permission":[{"action":"use","constraint":[
   {"leftOperand":"https://w3id.org/entente/policy/purpose","operator":"eq","rightOperand":"urn:fl:federation:demo"},
   {"leftOperand":"https://w3id.org/entente/policy/minCohortSize","operator":"gteq","rightOperand":"2"}]}]}],
  "distribution":[{"@type":"Distribution","format":"HttpData-PULL","accessService":{"@id":"b5819a42","@type":"DataService",
   "endpointDescription":"dspace:connector","endpointURL":"http://provider.example/protocol/2025-1"}}],
  "https://w3id.org/entente/ns/round":"7","https://w3id.org/entente/ns/profile":"https://w3id.org/entente/policy/v1","edc:name":"m","id":"model"}],
  "participantId":"provider","@context":["https://w3id.org/dspace/2025/1/context.jsonld","https://w3id.org/edc/dspace/v0.0.1"]})";

inline std::string agreement_answer(const std::string& cohort = "2", const std::string& assignee = "consumer") {
    return R"({"@type":"ContractAgreement","@id":"local-1","assetId":"model","agreementId":"wire-1","policy":{"@id":"8be696bd","@type":"odrl:Agreement",
  "odrl:permission":{"odrl:action":{"@id":"odrl:use"},"odrl:constraint":[
   {"odrl:leftOperand":{"@id":"https://w3id.org/entente/policy/purpose"},"odrl:operator":{"@id":"odrl:eq"},"odrl:rightOperand":"urn:fl:federation:demo"},
   {"odrl:leftOperand":{"@id":"https://w3id.org/entente/policy/minCohortSize"},"odrl:operator":{"@id":"odrl:gteq"},"odrl:rightOperand":")" +
           cohort + R"("}]},"odrl:prohibition":[],"odrl:obligation":[],"odrl:assignee":")" + assignee + R"(","odrl:assigner":"provider",
  "odrl:target":{"@id":"model"}},"contractSigningDate":1796014452,"consumerId":"consumer","providerId":"provider"})";
}

inline constexpr const char* id_answer = R"({"@type":"IdResponse","@id":"n-1","createdAt":1})";
inline std::string state_answer(const std::string& state, const std::string& more = "") { return R"({"@id":"n-1","state":")" + state + "\"" + more + "}"; }
inline const std::string finalized_answer = state_answer("FINALIZED", R"(,"contractAgreementId":"local-1")");
inline constexpr const char* conflict_answer = R"([{"message":"already exists","type":"ObjectConflict","path":null,"invalidValue":null}])";

inline policy::Policy terms() {
    return policy::federation_policy({{policy::operand::purpose, "eq", {"urn:fl:federation:demo"}}, {policy::operand::min_cohort_size, "gteq", {"2"}}});
}

struct Scene {
    ScriptedEdc edc;
    EdcClient client{{.management = management, .key = "secret", .participant = "consumer", .version = {}, .deadline_ms = 5'000}, edc};
    Peer provider{"provider", "http://provider.example/protocol/2025-1"};
    policy::Facts facts;

    Scene() {
        edc.expect("POST /v4/assets/request", 404, "<html>");
        edc.expect("POST /v3/assets/request", 200, "[]");
        REQUIRE(client.connect().ok());
        facts.federation = "urn:fl:federation:demo";
        facts.cohort = 3;
        facts.round = 1;
        facts.now_ms = facts.agreed_at_ms = edc.clock_ms;
    }
    dsp::Dataset dataset() {
        edc.expect("POST /v3/catalog/request", 200, catalogue_answer);
        return client.catalogue(provider).value().at(0);
    }
    Publication publication() const { return {"model", terms(), {{"round", "7"}}, "http://127.0.0.1:9000/model"}; }
};

template <class T>
std::string reason(const Result<T>& result) {
    return result.ok() ? "ok" : result.error().reason;
}

}  // namespace edc_test
