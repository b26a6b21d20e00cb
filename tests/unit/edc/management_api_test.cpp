// The bodies of both versions, member by member: v3 as EDC 0.15.1 has taken them, v4 after its published schemas.
#include "support.hpp"

#include "entente/base/json.hpp"

using namespace edc_test;

namespace {


const std::string c3 = R"({"@context":{"@vocab":"https://w3id.org/edc/v0.0.1/ns/"},)";
const std::string c4 = R"({"@context":["https://w3id.org/edc/connector/management/v2"],)";
const std::string to_peer = R"("counterPartyId":"p","counterPartyAddress":"http://p/2025-1","protocol":"dataspace-protocol-http:2025-1")";

void same(const char* name, const Call& three, const Call& four, const std::string& method, const std::string& path, const std::string& rest3,
          const std::string& rest4) {
    CAPTURE(name);
    CHECK(three == Call{method, "/v3/" + path, rest3.empty() ? "" : c3 + rest3});
    CHECK(four == Call{method, "/v4/" + path, rest4.empty() ? "" : c4 + rest4});
}

}  // namespace

TEST_CASE("edc: the calls of v3 and v4") {
    const auto three = make_management_api("v3");
    const auto four = make_management_api("v4");
    CHECK(make_management_api("v2") == nullptr);
    const Peer peer{"p", "http://p/2025-1"};
    const auto both = [&](const char* name, auto call, const std::string& method, const std::string& path, const std::string& rest3,
                          const std::string& rest4) { same(name, call(*three), call(*four), method, path, rest3, rest4); };
    using Api = const ManagementApi&;

    const std::string query = R"("@type":"QuerySpec","offset":0,"limit":1})";
    both("probe", [](Api a) { return a.probe(); }, "POST", "assets/request", query, query);
    const std::string asset = R"("@type":"Asset","@id":"a","properties":{"https://x/y":"z"},"dataAddress":{"@type":"DataAddress","type":"HttpData","baseUrl":"http://s"}})";
    both("asset", [](Api a) { return a.create(Asset{"a", {{"https://x/y", "z"}}, "http://s"}); }, "POST", "assets", asset, asset);
    both("asset anew", [](Api a) { return a.replace(Asset{"a", {{"https://x/y", "z"}}, "http://s"}); }, "PUT", "assets", asset, asset);
    const std::string rules = R"("@type":"Set","profile":"https://w3id.org/entente/policy/v1","permission":[{"action":"use"}])";
    const std::string definition = R"("@type":"PolicyDefinition","@id":"p1","policy":{)";
    const policy::Policy use = policy::federation_policy({});
    both("policy", [&](Api a) { return a.create(PolicyDefinition{"p1", use}); }, "POST", "policydefinitions",
         definition + rules + R"(,"@context":"http://www.w3.org/ns/odrl.jsonld"}})", definition + rules + "}}");
    const std::string contract = R"("@type":"ContractDefinition","@id":"d","accessPolicyId":"p1","contractPolicyId":"p1","assetsSelector":[{"@type":"Criterion","operandLeft":"https://w3id.org/edc/v0.0.1/ns/id","operator":"=","operandRight":"a"}]})";
    both("contract", [](Api a) { return a.create(ContractDefinition{"d", "p1", "a"}); }, "POST", "contractdefinitions", contract, contract);
    const std::string catalogue = R"("@type":"CatalogRequest",)" + to_peer + R"(,"querySpec":{"@type":"QuerySpec","offset":100,"limit":50}})";
    both("catalogue", [&](Api a) { return a.catalogue(peer, 100, 50); }, "POST", "catalog/request", catalogue, catalogue);
    const std::string offer = R"({"@id":"o","@type":"Offer","permission":[{"action":"use"}])";
    const std::string request = R"("@type":"ContractRequest",)" + to_peer + R"(,"policy":)" + offer + R"(,"target":"a","assigner":"p")";
    both("negotiation", [&](Api a) { return a.negotiate(peer, offer + "}", "a").value(); }, "POST", "contractnegotiations",
         request + R"(,"@context":"http://www.w3.org/ns/odrl.jsonld"}})", request + "}}");
    const std::string transfer = R"("@type":"TransferRequest",)" + to_peer + R"(,"contractId":"l","transferType":)";
    both("pull", [&](Api a) { return a.transfer(peer, {.agreement = "l", .push_to = {}}); }, "POST", "transferprocesses",
         transfer + R"("HttpData-PULL"})", transfer + R"("HttpData-PULL"})");
    const std::string push = transfer + R"("HttpData-PUSH","dataDestination":{"@type":"DataAddress","type":"HttpData","baseUrl":"http://t"}})";
    both("push", [&](Api a) { return a.transfer(peer, {"l", "HttpData-PUSH", "http://t"}); }, "POST", "transferprocesses", push, push);
    both("suspension", [](Api a) { return a.suspend("t", "r"); }, "POST", "transferprocesses/t/suspend",
         R"("@type":"SuspendTransfer","reason":"r"})", R"("@type":"SuspendTransfer","reason":"r"})");
    both("termination", [](Api a) { return a.terminate("t", "r"); }, "POST", "transferprocesses/t/terminate",
         R"("@type":"TerminateTransfer","reason":"r"})", R"("@type":"TerminateTransfer","reason":"r"})");
    both("resumption", [](Api a) { return a.resume("t"); }, "POST", "transferprocesses/t/resume", "", "");
    both("reading", [](Api a) { return a.read(Thing::negotiation, "a/b"); }, "GET", "contractnegotiations/a%2Fb", "", "");
    both("removing", [](Api a) { return a.remove(Thing::asset, "a"); }, "DELETE", "assets/a", "", "");
    CHECK(three->address("t").path == "/v3/edrs/t/dataaddress");
    CHECK(three->tells_addresses());
    CHECK_FALSE(four->tells_addresses());
}

TEST_CASE("edc: under v4 the address of a pull comes from a data plane, not from a call") {
    ScriptedEdc edc;
    EdcClient client({.management = management, .key = {}, .participant = "consumer", .version = "v4"}, edc);
    edc.expect("POST /v4/assets/request", 200, "[]");
    REQUIRE(client.connect().ok());
    edc.expect("POST /v4/transferprocesses", 200, id_answer);
    edc.expect("GET /v4/transferprocesses/n-1", 200, state_answer("STARTED"));
    CHECK(reason(client.pull({"p", "http://p"}, {"w", "l", "model", {}})) == "edc.address");
}
