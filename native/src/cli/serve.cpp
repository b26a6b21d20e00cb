#include "cli/serve.hpp"

#include <sys/resource.h>

#include <csignal>
#include <thread>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "api/app.hpp"
#include "cli/endpoint.hpp"
#include "cli/key_file.hpp"
#include "commands/digits.hpp"
#include "commands/plan_file.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "http/listener.hpp"
#include "proof/manifest.hpp"
#include "net/address.hpp"
#include "server/connector_registration.hpp"
#include "server/dsp_mailbox.hpp"
#include "server/folder_mailbox.hpp"
#include "store/folder_lock.hpp"
#include "store/format.hpp"

namespace entente::native {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto drain_time = std::chrono::milliseconds(1'500);
constexpr std::uint64_t most_connections = 16'384;
constexpr std::size_t few_connections = 768;
constexpr std::uint64_t own_files = 256;  // databases, updates on their way to the disk, calls to others

Status check_exposure(const ServeOptions& o, const Endpoint& endpoint) {
    if (o.tls_certificate.empty() != o.tls_key.empty()) {
        return Error{Code::invalid_argument, "usage.tls", "--tls-cert and --tls-key belong together: give both or none"};
    }
    if (!o.client_ca.empty() && o.tls_certificate.empty()) {
        return Error{Code::invalid_argument, "usage.tls", "--client-ca needs --tls-cert and --tls-key: certificates are shown to whoever does TLS"};
    }
    if (endpoint.loopback || o.behind_proxy || !o.tls_certificate.empty()) return done();
    return Error{Code::invalid_argument, "config.exposed",
                 "--listen " + o.listen + " is reachable from other machines, and without TLS tokens would travel in the "
                 "clear; give --tls-cert and --tls-key, or --behind-proxy if a proxy in front of it does TLS"};
}

// The plan of an existing data folder is the folder's: another one needs another folder.
Result<plan::Plan> settle_plan(const ServeOptions& o, StateStore& store, commands::Environment& environment) {
    ENTENTE_ASSIGN(const auto stored, store.meta("plan"));
    if (stored && o.plan_file.empty()) return plan::from_canonical_bytes(*stored);
    ENTENTE_ASSIGN(plan::Plan plan, commands::read_plan_file(o.plan_file, environment));
    const Bytes bytes = plan::canonical_bytes(plan);
    if (!stored) {
        ENTENTE_TRY(store.set_meta("plan", bytes));
    } else if (*stored != bytes) {
        return Error{Code::conflict, "plan.other",
                     o.data_folder + " belongs to a federation with another plan; start with its plan, or with another --data folder"};
    }
    return plan;
}

Result<std::uint64_t> rounds_kept(const std::string& text) {
    if (text == "all") return ~std::uint64_t{0};
    if (text == "none") return std::uint64_t{0};
    if (!text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos) return std::uint64_t{std::stoull(text)};
    return Error{Code::invalid_argument, "usage.keep-updates", "--keep-updates: expected a number of rounds, all or none, found \"" + text + "\""};
}

Result<Bytes> sign_plan(const plan::Plan& plan, const codec::SigningKey& key) {
    codec::FrameHeader header;
    header.federation = plan.federation.id;
    header.sender = plan.federation.coordinator;
    header.plan = plan::digest_of(plan);
    header.schema = plan::schema_digest(plan);
    return codec::encode_frame(codec::FrameKind::plan, std::move(header), plan::canonical_bytes(plan), key);
}

class Server {
public:
    Server(const ServeOptions& options, commands::Environment& environment) : o_(options), environment_(environment) {}

    Status run() {
        ENTENTE_ASSIGN(const Endpoint endpoint, read_listen(o_.listen));
        ENTENTE_TRY(check_exposure(o_, endpoint));
        ENTENTE_ASSIGN(const std::uint64_t keep_rounds, rounds_kept(o_.keep_updates));
        ENTENTE_TRY(make_directory(o_.data_folder));
        ENTENTE_ASSIGN(const FolderLock lock, FolderLock::take(o_.data_folder));
        ENTENTE_TRY(drop_temporaries(o_.data_folder, {"blobs", "spool"}));
        ENTENTE_TRY(drop_manifest(o_.data_folder));
        ENTENTE_TRY(run_on_folder(endpoint, keep_rounds));
        // All files are closed. A list that cannot be written must not make a good end a bad one.
        ENTENTE_ASSIGN(const codec::SigningKey key, load_or_make_key(o_.data_folder + "/coordinator.key"));
        if (Status listed = write_manifest(o_.data_folder, federation_, key); !listed.ok()) commands::report(listed.error(), environment_);
        if (!o_.quiet) environment_.print("  Stopped; everything that was acknowledged is on disk.\n");
        return done();
    }

private:
    Status run_on_folder(const Endpoint& endpoint, std::uint64_t keep_rounds) {
        constexpr bool shared = true;  // with entente backup; the folder's lock keeps other coordinators away
        ENTENTE_ASSIGN(StateStore store, StateStore::open(o_.data_folder + "/entente.db", shared));
        if (const auto was = store.upgraded_from()) upgrade_news(*was);
        ENTENTE_ASSIGN(BlobStore blobs, BlobStore::open(o_.data_folder));
        ENTENTE_ASSIGN(const plan::Plan plan, settle_plan(o_, store, environment_));
        ENTENTE_ASSIGN(codec::SigningKey key, load_or_make_key(o_.data_folder + "/coordinator.key"));
        ENTENTE_ASSIGN(JoinCodes identity, JoinCodes::open(store));
        identity.set_token_life(1000 * o_.token_life_s);
        ENTENTE_ASSIGN(std::shared_ptr<Issuer> issuer, make_issuer());
        ENTENTE_ASSIGN(Bytes envelope, sign_plan(plan, key));
        const codec::PublicKey public_key = key.public_key();
        public_key_ = public_key;
        federation_ = plan.federation.id;
        const Bytes plan_for_folder = envelope;

        ENTENTE_ASSIGN(codec::SigningKey log_key, load_or_make_key(o_.data_folder + "/coordinator.key"));
        ENTENTE_ASSIGN(const auto log, TransparencyLog::open({o_.data_folder + "/log", plan.federation.id, std::move(log_key)}));

        HostOptions host_options{.plan = plan, .key = std::move(key), .store = store, .blobs = blobs, .log = *log, .keep_rounds = keep_rounds,
                                 .arm_timer = [this](std::int64_t ms) { arm(ms); },
                                 .on_ledger = [this](const LedgerRow& row) { ledger(row); },
                                 .on_change = [this] {
                                     if (app_) app_->status_changed();
                                     if (dsp_) dsp_->settle();
                                 },
                                 .on_model = {}, .on_failure = [this](const Error& error) { fail(error); },
                                 .negotiate = [this](const std::string& participant, const contract::Agreement& proposal,
                                                     contract::Completion<contract::Agreement> completion) {
                                     return dsp_ && dsp_->negotiate(participant, proposal, std::move(completion));
                                 }};
        ENTENTE_TRY(prepare_evaluation(plan, host_options));
        ENTENTE_ASSIGN(host_, Host::open(std::move(host_options)));
        AppOptions app_options{.post = [this](std::function<void()> work) { asio::post(strand_, std::move(work)); },
                               .host = *host_, .identity = identity, .issuer = issuer, .audience = o_.audience,
                               .claims = {.roles = o_.roles_claim, .company = o_.company_claim}, .blobs = blobs, .store = store,
                               .coordinator_key = public_key, .plan_envelope = std::move(envelope),
                               .auditors_read_updates = o_.auditors_read_updates,
                               .sample_folder = o_.sample_folder, .web_folder = o_.web_folder, .origin = {}};
        if (issuer) {
            app_options.sign_in = commands::JsonObject().text("issuer", o_.issuer).text("client_id", o_.web_client).text("scope", o_.web_scope).str();
            ENTENTE_ASSIGN(const Url url, read_url(o_.issuer));
            app_options.sign_in_origin = url.origin();
        }
        app_options.partner_rate = {o_.partner_rate, 10 * o_.partner_rate};
        app_options.address_rate = {o_.address_rate, 20 * o_.address_rate};
        app_options.behind_proxy = o_.behind_proxy;
        app_options.after = [this](std::int64_t ms, std::function<void()> work) { after(ms, std::move(work)); };
        App app(std::move(app_options));
        const std::size_t connections = places();
        http::Listener listener(io_, app, {.address = endpoint.address, .port = endpoint.port,
                                           .tls_certificate = o_.tls_certificate, .tls_key = o_.tls_key, .client_ca = o_.client_ca,
                                           .max_connections = connections, .max_per_address = o_.behind_proxy ? connections : connections / 4,
                                           .head_timeout_ms = o_.head_timeout_ms, .body_grace_ms = o_.body_grace_ms});
        ENTENTE_TRY(listener.start());
        const std::string origin = origin_of(endpoint, listener.port());
        app.set_origin(origin);
        app_ = &app;
        ENTENTE_TRY(host_->start());
        ENTENTE_TRY(open_folder(plan_for_folder, blobs));
        ENTENTE_TRY(open_connector(endpoint, listener.port(), origin, blobs, store, identity, app));
        ENTENTE_TRY(greet(plan, identity, origin));
        wait_for_signals(listener);
        if (!o_.tls_certificate.empty()) {
            hangup_.add(SIGHUP);
            wait_for_renewals(listener);
        }
        std::thread second([this] { io_.run(); });
        io_.run();
        second.join();
        app_ = nullptr;
        dsp_.reset();
        host_->drain();
        if (failure_) return *failure_;
        return done();
    }

    Result<std::shared_ptr<Issuer>> make_issuer() {
        if (o_.issuer.empty() && !o_.client_secret_file.empty()) {
            return Error{Code::invalid_argument, "usage.issuer", "--client-secret-file is for signing in at an --issuer: give both or none"};
        }
        if (o_.issuer.empty()) return std::shared_ptr<Issuer>();
        ENTENTE_TRY(check_issuer_url(o_.issuer));
        if (o_.audience.empty()) return Error{Code::invalid_argument, "usage.audience", "--audience: expected what tokens for this coordinator are made out to"};
        ENTENTE_ASSIGN(AskIssuer ask, make_issuer_client(io_, o_.ca_file));
        return Issuer::make({.issuer = o_.issuer, .ask = std::move(ask), .now_ms = now_ms});
    }

    Status open_folder(const Bytes& plan_envelope, BlobStore& blobs) {
        if (o_.folder.empty() != o_.folder_partners.empty()) {
            return Error{Code::invalid_argument, "usage.folder", "--folder and --folder-partners belong together: give both or none"};
        }
        if (o_.folder.empty()) return done();
        ENTENTE_ASSIGN(codec::SigningKey key, load_or_make_key(o_.data_folder + "/coordinator.key"));
        ENTENTE_ASSIGN(mailbox_, FolderMailbox::open({.root = o_.folder, .partners_file = o_.folder_partners, .plan_envelope = plan_envelope,
                                                      .key = std::move(key), .host = *host_, .blobs = blobs,
                                                      .say = [this](const std::string& text) { folder_news(text); }}));
        look_into_folder();
        return done();
    }

    void look_into_folder() {
        folder_timer_.expires_after(std::chrono::milliseconds(mailbox_->step()));
        folder_timer_.async_wait(asio::bind_executor(strand_, [this](error_code ec) {
            if (!ec && app_) look_into_folder();
        }));
    }

    // Partners with connectors of their own register them when they come.
    Status open_connector(const Endpoint& endpoint, std::uint16_t port, const std::string& origin, BlobStore& blobs, StateStore& store,
                          const JoinCodes& identity, App& app) {
        ENTENTE_ASSIGN(codec::SigningKey key, load_or_make_key(o_.data_folder + "/coordinator.key"));
        VouchedBy vouched_by;
        if (!o_.client_secret_file.empty()) {
            ENTENTE_ASSIGN(const std::string secret, read_secret(o_.client_secret_file));
            vouched_by = {.issuer = o_.issuer, .client = {o_.client_id, secret}, .company_claim = o_.company_claim, .ca_file = o_.ca_file};
        }
        ENTENTE_ASSIGN(dsp_, DspMailbox::open({.io = io_, .post = [this](std::function<void()> work) { asio::post(strand_, std::move(work)); },
                                               .host = *host_, .blobs = blobs, .key = std::move(key), .folder = o_.data_folder, .origin = origin,
                                               .port = port, .loopback = endpoint.loopback && o_.tls_certificate.empty(), .networks = o_.networks,
                                               .ca_file = o_.ca_file, .vouched_by = std::move(vouched_by), .mock_identity = o_.mock_identity,
                                               .say = [this](const std::string& text) { connector_news(text); }}));
        for (const auto& participant : host_->view().participants) {
            ENTENTE_ASSIGN(const auto known, store.meta("connector." + participant.id));
            const Account* const account = identity.find(participant.id);
            if (!known || account == nullptr) continue;
            const std::string registered(reinterpret_cast<const char*>(known->data()), known->size());
            const auto peer = read_registration(participant.id, registered);
            const Status good = peer.ok() ? dsp_->know(*peer, account->key) : Status(peer.error());
            if (!good.ok()) connector_news(participant.id + ": " + good.error().message);
        }
        app.set_connector(dsp_.get());
        asio::post(strand_, [this] {
            dsp_->start();
            look_at_connectors();
        });
        return done();
    }

    void look_at_connectors() {
        dsp_timer_.expires_after(std::chrono::milliseconds(dsp_->step()));
        dsp_timer_.async_wait(asio::bind_executor(strand_, [this](error_code ec) {
            if (!ec && app_) look_at_connectors();
        }));
    }

    void connector_news(const std::string& text) {
        if (o_.quiet) return;
        environment_.print(o_.json ? commands::JsonObject().text("event", "connector").text("sentence", text).str() + "\n" : "  Connector    " + commands::printable(text) + "\n");
    }

    void folder_news(const std::string& text) {
        if (o_.quiet) return;
        environment_.print(o_.json ? commands::JsonObject().text("event", "folder").text("sentence", text).str() + "\n" : "  Folder       " + text + "\n");
    }

    std::string origin_of(const Endpoint& endpoint, std::uint16_t port) const {
        if (!o_.public_url.empty()) return o_.public_url.ends_with('/') ? o_.public_url.substr(0, o_.public_url.size() - 1) : o_.public_url;
        const bool v6 = endpoint.address.find(':') != std::string::npos;
        return std::string(o_.tls_certificate.empty() ? "http://" : "https://") + (v6 ? "[" : "") + endpoint.address +
               (v6 ? "]" : "") + ":" + std::to_string(port);
    }

    Status greet(const plan::Plan& plan, JoinCodes& identity, const std::string& origin) {
        ENTENTE_ASSIGN(const auto made, identity.first_operator_token([&](const std::string& token) -> Status {
            if (!o_.operator_token_file.empty()) ENTENTE_TRY(write_file(o_.operator_token_file, as_bytes(std::string_view(token)), 0600));
            introduce(plan, origin, token);
            return done();
        }));
        if (!made) introduce(plan, origin, {});
        return done();
    }

    // `token`: empty behind the first start.
    void introduce(const plan::Plan& plan, const std::string& origin, const std::string& token) {
        if (o_.json) {
            commands::JsonObject line;
            line.text("event", "listening").text("url", origin).text("federation", plan.federation.id);
            line.text("plan_digest", to_hex(plan::digest_of(plan))).text("coordinator_key", codec::to_hex(public_key_));
            if (!token.empty()) line.text("operator_token", token);
            environment_.print(line.str() + "\n");
            return;
        }
        environment_.print("  Federation   " + plan.federation.id + "   (operator " + plan.federation.operator_name + ")\n");
        environment_.print("  Plan         " + short_hex(plan::digest_of(plan)) + "   " + std::to_string(plan.round.rounds) +
                           " rounds, at least " + std::to_string(plan.round.min_cohort) + " partners\n");
        environment_.print("  Data         " + o_.data_folder + "\n");
        environment_.print("  Listening    " + origin + "\n");
        if (!o_.issuer.empty()) environment_.print("  Sign-in      " + o_.issuer + "   (tokens for " + o_.audience + ")\n");
        if (mailbox_) {
            environment_.print("  Folder       " + o_.folder + "   for partners without a network, listed in " + o_.folder_partners + "\n");
            environment_.print("  Key          " + codec::to_hex(public_key_) + "   (they need it: entente join --folder DIR --coordinator-key …)\n");
        }
        if (!token.empty()) {
            environment_.print("  Operator     " + token + "   (shown once; keep it)\n");
            environment_.print("  Next         ENTENTE_TOKEN=… entente invite --url " + origin + " --partner plant-a\n");
        }
    }

    Status prepare_evaluation(const plan::Plan& plan, HostOptions& host_options) {
        if (plan.task.table && (!o_.evaluate_folder.empty() || !o_.sample_folder.empty())) {
            return Error{Code::invalid_argument, "config.task", "--evaluate, --sample: expected only with a plan on digits; the partners of a task on tables score its models themselves"};
        }
        if (o_.evaluate_folder.empty()) return done();
        ENTENTE_ASSIGN(commands::DigitsFolder digits, commands::read_digits_folder(o_.evaluate_folder, environment_));
        auto scored = [this](const Digest& model, const task::Score& score) {
            asio::post(strand_, [this, model, score] {
                host_->history().scored(model, score);
                if (app_) app_->status_changed();
            });
        };
        evaluator_ = std::make_unique<Evaluator>(plan.task, digits.test ? digits.test : digits.train,
                                                 std::vector<std::uint32_t>{}, false, std::move(scored));
        host_options.on_model = [this](std::shared_ptr<const std::vector<float>> parameters, const Digest& model) {
            evaluator_->submit(model, *parameters);
        };
        return done();
    }

    // As many connections as the system lets files be open, less those that the work needs.
    static std::size_t places() {
        rlimit files{};
        if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return few_connections;
        files.rlim_cur = files.rlim_max;
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
        static_cast<void>(::getrlimit(RLIMIT_NOFILE, &files));
        const std::uint64_t own = std::min<std::uint64_t>(files.rlim_cur / 4, own_files);
        return static_cast<std::size_t>(std::min<std::uint64_t>(files.rlim_cur - own, most_connections));
    }

    void after(std::int64_t ms, std::function<void()> work) {
        auto timer = std::make_shared<asio::steady_timer>(io_, std::chrono::milliseconds(ms));
        timer->async_wait(asio::bind_executor(strand_, [this, timer, work = std::move(work)](error_code ec) {
            if (!ec && app_) work();
        }));
    }

    void arm(std::int64_t ms) {
        timer_.expires_after(std::chrono::milliseconds(ms));
        timer_.async_wait(asio::bind_executor(strand_, [this](error_code ec) {
            if (!ec && app_) host_->on_timer();
        }));
    }

    void ledger(const LedgerRow& row) {
        if (app_) app_->ledger_grew(row);
        if (o_.quiet) return;
        const bool told = row.kind.starts_with("round.") || row.kind.starts_with("participant.") || row.kind == "update.refused" ||
                          row.kind == "model.published";
        if (!told) return;
        if (o_.json) {
            environment_.print(commands::JsonObject().text("event", "ledger").raw("entry", ledger_row_json(row)).str() + "\n");
        } else {
            environment_.print("  " + policy::format_instant(row.at_ms / 1000 * 1000).substr(11, 8) + "     " + row.summary + "\n");
        }
    }

    void fail(const Error& error) {
        failure_ = error;
        io_.stop();
    }

    // SIGTERM drains: no new connections, waits are answered, what runs may end.
    void wait_for_signals(http::Listener& listener) {
        signals_.async_wait(asio::bind_executor(strand_, [this, &listener](error_code ec, int) {
            if (ec) return;
            listener.stop();
            app_->drain();
            host_->drain();
            drain_timer_.expires_after(drain_time);
            drain_timer_.async_wait([this](error_code) { io_.stop(); });
        }));
    }

    // SIGHUP, as programs that renew certificates send it: without a restart, and without ending what runs.
    void wait_for_renewals(http::Listener& listener) {
        hangup_.async_wait(asio::bind_executor(strand_, [this, &listener](error_code ec, int) {
            if (ec) return;
            const Status read = listener.reload();
            certificate_news(read.ok() ? "read again" : read.error().message + "; the old one stays");
            wait_for_renewals(listener);
        }));
    }

    void upgrade_news(std::int64_t was) {
        const std::string text = "taken from format " + std::to_string(was) + " to " + std::to_string(newest_format) + "; entente migrate takes it back";
        if (o_.quiet) return;
        environment_.print(o_.json ? commands::JsonObject().text("event", "upgraded").text("sentence", text).str() + "\n" : "  Data         " + text + "\n");
    }

    void certificate_news(const std::string& text) {
        if (o_.quiet) return;
        environment_.print(o_.json ? commands::JsonObject().text("event", "certificate").text("sentence", text).str() + "\n" : "  Certificate  " + text + "\n");
    }

    const ServeOptions& o_;
    commands::Environment& environment_;
    asio::io_context io_{2};
    asio::strand<asio::io_context::executor_type> strand_{asio::make_strand(io_)};
    asio::steady_timer timer_{io_};
    asio::steady_timer drain_timer_{io_};
    asio::steady_timer folder_timer_{io_};
    asio::steady_timer dsp_timer_{io_};
    asio::signal_set signals_{io_, SIGTERM, SIGINT};
    asio::signal_set hangup_{io_};
    std::unique_ptr<Host> host_;
    std::unique_ptr<FolderMailbox> mailbox_;
    std::unique_ptr<DspMailbox> dsp_;
    codec::PublicKey public_key_;
    std::string federation_;
    std::unique_ptr<Evaluator> evaluator_;
    App* app_ = nullptr;
    std::optional<Error> failure_;
};

}  // namespace

int serve(const ServeOptions& options, commands::Environment& environment) {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is a full disk, not the end
    Server server(options, environment);
    const Status ended = server.run();
    return ended.ok() ? commands::exit_done : commands::report(ended.error(), environment);
}

}  // namespace entente::native
