#include "cli/doctor_connector.hpp"

#include <cstdlib>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "api/json_body.hpp"
#include "base/files.hpp"
#include "cli/findings.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "connectors/dsp/catalogue.hpp"
#include "connectors/dsp/reader.hpp"
#include "connectors/dsp/terms.hpp"
#include "http/message.hpp"
#include "join/membership.hpp"
#include "net/http_client.hpp"
#include "net/outbound.hpp"

namespace entente::native {
namespace {

constexpr std::int64_t timeout_ms = 10'000;
constexpr std::int64_t tolerable_skew_s = 60;
constexpr std::int64_t recently_ms = 30'000;

class Examination {
public:
    explicit Examination(const ConnectorDoctor& options) : o_(options), url_(dsp::without_slash(options.url)) {}

    std::vector<Finding> run(const PartnerConfig* partner) {
        if (open()) look();
        if (partner != nullptr && reached_) callback(*partner);
        return std::move(findings_);
    }
    [[nodiscard]] bool reached() const { return reached_; }

private:
    void note(std::string step, bool good, std::string found, std::string todo = {}) {
        findings_.push_back({std::move(step), good, std::move(found), good ? std::string() : std::move(todo)});
    }

    bool open() {
        const auto url = read_url(url_);
        if (!url.ok()) {
            note("address", false, url.error().message, "give the address that the peer has told you, such as https://plant-a.example:8444");
            return false;
        }
        origin_ = url->origin();
        OutboundOptions options;
        options.plain_loopback = true;
        options.opened_networks = o_.networks;
        options.opened_networks.push_back("127.0.0.0/8");
        options.ca_file = o_.ca_file;
        auto outbound = Outbound::make(io_, std::move(options));
        if (!outbound.ok()) {
            note("options", false, outbound.error().message, "see entente doctor connector --help");
            return false;
        }
        outbound_ = std::move(outbound).value();
        note("address", true, origin_);
        return true;
    }

    Result<OutboundResponse> ask(const std::string& method, const std::string& url, const std::string& body) {
        std::optional<Result<OutboundResponse>> answer;
        OutboundRequest request;
        request.method = method;
        request.url = url;
        request.body = body;
        request.allowed_origins = {origin_};
        request.timeout_ms = timeout_ms;
        outbound_->send(std::move(request), [&answer](Result<OutboundResponse> r) { answer.emplace(std::move(r)); });
        io_.restart();
        while (!answer) io_.run_one();
        return std::move(*answer);
    }

    void look() {
        // The address may be that of the host, of the root or of a version.
        std::string base;
        std::optional<OutboundResponse> document;
        std::string told;
        for (const std::string& root : {url_, url_.substr(0, url_.rfind('/')), url_ + "/dsp", origin_}) {
            if (!root.starts_with(origin_) || !base.empty()) continue;
            const std::int64_t begun = monotonic_ms();
            const auto answer = ask("GET", root + "/.well-known/dspace-version", {});
            if (!answer.ok()) {
                const bool refused = answer.error().code == Code::permission_denied;
                note("reachable", false, answer.error().message,
                     refused ? "open the network with --network, if it is yours" : "check name, port, firewall and certificate (--ca)");
                return;
            }
            reached_ = true;
            if (!document) note("reachable", true, "answered after " + std::to_string(monotonic_ms() - begun) + " ms");
            document = *answer;
            const auto path = answer->status == 200 ? dsp::read_version_path(answer->body) : Result<std::string>(Error{});
            if (path.ok()) base = root + *path;
            else if (answer->status == 200) told = path.error().message;
        }
        note("version", !base.empty(), base.empty() ? (told.empty() ? "no version document under this address" : told) : "2025-1 over HTTPS at " + base,
             "ask for the address of its Dataspace Protocol endpoint; version 2025-1 is needed");
        clock(*document);
        if (!base.empty()) protocol(base);
    }

    void clock(const OutboundResponse& answer) {
        const auto theirs = http::read_http_date(answer.header("date"));
        if (!theirs) return note("clock", true, "the peer does not say what time it is");
        const std::int64_t ahead = (*theirs - now_ms()) / 1000;
        note("clock", std::abs(ahead) <= tolerable_skew_s, std::to_string(ahead) + " s ahead of ours",
             "set both clocks: tokens and agreements bear the time");
    }

    void protocol(const std::string& base) {
        const auto answer = ask("POST", base + "/catalog/request", dsp::write_catalog_request({}));
        if (!answer.ok()) return note("protocol", false, answer.error().message, "the version document answers and the protocol does not: ask its operator");
        const dsp::Refusal refusal = dsp::read_refusal(answer->body);
        if (answer->status == 200) return note("protocol", true, "its catalogue is open to strangers");
        if (answer->status == 401) {
            return note("protocol", true, "it asks who is calling" + (refusal.code.empty() ? std::string() : " (" + refusal.code + ")"));
        }
        note("protocol", false, "HTTP status " + std::to_string(answer->status) + (refusal.reasons.empty() ? std::string() : ": " + refusal.reasons.front()),
             answer->status >= 500 ? "some connectors answer so when they cannot read a token: agree on the identity service with its operator"
                                   : "ask its operator; GET /api/v1/connector shows what our side last saw");
    }

    // The way back. The coordinator looks into the partner's catalogue all the time: it knows, and nothing needs to be begun.
    void callback(const PartnerConfig& partner) {
        const auto standing = ask_coordinator(partner);
        if (!standing.ok()) return note("callback", false, standing.error().message, "entente join joins, and registers the connector");
        const std::string address = standing->text("connector");
        if (address.empty()) return note("callback", false, "no connector of this partner is registered", "entente join registers it");
        if (standing->has("connector_problem")) {
            return note("callback", false, standing->text("connector_problem"),
                        "is entente join running? Then: public_url, listen and firewalls here, with an EDC its protocol address");
        }
        const auto ago_ms = static_cast<std::int64_t>(standing->number("connector_reached_ms", -1));
        if (ago_ms < 0) return note("callback", false, address + " was not reached yet", "ask again in a moment");
        note("callback", ago_ms <= recently_ms, "the coordinator has reached " + address + " " + std::to_string(ago_ms) + " ms ago", "is entente join running?");
    }

    static Result<JsonBody> ask_coordinator(const PartnerConfig& partner) {
        ENTENTE_ASSIGN(const PartnerState known, read_partner_state(partner.state_folder));
        ENTENTE_ASSIGN(const auto http, make_http_client({partner.url, partner.ca_file, partner.tls_certificate, partner.tls_key}));
        http->set_token(known.token);
        ENTENTE_ASSIGN(const std::string text, ask_text(*http, "GET", "/api/v1/me", {}));
        return JsonBody::parse(text);
    }

    const ConnectorDoctor& o_;
    std::string url_;
    std::string origin_;
    boost::asio::io_context io_{1};
    std::shared_ptr<Outbound> outbound_;
    std::vector<Finding> findings_;
    bool reached_ = false;
};

}  // namespace

int doctor_connector(const ConnectorDoctor& given, commands::Environment& environment) {
    ConnectorDoctor options = given;
    std::optional<PartnerConfig> partner;
    if (options.url.ends_with(".toml")) {
        if (const Status read = read_partner_toml(options.url, partner.emplace(), environment); !read.ok()) return commands::report(read.error(), environment);
        options.url = partner->url;
        if (options.ca_file.empty()) options.ca_file = partner->ca_file;
        options.networks.insert(options.networks.end(), partner->networks.begin(), partner->networks.end());
    }
    Examination examination(options);
    const bool good = print(examination.run(partner ? &*partner : nullptr), {.width = 11, .json = options.json}, environment);
    if (good) return commands::exit_done;
    return examination.reached() ? commands::exit_failed : commands::exit_unreachable;
}

}  // namespace entente::native
