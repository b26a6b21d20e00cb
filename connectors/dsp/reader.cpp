#include "connectors/dsp/reader.hpp"

#include <algorithm>
#include <array>

#include "connectors/dsp/schema.hpp"
#include "connectors/dsp/words.hpp"

namespace entente::dsp {
namespace {

constexpr std::size_t max_extension = 256 * 1024;
constexpr std::size_t max_extensions = 16;
constexpr std::size_t max_reasons = 16;

// The several names under which one thing is found, most particular first.
constexpr std::array<std::string_view, 2> endpoint_names{"endpoint", "baseUrl"};

std::string property(const std::vector<const Json*>& properties, std::string_view name) {
    for (const Json* item : properties) {
        const auto key = json::text(json::find(*item, "name"));
        const auto value = json::text(json::find(*item, "value"));
        if (key && value && json::last_segment(*key) == name) return *value;
    }
    return {};
}

Result<DataAddress> read_address(const Json& v) {
    if (v.kind != Json::Kind::object) return Error{Code::invalid_argument, "dsp.schema", "dataAddress: expected an object"};
    Members m("dataAddress", v);
    DataAddress address;
    address.endpoint_type = m.required("endpointType");
    address.endpoint = m.optional("endpoint");
    const auto properties = m.list("endpointProperties");
    ENTENTE_TRY(m.status());
    for (const std::string_view name : endpoint_names) {
        if (address.endpoint.empty()) address.endpoint = property(properties, name);
    }
    address.authorization = property(properties, "authorization");
    address.auth_type = property(properties, "authType");
    if (address.endpoint.size() > max_text || address.authorization.size() > 2 * max_text) {
        return Error{Code::invalid_argument, "dsp.schema", "dataAddress: an endpoint or a token is longer than can be true"};
    }
    return address;
}

std::vector<std::string> read_reasons(Members& m) {
    std::vector<std::string> reasons;
    for (const Json* item : m.list("reason")) {
        if (reasons.size() == max_reasons) break;
        std::string text;
        if (const auto plain = json::text(*item)) {
            text = *plain;
        } else {
            text = json::text(json::find(*item, "message")).value_or(write_json(*item));
        }
        reasons.push_back(text.substr(0, max_text));
    }
    return reasons;
}

void read_policy(Members& m, const char* name, Message& message) {
    const Json* policy = m.find(name);
    if (policy == nullptr || policy->kind != Json::Kind::object) {
        m.fail(std::string("expected an object as ") + name + ", found none");
        return;
    }
    const Status schema = check_policy_schema(*policy, message.kind == Kind::agreement ? "Agreement" : "Offer");
    if (!schema.ok()) m.fail(schema.error().message);
    message.policy = write_json(*policy);
}

// The first message of a process bears a callbackAddress, a later one the pid of the process; never both.
void read_opening(Members& m, const char* pid_name, std::string& pid, Message& message) {
    message.callback_address = m.optional("callbackAddress");
    pid = m.optional(pid_name, max_pid);
    if (message.callback_address.empty() == pid.empty()) {
        m.fail(std::string("expected exactly one of callbackAddress and ") + pid_name + ", found " +
               (pid.empty() ? "neither" : "both"));
    }
}

void read_extensions(const Json& object, Members& m, Message& message) {
    for (const JsonMember& member : object.members) {
        if (!member.name.starts_with(ns) || member.value.kind != Json::Kind::string) continue;
        if (member.value.text.size() > max_extension || message.extensions.size() == max_extensions) {
            m.fail("expected at most 16 members of ours with 256 KiB each, found more");
            return;
        }
        message.extensions.emplace(member.name.substr(ns.size()), member.value.text);
    }
}

Status read_members(const Json& object, Members& m, Message& message) {
    message.id = m.optional("@id");
    read_extensions(object, m, message);
    switch (message.kind) {
        case Kind::contract_request:
            message.consumer_pid = m.required("consumerPid", max_pid);
            read_opening(m, "providerPid", message.provider_pid, message);
            read_policy(m, "offer", message);
            return m.status();
        case Kind::contract_offer:
            message.provider_pid = m.required("providerPid", max_pid);
            read_opening(m, "consumerPid", message.consumer_pid, message);
            read_policy(m, "offer", message);
            return m.status();
        case Kind::transfer_request:
            message.consumer_pid = m.required("consumerPid", max_pid);
            message.agreement_id = m.required("agreementId");
            message.format = m.required("format");
            message.callback_address = m.required("callbackAddress");
            break;
        default:
            message.provider_pid = m.required("providerPid", max_pid);
            message.consumer_pid = m.required("consumerPid", max_pid);
            break;
    }
    if (message.kind == Kind::agreement) read_policy(m, "agreement", message);
    if (message.kind == Kind::negotiation_termination || message.kind == Kind::transfer_termination ||
        message.kind == Kind::transfer_suspension) {
        message.code = m.optional("code");
        message.reasons = read_reasons(m);
    }
    ENTENTE_TRY(m.status());
    if (message.kind == Kind::transfer_request || message.kind == Kind::transfer_start) {
        if (const Json* address = m.find("dataAddress")) {
            ENTENTE_ASSIGN(message.address, read_address(*address));
        }
    }
    return done();
}

}  // namespace

Result<Message> read_message(std::string_view text, std::initializer_list<Kind> expected) {
    ENTENTE_ASSIGN(const Json object, json::parse(text));
    Message message;
    const auto type_text = json::text(object.find("@type"));
    const std::string_view found = type_text ? json::last_segment(*type_text) : std::string_view();
    std::string all;
    bool known = false;
    for (const Kind kind : expected) {
        if (all.find(type_of(kind)) == std::string::npos) all += (all.empty() ? "" : " or ") + std::string(type_of(kind));
        if (found == type_of(kind) && !known) {
            message.kind = kind;
            known = true;
        }
    }
    Members m(known ? std::string(found) : "message", object);
    m.context();
    if (!known) m.fail("expected the @type " + all + ", found " + (found.empty() ? "none" : "\"" + std::string(found.substr(0, 80)) + "\""));
    ENTENTE_TRY(m.status());
    if (found == type_of(Kind::acceptance)) {
        const std::string event(json::last_segment(m.required("eventType")));
        if (event == "ACCEPTED") message.kind = Kind::acceptance;
        else if (event == "FINALIZED") message.kind = Kind::finalization;
        else m.fail("expected the eventType ACCEPTED or FINALIZED, found \"" + event.substr(0, 80) + "\"");
        if (std::find(expected.begin(), expected.end(), message.kind) == expected.end()) m.fail("expected another eventType than " + event);
    }
    ENTENTE_TRY(read_members(object, m, message));
    return message;
}

Result<ProcessState> read_state(std::string_view text) {
    ENTENTE_ASSIGN(const Json object, json::parse(text));
    Members m("answer", object);
    ProcessState state;
    state.provider_pid = m.optional("providerPid", max_pid);
    state.consumer_pid = m.optional("consumerPid", max_pid);
    const std::string word = m.optional("state");
    ENTENTE_TRY(m.status());
    state.state = std::string(json::last_segment(word));
    return state;
}

Refusal read_refusal(std::string_view text) noexcept {
    const auto object = json::parse(text);
    if (!object.ok()) return {};
    Members m("answer", *object);
    Refusal refusal;
    refusal.code = m.optional("code");
    refusal.reasons = read_reasons(m);
    return refusal;
}

Result<std::string> read_version_path(std::string_view text) {
    ENTENTE_ASSIGN(const Json object, json::parse(text));
    Members m("version document", object);
    for (const Json* item : m.list("protocolVersions")) {
        Members entry("version document", *item);
        const std::string name = entry.optional("version");
        const std::string path = entry.optional("path");
        const std::string binding = entry.optional("binding");
        if (name == version && (binding.empty() || binding == "HTTPS")) return path;
    }
    ENTENTE_TRY(m.status());
    return Error{Code::not_found, "dsp.version", "expected the protocol version " + std::string(version) + " over HTTPS, found others"};
}

}  // namespace entente::dsp
