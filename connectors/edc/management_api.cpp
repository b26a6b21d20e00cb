#include "connectors/edc/management_api.hpp"

#include "connectors/dsp/json.hpp"
#include "connectors/dsp/terms.hpp"
#include "connectors/dsp/words.hpp"
#include "connectors/dsp/writer.hpp"

namespace entente::edc {
namespace json = dsp::json;
namespace {

// EDC's name for version 2025-1 of the Dataspace Protocol over HTTPS.
constexpr std::string_view protocol = "dataspace-protocol-http:2025-1";

std::string_view folder_of(Thing thing) {
    switch (thing) {
        case Thing::asset: return "assets";
        case Thing::policy: return "policydefinitions";
        case Thing::definition: return "contractdefinitions";
        case Thing::negotiation: return "contractnegotiations";
        case Thing::agreement: return "contractagreements";
        case Thing::transfer: return "transferprocesses";
    }
    return "";
}

std::string path_of(Thing thing, std::string_view id) { return std::string(folder_of(thing)) + "/" + dsp::in_path(id); }

Json number(std::size_t value) {
    Json n;
    n.kind = Json::Kind::number;
    n.text = std::to_string(value);
    return n;
}

Json address_json(const std::string& url, const std::string& type = "HttpData") {
    return json::object({{"@type", "DataAddress"}, {"type", type}, {"baseUrl", url}});
}

// Published with EDC 0.17; its bodies are checked in compacted form against JSON schemas.
class V4 final : public ManagementApi {
public:
    [[nodiscard]] std::string_view version() const override { return "v4"; }
    [[nodiscard]] bool tells_addresses() const override { return false; }

private:
    [[nodiscard]] Json context() const override { return json::array({json::string("https://w3id.org/edc/connector/management/v2")}); }
    [[nodiscard]] std::string_view policy_context() const override { return ""; }
};

class V3 final : public ManagementApi {
public:
    [[nodiscard]] std::string_view version() const override { return "v3"; }
    [[nodiscard]] bool tells_addresses() const override { return true; }

private:
    [[nodiscard]] Json context() const override { return json::object({{"@vocab", dsp::edc_ns}}); }
    // Under the protocol's own context "Offer" would become a word of EDC's, and the request be refused.
    [[nodiscard]] std::string_view policy_context() const override { return "http://www.w3.org/ns/odrl.jsonld"; }
};

}  // namespace

Call ManagementApi::post(std::string_view path, const Json& body) const {
    return {"POST", "/" + std::string(version()) + "/" + std::string(path), write_json(body)};
}

Json ManagementApi::begin(std::string_view type) const {
    Json body = json::object({});
    json::put(body, "@context", context());
    json::put(body, "@type", json::string(type));
    return body;
}

Json ManagementApi::begin(std::string_view type, const Peer& peer) const {
    Json body = begin(type);
    json::put(body, "counterPartyId", json::string(peer.id));
    json::put(body, "counterPartyAddress", json::string(peer.address));
    json::put(body, "protocol", json::string(protocol));
    return body;
}

Json ManagementApi::asset_json(const Asset& asset) const {
    Json body = begin("Asset");
    json::put(body, "@id", json::string(asset.id));
    Json properties = json::object({});
    for (const auto& [name, value] : asset.properties) json::put(properties, name, json::string(value));
    json::put(body, "properties", std::move(properties));
    json::put(body, "dataAddress", address_json(asset.source, asset.source_type));
    return body;
}

Call ManagementApi::probe() const {
    Json body = begin("QuerySpec");
    json::put(body, "offset", number(0));
    json::put(body, "limit", number(1));
    return post("assets/request", body);
}

Call ManagementApi::create(const Asset& asset) const { return post("assets", asset_json(asset)); }

Call ManagementApi::replace(const Asset& asset) const {
    Call call = post("assets", asset_json(asset));
    call.method = "PUT";
    return call;
}

Call ManagementApi::create(const PolicyDefinition& definition) const {
    Json body = begin("PolicyDefinition");
    json::put(body, "@id", json::string(definition.id));
    Json policy = *read_json(policy::to_odrl_json(definition.policy, {.type = "Set"}));
    json::erase(policy, "@context");
    json::erase(policy, "@id");
    json::put(policy, "@context", std::string(policy_context()));
    json::put(body, "policy", std::move(policy));
    return post("policydefinitions", body);
}

Call ManagementApi::create(const ContractDefinition& definition) const {
    Json body = begin("ContractDefinition");
    json::put(body, "@id", json::string(definition.id));
    json::put(body, "accessPolicyId", json::string(definition.policy));
    json::put(body, "contractPolicyId", json::string(definition.policy));
    json::put(body, "assetsSelector",
              json::array({json::object({{"@type", "Criterion"},
                                         {"operandLeft", "https://w3id.org/edc/v0.0.1/ns/id"},
                                         {"operator", "="},
                                         {"operandRight", definition.asset}})}));
    return post("contractdefinitions", body);
}

Call ManagementApi::read(Thing thing, std::string_view id) const {
    return {"GET", "/" + std::string(version()) + "/" + path_of(thing, id), {}};
}

Call ManagementApi::remove(Thing thing, std::string_view id) const {
    return {"DELETE", "/" + std::string(version()) + "/" + path_of(thing, id), {}};
}

Call ManagementApi::catalogue(const Peer& peer, std::size_t offset, std::size_t limit) const {
    Json body = begin("CatalogRequest", peer);
    Json query = json::object({{"@type", "QuerySpec"}});
    json::put(query, "offset", number(offset));
    json::put(query, "limit", number(limit));
    json::put(body, "querySpec", std::move(query));
    return post("catalog/request", body);
}

Result<Call> ManagementApi::negotiate(const Peer& peer, std::string_view offer, const std::string& dataset) const {
    ENTENTE_ASSIGN(const std::string text, dsp::offer_for(offer, dataset, peer.id));
    ENTENTE_ASSIGN(Json policy, json::parse(text));
    json::put(policy, "@context", std::string(policy_context()));
    Json body = begin("ContractRequest", peer);
    json::put(body, "policy", std::move(policy));
    return post("contractnegotiations", body);
}

Call ManagementApi::transfer(const Peer& peer, const TransferWish& wish) const {
    Json body = begin("TransferRequest", peer);
    json::put(body, "contractId", json::string(wish.agreement));
    json::put(body, "transferType", json::string(wish.format));
    if (wish.push_to) json::put(body, "dataDestination", address_json(*wish.push_to));
    return post("transferprocesses", body);
}

Call ManagementApi::suspend(std::string_view transfer, const std::string& reason) const {
    Json body = begin("SuspendTransfer");
    json::put(body, "reason", json::string(reason));
    return post(path_of(Thing::transfer, transfer) + "/suspend", body);
}

Call ManagementApi::resume(std::string_view transfer) const {
    return {"POST", "/" + std::string(version()) + "/" + path_of(Thing::transfer, transfer) + "/resume", {}};
}

Call ManagementApi::terminate(std::string_view transfer, const std::string& reason) const {
    Json body = begin("TerminateTransfer");
    json::put(body, "reason", json::string(reason));
    return post(path_of(Thing::transfer, transfer) + "/terminate", body);
}

Call ManagementApi::address(std::string_view transfer) const {
    return {"GET", "/" + std::string(version()) + "/edrs/" + dsp::in_path(transfer) + "/dataaddress", {}};
}

std::unique_ptr<ManagementApi> make_management_api(std::string_view version) {
    if (version == "v3") return std::make_unique<V3>();
    if (version == "v4") return std::make_unique<V4>();
    return nullptr;
}

}  // namespace entente::edc
