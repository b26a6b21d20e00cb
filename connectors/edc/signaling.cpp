#include "connectors/edc/signaling.hpp"

#include "connectors/dsp/json.hpp"
#include "connectors/dsp/words.hpp"
#include "connectors/dsp/writer.hpp"

namespace entente::edc {
namespace json = dsp::json;
namespace {

constexpr std::size_t max_id = 256;

Error malformed(std::string_view what, std::string_view found) {
    return {Code::invalid_argument, "signaling.message", "data-flow message: expected " + std::string(what) + ", found " + std::string(found.substr(0, 80))};
}

Result<std::string> id_of(const Json& of, std::string_view name) {
    std::string text = json::text(json::find(of, name)).value_or("");
    if (text.empty() || text.size() > max_id) return malformed(std::string(name) + " of 1 to 256 characters", text.empty() ? "none" : text);
    return text;
}

// By property, whatever namespace its name is in; EDC writes a list of one as the object itself.
std::string property(const Json& address, std::string_view name) {
    const Json* properties = json::find(address, "endpointProperties");
    if (properties == nullptr) return {};
    for (const Json* one : json::items(*properties)) {
        const auto key = json::text(json::find(*one, "name"));
        if (key && json::last_segment(*key) == name) return json::text(json::find(*one, "value")).value_or("");
    }
    return {};
}

Result<dsp::DataAddress> destination(const Json* address) {
    if (address == nullptr) return malformed("an address to push to", "none");
    dsp::DataAddress to;
    to.endpoint_type = json::text(json::find(*address, "endpointType")).value_or("");
    to.endpoint = json::text(json::find(*address, "endpoint")).value_or("");
    for (const char* name : {"endpoint", "baseUrl"}) {
        if (to.endpoint.empty()) to.endpoint = property(*address, name);
    }
    to.authorization = property(*address, "authorization");
    to.auth_type = property(*address, "authType");
    if (to.endpoint.empty()) return malformed("an endpoint or baseUrl to push to", "none");
    return to;
}

struct Place {
    std::string process;  // empty for "/start"
    std::string_view action;
};
// "/start" -> {"", "start"}, "/1234/suspend" -> {"1234", "suspend"}
Result<Place> place_of(std::string_view path) {
    while (!path.empty() && path.front() == '/') path.remove_prefix(1);
    while (!path.empty() && path.back() == '/') path.remove_suffix(1);
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return Place{{}, path};
    const std::string_view process = path.substr(0, slash);
    const std::string_view action = path.substr(slash + 1);
    if (process.empty() || process.size() > max_id || action.find('/') != std::string_view::npos) {
        return Error{Code::not_found, "signaling.path", "expected a path of Data Plane Signaling, found /" + std::string(path.substr(0, 80))};
    }
    return Place{std::string(process), action};
}

Error unknown(std::string_view method, std::string_view path) {
    return {Code::not_found, "signaling.path",
            "expected a path of Data Plane Signaling, found " + std::string(method) + " " + std::string(path.substr(0, 80))};
}

struct Word {
    std::string_view action;
    Verb verb;
};
Result<Signal> about(const Place& place, std::initializer_list<Word> words, std::string_view method, std::string_view path) {
    for (const Word& w : words) {
        if (place.action == w.action && !place.process.empty()) {
            Signal signal;
            signal.verb = w.verb;
            signal.flow.process = place.process;
            return signal;
        }
    }
    return unknown(method, path);
}

Result<Flow> read_flow(const Json& o, std::string_view peer_name) {
    Flow flow;
    ENTENTE_ASSIGN(flow.process, id_of(o, "processId"));
    ENTENTE_ASSIGN(flow.agreement, id_of(o, "agreementId"));
    ENTENTE_ASSIGN(flow.dataset, id_of(o, "datasetId"));
    ENTENTE_ASSIGN(flow.peer, id_of(o, peer_name));
    return flow;
}

class JsonLd final : public Signaling {
public:
    [[nodiscard]] Result<Signal> read(std::string_view method, std::string_view path, std::string_view body) const override {
        ENTENTE_ASSIGN(const Place place, place_of(path));
        if (method == "GET") {
            if (place.process.empty() && place.action == "check") return Signal{};
            return about(place, {{"state", Verb::status}}, method, path);
        }
        if (method != "POST") return unknown(method, path);
        if (!place.process.empty()) return about(place, {{"suspend", Verb::suspend}, {"terminate", Verb::terminate}}, method, path);
        // EDC 0.14 starts at the registered address itself.
        const bool start = place.action.empty() || place.action == "start";
        if (!start && place.action != "prepare") return unknown(method, path);
        ENTENTE_ASSIGN(const Json o, json::parse(body));
        Signal signal;
        signal.verb = start ? Verb::start : Verb::prepare;
        ENTENTE_ASSIGN(signal.flow, read_flow(o, "participantId"));
        const std::string way = json::text(json::find(o, "flowType")).value_or("");
        if (way != "PULL" && way != "PUSH") return malformed("flowType PULL or PUSH", way.empty() ? "none" : way);
        if (way == "PUSH") {
            ENTENTE_ASSIGN(signal.flow.push_to, destination(json::find(o, "destinationDataAddress")));
        }
        return signal;
    }

    [[nodiscard]] std::string write(const Signal& signal, FlowState state, const std::optional<dsp::DataAddress>& address) const override {
        Json o = json::object({});
        json::put(o, "@context", json::object({{"@vocab", dsp::edc_ns}, {"dspace", "https://w3id.org/dspace/v0.8/"}}));
        if (signal.verb == Verb::status) {
            json::put(o, "@type", json::string("DataFlowState"));
            json::put(o, "state", json::string(word(state)));
            return write_json(o);
        }
        if (signal.verb != Verb::start && signal.verb != Verb::prepare) return {};
        json::put(o, "@type", json::string("DataFlowResponseMessage"));
        Json no;
        no.kind = Json::Kind::boolean;
        no.text = "false";
        json::put(o, "provisioning", std::move(no));
        if (address) {
            // It goes to the consumer as it is, in the form that it is wanted in there.
            std::vector<Json> properties;
            for (const auto& [name, value] : {std::pair{"endpoint", address->endpoint}, {"endpointType", address->endpoint_type},
                                              {"authorization", address->authorization}, {"authType", address->auth_type}}) {
                properties.push_back(json::object({{"@type", "dspace:EndpointProperty"}, {"dspace:name", std::string(dsp::edc_ns) + name},
                                                   {"dspace:value", value}}));
            }
            Json a = json::object({{"@type", "dspace:DataAddress"}, {"dspace:endpointType", address->endpoint_type}});
            json::put(a, "dspace:endpointProperties", json::array(std::move(properties)));
            json::put(o, "dataAddress", std::move(a));
        }
        return write_json(o);
    }

    [[nodiscard]] Registration registration(const std::string& id, const std::string& address, const std::string& source_type,
                                            const std::vector<std::string>& formats) const override {
        Json o = json::object({});
        json::put(o, "@context", json::object({{"@vocab", dsp::edc_ns}}));
        json::put(o, "@type", json::string("DataPlaneInstance"));
        json::put(o, "@id", json::string(id));
        json::put(o, "url", json::string(address));
        json::put(o, "allowedSourceTypes", json::strings({source_type}));
        json::put(o, "allowedTransferTypes", json::strings(formats));
        return {"POST", "/v1/dataplanes", write_json(o)};
    }
};

class Plain final : public Signaling {
public:
    [[nodiscard]] Result<Signal> read(std::string_view method, std::string_view path, std::string_view body) const override {
        ENTENTE_ASSIGN(const Place place, place_of(path));
        if (method == "GET") {
            return about(place, {{"status", Verb::status}}, method, path);
        }
        if (method != "POST") return unknown(method, path);
        if (!place.process.empty()) {
            return about(place, {{"suspend", Verb::suspend}, {"resume", Verb::resume}, {"terminate", Verb::terminate}, {"completed", Verb::complete}},
                         method, path);
        }
        if (place.action != "start" && place.action != "prepare") return unknown(method, path);
        ENTENTE_ASSIGN(const Json o, json::parse(body));
        Signal signal;
        signal.verb = place.action == "start" ? Verb::start : Verb::prepare;
        signal.message = json::text(json::find(o, "messageId")).value_or("");
        ENTENTE_ASSIGN(signal.flow, read_flow(o, "counterPartyId"));
        // The release candidate calls it profile: "http-pull", with or without its namespace.
        std::string type = json::text(json::find(o, "transferType")).value_or("");
        if (type.empty()) type = json::text(json::find(o, "profile")).value_or("");
        const bool push = type == dsp::format_push || json::last_segment(type) == "http-push";
        if (!push && type != dsp::format_pull && json::last_segment(type) != "http-pull") {
            return malformed("transferType or profile of an HTTP pull or push", type.empty() ? "none" : type);
        }
        if (push) {
            ENTENTE_ASSIGN(signal.flow.push_to, destination(json::find(o, "dataAddress")));
        }
        return signal;
    }

    [[nodiscard]] std::string write(const Signal& signal, FlowState state, const std::optional<dsp::DataAddress>& address) const override {
        Json o = json::object({});
        json::put(o, "messageId", signal.message);
        json::put(o, "dataFlowId", json::string(signal.flow.process));
        json::put(o, "state", json::string(word(state)));
        if (address) {
            // As the protocol's own start would bear it.
            dsp::Message start{.kind = dsp::Kind::transfer_start, .address = address};
            const Json written = *read_json(dsp::write(start));
            json::put(o, "dataAddress", *written.find("dataAddress"));
        }
        return write_json(o);
    }

    [[nodiscard]] Registration registration(const std::string& id, const std::string& address, const std::string&,
                                            const std::vector<std::string>& formats) const override {
        Json o = json::object({{"dataplaneId", id}, {"endpoint", address}});
        json::put(o, "transferTypes", json::strings(formats));
        return {"PUT", "/v4/dataplanes", write_json(o)};
    }
};

}  // namespace

std::string_view word(FlowState state) noexcept {
    switch (state) {
        case FlowState::prepared: return "PREPARED";
        case FlowState::started: return "STARTED";
        case FlowState::suspended: return "SUSPENDED";
        case FlowState::completed: return "COMPLETED";
        case FlowState::terminated: return "TERMINATED";
    }
    return "";
}

std::unique_ptr<Signaling> make_signaling(Dialect dialect) {
    if (dialect == Dialect::json_ld) return std::make_unique<JsonLd>();
    return std::make_unique<Plain>();
}

}  // namespace entente::edc
