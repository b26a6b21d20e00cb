// The API: from requests to the host and back. Everything but body_rule() and the embedded pages runs on one strand,
// which is given as `post`.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "api/routes.hpp"
#include "entente/data/dataset.hpp"
#include "http/handler.hpp"
#include "http/rate_limits.hpp"
#include "identity/gatekeeper.hpp"
#include "proof/ledger_blobs.hpp"
#include "server/host.hpp"

namespace entente::native {

class DspMailbox;
class DspService;

struct AppOptions {
    std::function<void(std::function<void()>)> post;  // runs on the strand
    Host& host;
    JoinCodes& identity;
    std::shared_ptr<Issuer> issuer;        // null: no identity provider
    std::string audience = {};             // what its tokens are made out to
    ClaimNames claims;
    std::string sign_in = {};              // a JSON object for the pages: with whom they sign people in; empty: with nobody
    std::string sign_in_origin = {};       // that the pages may ask for tokens
    BlobStore& blobs;
    StateStore& store;
    codec::PublicKey coordinator_key;
    Bytes plan_envelope;                   // signed
    bool auditors_read_updates = false;    // that are stored
    std::filesystem::path sample_folder;   // empty: none
    std::filesystem::path web_folder;      // empty: the pages in the binary
    std::string origin;                    // "http://127.0.0.1:8443", for join links and WebSockets
    http::Rate partner_rate = {};          // for each of those who say who they are
    http::Rate address_rate = {};          // for all others, by their address
    bool behind_proxy = false;             // the last address in X-Forwarded-For is the caller's
    // Runs on the strand, later; empty: at once.
    std::function<void(std::int64_t ms, std::function<void()>)> after = {};
};

class App final : public http::Handler {
public:
    explicit App(AppOptions options);

    // http::Handler
    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override;
    [[nodiscard]] http::Response body_refused(const http::Request& request, const Error& error) const override;
    void handle(http::Request request, http::Reply reply) override;
    void begin_upload(http::Request request, UploadStarted started) override;
    void subscribe(http::Caller caller, std::weak_ptr<http::Subscriber> subscriber, std::function<void(bool)> answer) override;
    [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request& request) override;

    // Serves the Dataspace Protocol's paths; before the first request.
    void set_connector(DspMailbox* connector) { connector_ = connector; }
    void set_origin(std::string origin) { o_.origin = std::move(origin); }
    void drain() { draining_ = true; }

    // From the host, on the strand.
    void status_changed();
    void ledger_grew(const LedgerRow& row);

    // public_api.cpp
    void healthz(Call& call);
    void readyz(Call& call);
    void metrics(Call& call);
    void openapi(Call& call);
    void federation(Call& call);
    void plan(Call& call);
    void invitation(Call& call);
    void join(Call& call);
    void enrol(Call& call);
    void sample(Call& call);
    // hub_api.cpp
    void hub_view(Call& call);
    void hub_publish(Call& call);
    void hub_withdraw(Call& call);
    void hub_negotiate(Call& call);
    void hub_open(Call& call);
    void hub_content(Call& call);
    void hub_outcome(Call& call);
    void hub_heartbeat(Call& call);
    void rotate_key(Call& call);
    void leave(Call& call);
    void register_connector(Call& call);
    void me(Call& call);
    // proof_api.cpp
    void log_checkpoint(Call& call);
    void log_tile(Call& call);
    void log_consistency(Call& call);
    void log_proof(Call& call);
    void log_cosign(Call& call);
    void receipt(Call& call);
    void evidence(Call& call);
    void ledger_entries(Call& call);
    void blob(Call& call);
    // operator_api.cpp
    void status(Call& call);
    void invite(Call& call);
    void ledger(Call& call);
    void agreements(Call& call);
    void connector(Call& call);
    void model(Call& call);
    void model_safetensors(Call& call);
    void remove_participant(Call& call);
    void suspend_participant(Call& call);
    void resume_participant(Call& call);

private:
    struct Activity {  // what a partner said about itself, for people
        std::string activity;
        double progress = 0;
        double examples_per_second = 0;
        std::uint64_t bytes_down = 0;
    };
    struct Listener {
        std::weak_ptr<http::Subscriber> subscriber;
        Principal who;
    };
    class HubUpload;

    [[nodiscard]] DspService* protocol(const http::Request& request) const;
    void dispatch(http::Request request, http::Reply reply);
    void authorise(const Match& match, const http::Request& request, std::function<void(std::optional<http::Response>, Principal)> next);
    void answer_joined(Call& call, const Result<JoinCodes::Joined>& joined, const codec::PublicKey& key);
    void begin_authorised(http::Request& request, const std::string& participant, const std::string& asset, const UploadStarted& started);
    // limits.cpp. A response: not now.
    [[nodiscard]] std::optional<http::Response> too_often(http::RateLimits& limits, const std::string& key, double cost = 1);
    [[nodiscard]] std::optional<http::Response> stranger_too_often(const http::Request& request, double cost = 1);
    [[nodiscard]] std::optional<http::Response> member_too_often(const Principal& who);
    [[nodiscard]] std::optional<http::Response> too_often_unasked(const http::Request& request);  // of a route that is everybody's
    [[nodiscard]] std::string remote_of(const http::Request& request) const;
    void tell_status();
    void forget_listeners();
    void end_listeners(const std::string& participant);
    void finish_upload(const std::string& participant, const std::string& asset, const contract::Version& version,
                       Result<Digest> blob, const http::Reply& reply);
    [[nodiscard]] std::string status_json(const Principal& who) const;
    [[nodiscard]] std::string participant_json(const round::coordinator::ParticipantView& p) const;
    Result<Bytes> model_envelope() const;

    AppOptions o_;
    Gatekeeper gate_;
    LedgerBlobs ledger_blobs_;
    std::atomic<DspMailbox*> connector_ = nullptr;
    std::map<std::string, Activity> activities_;
    std::vector<Listener> listeners_;
    std::map<std::string, std::uint64_t> counters_;  // for /metrics
    bool draining_ = false;
    bool status_queued_ = false;
    http::RateLimits partner_limits_{o_.partner_rate};
    http::RateLimits address_limits_{o_.address_rate};
    http::RateLimits connector_limits_{http::Rate{5 * o_.address_rate.per_s, 5 * o_.address_rate.burst}};  // who speaks the data space's protocol
    std::atomic<std::uint64_t> limited_ = 0;
};

// What is happening and what happens next.
std::string status_sentence(const round::coordinator::View& view, const plan::Plan& plan, std::int64_t now_ms);
std::string ledger_row_json(const LedgerRow& row);

}  // namespace entente::native
