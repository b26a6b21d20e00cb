#include "connectors/edc/answers.hpp"

#include <algorithm>

#include "connectors/dsp/json.hpp"
#include "entente/policy/odrl.hpp"

namespace entente::edc {
namespace json = dsp::json;
namespace {

constexpr std::size_t max_words = 500;  // of EDC's in a message of ours

Error unexpected(std::string_view expected, std::string_view found) {
    return {Code::unavailable, "edc.answer", "EDC's answer: expected " + std::string(expected) + ", found " + std::string(found.substr(0, 200))};
}

std::string member(const Json& of, std::string_view name) { return json::text(json::find(of, name)).value_or(""); }

Result<std::string> required(const Json& of, std::string_view name, std::string_view body) {
    std::string text = member(of, name);
    if (text.empty()) return unexpected(name, body);
    return text;
}

// EDC answers with an array of these, HTML when it was not its own code that failed.
std::string words_of(std::string_view body) {
    const auto said = read_json(body);
    std::string words;
    if (said.ok()) {
        for (const Json* item : json::items(*said)) {
            const std::string message = member(*item, "message");
            if (!message.empty()) words += (words.empty() ? "" : "; ") + message;
        }
    }
    if (words.empty()) words = body.empty() ? "nothing" : body.substr(0, body.find("<table")).substr(0, max_words);
    std::replace_if(words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return words.substr(0, max_words);
}

}  // namespace

Result<std::string> read_id(std::string_view body) {
    ENTENTE_ASSIGN(const Json o, json::parse(body));
    return required(o, "@id", body);
}

Result<Progress> read_progress(std::string_view body) {
    ENTENTE_ASSIGN(const Json o, json::parse(body));
    Progress progress;
    ENTENTE_ASSIGN(progress.state, required(o, "state", body));
    progress.error = member(o, "errorDetail");
    progress.agreement = member(o, "contractAgreementId");
    return progress;
}

Result<AgreementRecord> read_agreement(std::string_view body) {
    ENTENTE_ASSIGN(const Json o, json::parse(body));
    AgreementRecord record;
    ENTENTE_ASSIGN(record.local_id, required(o, "@id", body));
    record.wire_id = member(o, "agreementId");
    if (record.wire_id.empty()) record.wire_id = record.local_id;
    ENTENTE_ASSIGN(record.provider, required(o, "providerId", body));
    ENTENTE_ASSIGN(record.consumer, required(o, "consumerId", body));
    const Json* policy = json::find(o, "policy");
    if (policy == nullptr || policy->kind != Json::Kind::object) return unexpected("a policy", body);
    record.policy = write_json(*policy);
    return record;
}

Result<dsp::DataAddress> read_address(std::string_view body) {
    ENTENTE_ASSIGN(const Json o, json::parse(body));
    dsp::DataAddress address;
    ENTENTE_ASSIGN(address.endpoint, required(o, "endpoint", body));
    address.endpoint_type = member(o, "endpointType");
    address.authorization = member(o, "authorization");
    address.auth_type = member(o, "authType");
    return address;
}

bool same_source(std::string_view body, const Asset& asset) {
    const auto o = json::parse(body);
    const Json* address = o.ok() ? json::find(*o, "dataAddress") : nullptr;
    return address != nullptr && member(*address, "baseUrl") == asset.source && member(*address, "type") == asset.source_type;
}

bool says(std::string_view body, const Asset& asset) {
    const auto o = json::parse(body);
    const Json* properties = o.ok() ? json::find(*o, "properties") : nullptr;
    return same_source(body, asset) && std::all_of(asset.properties.begin(), asset.properties.end(), [&](const auto& p) {
               return properties != nullptr && json::text(properties->find(p.first)) == p.second;
           });
}

bool says(std::string_view body, const PolicyDefinition& definition) {
    const auto o = json::parse(body);
    const Json* policy = o.ok() ? json::find(*o, "policy") : nullptr;
    if (policy == nullptr) return false;
    const auto odrl = policy::read_odrl(*policy);
    return odrl.ok() && policy::same_terms(without_profile(odrl->policy), without_profile(definition.policy));
}

bool says(std::string_view body, const ContractDefinition& definition) {
    const auto o = json::parse(body);
    if (!o.ok() || member(*o, "accessPolicyId") != definition.policy || member(*o, "contractPolicyId") != definition.policy) return false;
    const Json* selector = json::find(*o, "assetsSelector");
    if (selector == nullptr) return false;
    const std::vector<const Json*> criteria = json::items(*selector);
    return criteria.size() == 1 && member(*criteria.front(), "operandRight") == definition.asset;
}

Error error_of(int status, std::string_view body, const std::string& what) {
    const std::string message = what + ": expected success, EDC answered " + std::to_string(status) + ": " + words_of(body);
    switch (status) {
        case 400: return {Code::invalid_argument, "edc.refused", message};
        case 401:
        case 403: return {Code::unauthenticated, "edc.credentials", message};
        case 404: return {Code::not_found, "edc.not-found", message};
        case 409: return {Code::conflict, "edc.conflict", message};
        case 502: return {Code::unavailable, "edc.peer", message};
        default: return {Code::unavailable, "edc.failed", message};
    }
}

policy::Policy without_profile(policy::Policy policy) {
    policy.profiles.clear();
    return policy;
}

}  // namespace entente::edc
