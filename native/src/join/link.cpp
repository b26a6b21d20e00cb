#include "join/link.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "api/json_body.hpp"
#include "base/files.hpp"
#include "cli/endpoint.hpp"
#include "cli/key_file.hpp"
#include "commands/plan_file.hpp"
#include "commands/text.hpp"
#include "connectors/folder/folder_connector.hpp"
#include "connectors/hub/hub_client.hpp"
#include "dsp/side.hpp"
#include "join/blocking_connector.hpp"
#include "join/connector_problems.hpp"
#include "join/edc_link.hpp"
#include "join/log_check.hpp"
#include "net/http_client.hpp"

namespace entente::native {
namespace {

using contract::CallOptions;
using contract::HubView;
using Say = std::function<void(std::string_view, const std::string&)>;

void sleep_ms(std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

class HubLink final : public Link {
public:
    HubLink(const PartnerConfig& config, std::shared_ptr<hub::HttpClient> http) : c_(config), http_(std::move(http)), connector_(http_) {}

    Result<Membership> enter() override {
        ENTENTE_ASSIGN(Membership member, become_member(c_, *http_));
        ENTENTE_ASSIGN(LogCheck log, LogCheck::open(http_, c_.state_folder, member));
        log_.emplace(std::move(log));
        return member;
    }
    Status check_log() override { return log_ ? log_->look() : done(); }
    contract::Connector& connector() override { return connector_; }
    Result<HubView> watch(std::uint64_t cursor, std::int64_t wait_ms, const CallOptions& options) override {
        return connector_.watch(cursor, wait_ms, options);
    }
    void idle() override {}
    void heartbeat(const std::string& json) override {
        const auto told = ask_text(*http_, "POST", "/api/v1/hub/heartbeat", json);
        static_cast<void>(told);
    }

private:
    const PartnerConfig& c_;
    std::shared_ptr<hub::HttpClient> http_;
    hub::HubClient connector_;
    std::optional<LogCheck> log_;
};

// A connector of its own. The coordinator's HTTP API is asked for the plan and told where the connector is; everything
// else goes by the Dataspace Protocol.
class DspLink final : public Link {
public:
    DspLink(const PartnerConfig& config, std::shared_ptr<hub::HttpClient> http, Say say)
        : c_(config), http_(std::move(http)), say_(std::move(say)), problems_(*http_, say_),
          connector_([this](std::function<void(contract::Connector&)> work) { side_->post(std::move(work)); }) {}

    Result<Membership> enter() override {
        ENTENTE_ASSIGN(Membership member, become_member(c_, *http_));
        ENTENTE_ASSIGN(const Endpoint endpoint, read_listen(c_.listen));
        if (!endpoint.loopback && c_.tls_certificate.empty()) {
            return Error{Code::invalid_argument, "config.exposed",
                         "listen " + c_.listen + " is reachable from other machines; give tls_cert and tls_key"};
        }
        if (!side_) {
            ENTENTE_ASSIGN(codec::SigningKey key, load_or_make_key(c_.state_folder + "/partner.key"));
            key_.emplace(std::move(key));
            VouchedBy vouched_by;
            if (c_.issuer.empty() != c_.client_secret_file.empty()) {
                return Error{Code::invalid_argument, "config.issuer", "issuer and client_secret_file belong together: give both or none"};
            }
            if (!c_.issuer.empty()) {
                ENTENTE_ASSIGN(const std::string secret, read_secret(c_.client_secret_file));
                vouched_by = {.issuer = c_.issuer, .client = {c_.client_id.empty() ? member.participant : c_.client_id, secret},
                              .company_claim = c_.company_claim, .ca_file = c_.ca_file};
            }
            ENTENTE_ASSIGN(side_, DspSide::open({.self = member.participant, .federation = member.plan.federation.id,
                                                 .coordinator = member.plan.federation.coordinator, .folder = std::filesystem::path(c_.state_folder) / "connector",
                                                 .key = &*key_, .listen_address = endpoint.address, .listen_port = endpoint.port,
                                                 .tls_certificate = c_.tls_certificate, .tls_key = c_.tls_key, .public_url = c_.public_url,
                                                 .ca_file = c_.ca_file, .opened_networks = c_.networks,
                                                 .vouched_by = std::move(vouched_by),
                                                 .on_problem = [this](const std::string& peer, const Error& why) {
                                                     problems_.seen(peer + ": " + why.message + " (code " + why.reason + ")");
                                                 }}));
            say_("Connector", side_->address());
        }
        const std::string body = commands::JsonObject().text("address", side_->address()).str();
        ENTENTE_ASSIGN(const std::string answer, ask_text(*http_, "PUT", "/api/v1/connector", body));
        ENTENTE_ASSIGN(const JsonBody json, JsonBody::parse(answer));
        ENTENTE_TRY(side_->know({member.plan.federation.coordinator, json.text("address")}, member.coordinator_key));
        ENTENTE_ASSIGN(LogCheck log, LogCheck::open(http_, c_.state_folder, member));
        log_.emplace(std::move(log));
        return member;
    }
    Status check_log() override { return log_ ? log_->look() : done(); }

    contract::Connector& connector() override { return connector_; }

    Result<HubView> watch(std::uint64_t cursor, std::int64_t wait_ms, const CallOptions& options) override {
        CallOptions waiting = options;
        while (wait_ms > 0) {
            waiting.timeout_ms = std::min(wait_ms, longest_silence_ms);
            Result<std::uint64_t> changed = cursor;
            connector_.wait(cursor, waiting, [&changed](Result<std::uint64_t> r) { changed = std::move(r); });
            problems_.tell();
            if (!changed.ok()) return changed.error();
            if (*changed != cursor) break;
            wait_ms -= waiting.timeout_ms;
        }
        Result<contract::Catalog> catalog = contract::Catalog{};
        connector_.catalog({}, options, [&catalog](Result<contract::Catalog> r) { catalog = std::move(r); });
        if (!catalog.ok()) return catalog.error();
        HubView view = side_->own_view();
        view.catalog = std::move(catalog).value();
        return view;
    }

    void idle() override {}
    void heartbeat(const std::string& json) override {
        const auto told = ask_text(*http_, "POST", "/api/v1/hub/heartbeat", json);
        static_cast<void>(told);
    }

private:
    static constexpr std::int64_t longest_silence_ms = 2'000;

    const PartnerConfig& c_;
    std::shared_ptr<hub::HttpClient> http_;
    std::optional<LogCheck> log_;
    Say say_;
    std::optional<codec::SigningKey> key_;
    ConnectorProblems problems_;
    std::unique_ptr<DspSide> side_;
    BlockingConnector connector_;
};

class FolderLink final : public Link {
public:
    FolderLink(const PartnerConfig& config, std::function<bool()> stopping, Say say)
        : c_(config), stopping_(std::move(stopping)), say_(std::move(say)) {}

    Result<Membership> enter() override {
        ENTENTE_TRY(contract::check_id(c_.participant));
        ENTENTE_TRY(make_directory(c_.state_folder));
        ENTENTE_ASSIGN(codec::SigningKey key, load_or_make_key(c_.state_folder + "/partner.key"));
        const std::string own = codec::to_hex(key.public_key());
        ENTENTE_TRY(write_file(c_.state_folder + "/partner.pub", as_bytes(std::string_view(own))));
        if (c_.coordinator_key.empty()) {
            return Error{Code::invalid_argument, "config.no-coordinator-key",
                         "expected the coordinator's key, which serve shows: --coordinator-key KEY. This partner's own key is " + own +
                             "; the operator needs it"};
        }
        ENTENTE_ASSIGN(const codec::PublicKey coordinator, codec::public_key_from_hex(c_.coordinator_key));
        ENTENTE_ASSIGN(plan::Plan plan, read_plan(coordinator));
        if (!said_key_) say_("Key", own + "   (the operator needs it)");
        said_key_ = true;
        ENTENTE_ASSIGN(codec::SigningKey again, load_or_make_key(c_.state_folder + "/partner.key"));
        ENTENTE_ASSIGN(auto shelf, folder::Shelf::open({.root = c_.folder, .federation = plan.federation.id, .self = c_.participant,
                                                        .key = std::move(again), .now_ms = now_ms, .crash = {}}));
        coordinator_ = plan.federation.coordinator;
        ENTENTE_TRY(shelf.admit(coordinator_, coordinator));
        connector_.emplace(std::move(shelf));
        return Membership{c_.participant, c_.participant, {}, coordinator, std::move(key), std::move(plan)};
    }

    contract::Connector& connector() override { return *connector_; }

    Result<HubView> watch(std::uint64_t cursor, std::int64_t wait_ms, const CallOptions& options) override {
        const std::int64_t end = monotonic_ms() + wait_ms;
        for (;;) {
            beat();
            ENTENTE_ASSIGN(HubView view, connector_->view(options));
            for (const folder::Problem& p : connector_->problems()) {
                if (p.reason != "folder.stranger" && p != last_problem_) say_("Folder", p.sentence);
                if (p.reason != "folder.stranger") last_problem_ = p;
            }
            if (view.catalog.cursor != cursor || monotonic_ms() >= end || stopping_()) return view;
            idle();
        }
    }

    void idle() override { sleep_ms(std::min<std::int64_t>(connector_->poll(), longest_sleep_ms)); }

    // Nobody reads what it says; that the book is new is the sign of life.
    void heartbeat(const std::string&) override { beat(); }

private:
    static constexpr std::int64_t longest_sleep_ms = 1'000;
    static constexpr std::int64_t beat_ms = 5'000;
    static constexpr std::uint64_t plan_limit_bytes = 16 * 1024 * 1024;

    void beat() {
        if (beaten_ms_ != 0 && monotonic_ms() - beaten_ms_ < beat_ms) return;
        beaten_ms_ = monotonic_ms();
        const Status told = connector_->shelf().touch(coordinator_);
        static_cast<void>(told);
    }

    // Signed by the coordinator, and the one that was agreed to at the first start.
    Result<plan::Plan> read_plan(const codec::PublicKey& coordinator) {
        ENTENTE_ASSIGN(const folder::Directory root, folder::Directory::open_root(c_.folder));
        auto envelope = root.read(folder::plan_name, plan_limit_bytes);
        if (!envelope.ok()) return Error{Code::unavailable, "connector.unreachable", "the plan is not in the folder yet: " + envelope.error().message};
        codec::PublicKey signer;
        auto plan = commands::open_plan_envelope(*envelope, &signer);
        if (!plan.ok()) return Error{Code::unavailable, "folder.damaged", "the plan in the folder cannot be read yet: " + plan.error().message};
        if (signer != coordinator) {
            return Error{Code::permission_denied, "contract.foreign-key",
                         "plan: expected the signature of the coordinator's key, found another key's; nothing was written"};
        }
        const std::string digest = to_hex(plan::digest_of(*plan));
        const std::string path = c_.state_folder + "/plan.digest";
        const auto agreed = read_text_file(path, 4096);
        if (!agreed.ok()) {
            ENTENTE_TRY(write_file(path, as_bytes(std::string_view(digest))));
        } else if (*agreed != digest) {
            return Error{Code::permission_denied, "contract.other-plan",
                         "plan: it is not the one that this partner agreed to; nothing was written"};
        }
        return plan;
    }

    const PartnerConfig& c_;
    std::function<bool()> stopping_;
    Say say_;
    std::optional<folder::FolderConnector> connector_;
    std::string coordinator_;
    folder::Problem last_problem_;
    std::int64_t beaten_ms_ = 0;
    bool said_key_ = false;
};

}  // namespace

Result<std::unique_ptr<Link>> make_link(const PartnerConfig& config, std::function<bool()> stopping, Say say) {
    if (config.folder.empty()) {
        if (!config.connector.empty() && config.connector != "dsp" && config.connector != "edc") {
            return Error{Code::invalid_argument, "config.link", "connector: expected dsp or edc, found \"" + config.connector + "\""};
        }
        ENTENTE_ASSIGN(auto http, make_http_client({config.url, config.ca_file, config.tls_certificate, config.tls_key}));
        if (config.connector == "edc") return std::unique_ptr<Link>(std::make_unique<EdcLink>(config, std::move(http), std::move(say)));
        if (!config.connector.empty()) return std::unique_ptr<Link>(std::make_unique<DspLink>(config, std::move(http), std::move(say)));
        return std::unique_ptr<Link>(std::make_unique<HubLink>(config, std::move(http)));
    }
    if (!config.url.empty()) {
        return Error{Code::invalid_argument, "config.link", "expected --url or --folder, found both"};
    }
    return std::unique_ptr<Link>(std::make_unique<FolderLink>(config, std::move(stopping), std::move(say)));
}

}  // namespace entente::native
