#include "connectors/dsp/writer.hpp"

#include "connectors/dsp/json.hpp"
#include "connectors/dsp/words.hpp"

namespace entente::dsp {
namespace {

Json begin(std::string_view type) {
    Json o = json::object({});
    json::put(o, "@context", json::array({json::string(context)}));
    json::put(o, "@type", json::string(type));
    return o;
}

Json property(const std::string& name, const std::string& value) {
    return json::object({{"@type", "EndpointProperty"}, {"name", name}, {"value", value}});
}

Json address_json(const DataAddress& address, bool pull) {
    Json o = json::object({{"@type", "DataAddress"}, {"endpointType", address.endpoint_type}});
    json::put(o, "endpoint", address.endpoint);
    std::vector<Json> properties;
    const auto add = [&properties](const std::string& name, const std::string& value) {
        if (!value.empty()) properties.push_back(property(name, value));
    };
    const std::string edc(edc_ns);
    if (!pull) add(edc + "baseUrl", address.endpoint);
    add(edc + "endpoint", address.endpoint);
    add(edc + "endpointType", address.endpoint_type);
    for (const std::string& prefix : {edc, std::string()}) {
        add(prefix + "authorization", address.authorization);
        add(prefix + "authType", address.auth_type);
    }
    if (!properties.empty()) json::put(o, "endpointProperties", json::array(std::move(properties)));
    return o;
}

// Written by us or accepted by the reader: an object. Anything else is left out rather than sent.
Json policy_json(const std::string& text) {
    auto parsed = json::parse(text);
    if (!parsed.ok()) return json::object({});
    json::erase(*parsed, "@context");
    return std::move(*parsed);
}

Result<Json> rules_of(std::string_view offer) {
    ENTENTE_ASSIGN(Json o, json::parse(offer));
    for (const char* name : {"@context", "@id", "@type", "target", "assigner", "assignee", "timestamp"}) json::erase(o, name);
    return o;
}

std::string state_json(std::string_view type, const ProcessState& state) {
    Json o = begin(type);
    json::put(o, "providerPid", state.provider_pid);
    json::put(o, "consumerPid", state.consumer_pid);
    json::put(o, "state", state.state);
    return write_json(o);
}

}  // namespace

std::string write(const Message& message) {
    Json o = begin(type_of(message.kind));
    json::put(o, "@id", message.id);
    json::put(o, "providerPid", message.provider_pid);
    json::put(o, "consumerPid", message.consumer_pid);
    json::put(o, "callbackAddress", message.callback_address);
    json::put(o, "agreementId", message.agreement_id);
    json::put(o, "format", message.format);
    if (message.kind == Kind::acceptance) json::put(o, "eventType", json::string("ACCEPTED"));
    if (message.kind == Kind::finalization) json::put(o, "eventType", json::string("FINALIZED"));
    if (!message.policy.empty()) json::put(o, message.kind == Kind::agreement ? "agreement" : "offer", policy_json(message.policy));
    if (message.address) json::put(o, "dataAddress", address_json(*message.address, message.kind == Kind::transfer_start));
    json::put(o, "code", message.code);
    if (!message.reasons.empty()) json::put(o, "reason", json::strings(message.reasons));
    for (const auto& [name, text] : message.extensions) json::put(o, std::string(ns) + name, json::string(text));
    return write_json(o);
}

std::string write_negotiation_state(const ProcessState& state) { return state_json("ContractNegotiation", state); }
std::string write_transfer_state(const ProcessState& state) { return state_json("TransferProcess", state); }

std::string write_error(ErrorType type, const Error& error, const std::string& provider_pid, const std::string& consumer_pid) {
    Json o = begin(type == ErrorType::catalog       ? "CatalogError"
                     : type == ErrorType::negotiation ? "ContractNegotiationError"
                                                      : "TransferError");
    json::put(o, "providerPid", provider_pid);
    json::put(o, "consumerPid", consumer_pid);
    json::put(o, "code", error.reason);
    if (!error.message.empty()) json::put(o, "reason", json::strings({error.message}));
    return write_json(o);
}

std::string write_versions(const std::string& path, const std::string& service_id) {
    Json entry = json::object({{"version", version}, {"path", path}, {"binding", "HTTPS"}});
    json::put(entry, "serviceId", service_id);
    Json o = json::object({});
    json::put(o, "protocolVersions", json::array({std::move(entry)}));
    return write_json(o);
}

Result<std::string> offer_for(std::string_view offer, const std::string& target, const std::string& assigner) {
    ENTENTE_ASSIGN(Json o, json::parse(offer));
    json::erase(o, "@context");
    json::put(o, "@type", json::string("Offer"));
    json::put(o, "target", json::string(target));
    json::put(o, "assigner", assigner);
    return write_json(o);
}

Result<std::string> agreement_over(std::string_view offer, const AgreementFrame& frame) {
    ENTENTE_ASSIGN(const Json rules, rules_of(offer));
    Json o = json::object({{"@id", frame.id}, {"@type", "Agreement"}, {"target", frame.target}, {"assigner", frame.assigner},
                           {"assignee", frame.assignee}, {"timestamp", frame.timestamp}});
    for (const JsonMember& member : rules.members) json::put(o, member.name, member.value);
    return write_json(o);
}

}  // namespace entente::dsp
