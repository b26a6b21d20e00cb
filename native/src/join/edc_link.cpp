#include "join/edc_link.hpp"

#include <algorithm>

#include "api/json_body.hpp"
#include "base/files.hpp"
#include "cli/endpoint.hpp"
#include "commands/text.hpp"
#include "connectors/dsp/exchange_behaviour.hpp"
#include "connectors/dsp/terms.hpp"

namespace entente::native {
namespace {

constexpr std::uint64_t key_limit_bytes = 4096;
constexpr std::int64_t longest_silence_ms = 2'000;

std::string without_spaces(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    return text;
}

policy::Facts facts_of(const plan::Plan& plan) {
    policy::Facts facts;
    facts.federation = plan::federation_iri(plan);
    facts.cohort = plan.contract.min_cohort_size;
    facts.round = 1;
    facts.schema = plan::schema_digest(plan);
    facts.operations = plan::model_operations;
    return facts;
}

}  // namespace

Status EdcLink::open_side(const Membership& member) {
    ENTENTE_ASSIGN(const Endpoint endpoint, read_listen(c_.listen));
    if (!endpoint.loopback && c_.tls_certificate.empty()) {
        return Error{Code::invalid_argument, "config.exposed",
                     "listen " + c_.listen + " is reachable from other machines; give tls_cert and tls_key"};
    }
    if (!c_.edc.key_file.empty()) {
        ENTENTE_ASSIGN(std::string key, read_text_file(c_.edc.key_file, key_limit_bytes));
        key_ = without_spaces(std::move(key));
    }
    ENTENTE_ASSIGN(side_, EdcSide::open({.self = member.participant, .federation = member.plan.federation.id,
                                         .coordinator = member.plan.federation.coordinator, .coordinator_key = member.coordinator_key,
                                         .own_key = member.key.public_key(), .folder = std::filesystem::path(c_.state_folder) / "connector",
                                         .listen_address = endpoint.address, .listen_port = endpoint.port, .tls_certificate = c_.tls_certificate,
                                         .tls_key = c_.tls_key, .public_url = c_.public_url, .management = dsp::without_slash(c_.edc.management),
                                         .key = key_, .control = dsp::without_slash(c_.edc.control), .networks = c_.networks, .ca_file = c_.ca_file}));
    say_("Data plane", side_->origin());
    return done();
}

Status EdcLink::connect(const Membership& member, const std::string& coordinator) {
    ENTENTE_ASSIGN(edc_http_, EdcHttp::make({.origins = {dsp::origin_of(c_.edc.management), dsp::origin_of(coordinator)}, .loopback = true,
                                             .opened_networks = c_.networks, .ca_file = c_.ca_file}));
    connector_ = std::make_unique<EdcConnector>(
        EdcConnectorOptions{.self = member.participant, .federation = member.plan.federation.id,
                            .coordinator = {member.plan.federation.coordinator, coordinator},
                            .management = dsp::without_slash(c_.edc.management), .key = key_, .edc_id = c_.edc.participant, .facts = facts_of(member.plan),
                            .on_problem = [this](const Error& why) { problems_.seen(why.message + " (code " + why.reason + ")"); },
                            .on_wait = [this] { problems_.tell(); }},
        *side_, *edc_http_);
    ENTENTE_TRY(connector_->connect());
    ENTENTE_TRY(side_->register_with_edc());
    say_("Connector", c_.edc.protocol);
    return done();
}

Result<Membership> EdcLink::enter() {
    for (const auto& [name, value] : {std::pair{"management", &c_.edc.management}, {"control", &c_.edc.control}, {"protocol", &c_.edc.protocol}}) {
        if (dsp::origin_of(*value).empty()) {
            return Error{Code::invalid_argument, "config.edc", std::string("connector edc: expected an address as ") + name + " in [edc], found \"" + *value + "\""};
        }
    }
    ENTENTE_ASSIGN(Membership member, become_member(c_, *http_));
    if (!side_) ENTENTE_TRY(open_side(member));
    const std::string body = commands::JsonObject().text("address", c_.edc.protocol).text("kind", "edc").text("data", side_->origin())
                                 .text("edc_id", c_.edc.participant).str();
    ENTENTE_ASSIGN(const std::string answer, ask_text(*http_, "PUT", "/api/v1/connector", body));
    ENTENTE_ASSIGN(const JsonBody json, JsonBody::parse(answer));
    ENTENTE_TRY(connect(member, json.text("address")));
    ENTENTE_ASSIGN(LogCheck log, LogCheck::open(http_, c_.state_folder, member));
    log_.emplace(std::move(log));
    return member;
}

Result<contract::HubView> EdcLink::watch(std::uint64_t cursor, std::int64_t wait_ms, const contract::CallOptions& options) {
    for (;;) {
        const std::int64_t part_ms = std::min(wait_ms, longest_silence_ms);
        auto view = connector_->watch(cursor, part_ms, options);
        wait_ms -= part_ms;
        if (!view.ok() || view->catalog.cursor != cursor) return view;
        problems_.tell();
        if (wait_ms <= 0) return view;
    }
}

void EdcLink::heartbeat(const std::string& json) {
    const auto told = ask_text(*http_, "POST", "/api/v1/hub/heartbeat", json);
    static_cast<void>(told);
}

}  // namespace entente::native
