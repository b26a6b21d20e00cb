#include "api/app.hpp"

#include <algorithm>

#include "api/web_pages.hpp"
#include "commands/text.hpp"
#include "server/dsp_mailbox.hpp"

namespace entente::native {

using http::BodyKind;
using http::BodyRule;
using http::problem;
using http::Request;
using http::Response;

namespace {

constexpr double wrong_token_cost = 10;
constexpr std::size_t most_sockets = 64;     // of one partner
constexpr std::size_t crowd = 100;           // of WebSockets, from which on
constexpr std::int64_t crowd_pause_ms = 250;  // the status is told no more often than this

// What is left of a request when its caller has to be counted later.
Request nameless(const Request& request) {
    Request caller;
    caller.remote = request.remote;
    if (const std::string forwarded = request.header("x-forwarded-for"); !forwarded.empty()) caller.headers.emplace("x-forwarded-for", forwarded);
    return caller;
}

// RFC 6750, section 3: what was wrong with the token, in the words that clients know.
Response refusal(const Error& error) {
    Response response = problem(error);
    std::erase_if(response.headers, [](const auto& field) { return field.first == "WWW-Authenticate"; });
    if (error.code == Code::unauthenticated) {
        response.headers.emplace_back("WWW-Authenticate", error.reason == "auth.no-token" ? "Bearer" : "Bearer error=\"invalid_token\"");
    } else if (error.code == Code::permission_denied) {
        response.headers.emplace_back("WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
    }
    return response;
}

}  // namespace

App::App(AppOptions options)
    : o_(std::move(options)), gate_({.codes = o_.identity, .issuer = o_.issuer, .audience = o_.audience, .claims = o_.claims,
             .coordinator = o_.host.machine().plan().federation.coordinator, .post = o_.post}),
      ledger_blobs_(o_.store) {}

// The data space's paths are answered by the connector, whoever asks.
DspService* App::protocol(const Request& request) const {
    DspMailbox* const connector = connector_;
    return connector != nullptr && connector->service().serves(request.path) ? &connector->service() : nullptr;
}

BodyRule App::body_rule(const Request& request) const {
    if (const DspService* service = protocol(request)) return service->body_rule(request);
    const Match match = find_route(request.method, request.path);
    if (match.route == nullptr) return {BodyKind::none, small_body_bytes, false};
    switch (match.route->body) {
        case BodyKind::none: return {BodyKind::none, 0, match.route->long_poll};
        case BodyKind::small: return {BodyKind::small, small_body_bytes, false};
        case BodyKind::upload: break;
    }
    // The plan says how large an update can be: more is refused before a byte of it is read.
    return {BodyKind::upload, plan::envelope_limit(plan::update_limits(o_.host.machine().plan())), false};
}

Response App::body_refused(const Request& request, const Error& error) const {
    const DspService* service = protocol(request);
    return service ? service->body_refused(request, error) : Handler::body_refused(request, error);
}

void App::handle(Request request, http::Reply reply) {
    if (DspService* service = protocol(request)) {
        if (auto refused = too_often(connector_limits_, http::address_key(remote_of(request)))) return reply(std::move(*refused));
        return service->handle(std::move(request), std::move(reply));
    }
    const bool api = request.path.starts_with("/api/") || find_route(request.method, request.path).path_known;
    if (!api) {
        if (auto refused = stranger_too_often(request)) return reply(std::move(*refused));
        return reply(web_page(request, o_.web_folder, o_.sign_in_origin));
    }
    auto shared = std::make_shared<Request>(std::move(request));
    o_.post([this, shared, reply = std::move(reply)] { dispatch(std::move(*shared), reply); });
}

// Permission first, in one place, before any handler runs.
void App::authorise(const Match& match, const Request& request, std::function<void(std::optional<Response>, Principal)> next) {
    if (match.route == nullptr || match.route->access.is_public()) {
        if (auto refused = too_often_unasked(request)) return next(std::move(refused), {});
    }
    if (match.route == nullptr && match.path_known) return next(problem(405, "http.method", "this path does not know the method " + request.method), {});
    if (match.route == nullptr) return next(problem(404, "http.not-found", "there is nothing at " + request.path), {});
    if (match.route->access.is_public()) return next(std::nullopt, {});
    const Access& access = match.route->access;
    gate_.identify({request.bearer, request.remote, request.certificate}, [this, &access, path = match.route->path, caller = nameless(request), next = std::move(next)](Result<Principal> who) {
        if (!who.ok()) {
            auto refused = who.error().code == Code::unauthenticated ? stranger_too_often(caller, wrong_token_cost) : std::nullopt;
            return next(refused ? std::move(*refused) : refusal(who.error()), {});
        }
        if (auto refused = member_too_often(*who)) return next(std::move(refused), {});
        if (!access.has(who->role)) {
            return next(refusal({Code::permission_denied, "auth.role", "expected the role " + roles_text(access) + ", found " + std::string(to_string(who->role))}), {});
        }
        if (access.joined && !who->joined) {
            return next(refusal({Code::permission_denied, "auth.not-joined", who->id + " has not joined: expected its key on the books first (entente join, or the join page)"}), {});
        }
        // A member that is suspended may still leave.
        const bool acts = access.joined && !access.has(Role::operator_) && path != "/api/v1/leave";
        if (const auto why = acts ? o_.host.suspension(who->id) : std::nullopt) {
            return next(problem(403, "participant.suspended", who->id + " is suspended by the operator: " + *why), {});
        }
        next(std::nullopt, std::move(who).value());
    });
}

void App::dispatch(Request request, http::Reply reply) {
    ++counters_["requests"];
    auto match = std::make_shared<Match>(find_route(request.method, request.path));
    auto shared = std::make_shared<Request>(std::move(request));
    authorise(*match, *shared, [this, match, shared, reply = std::move(reply)](std::optional<Response> refused, Principal who) {
        if (refused) return reply(std::move(*refused));
        if (who.role == Role::partner && who.joined && !who.id.empty()) o_.host.seen(who.id);
        Call call{std::move(*shared), std::move(match->parameters), std::move(who), reply};
        (this->*match->route->handle)(call);
    });
}

// A body that goes straight into the data folder, on the session's thread; only the end comes to the strand.
class App::HubUpload final : public http::Upload {
public:
    HubUpload(App& app, BlobStore::Upload file, std::string participant, std::string asset, contract::Version version)
        : app_(app), file_(std::move(file)), participant_(std::move(participant)), asset_(std::move(asset)), version_(version) {}

    Status append(ByteView piece) override { return file_.append(piece); }

    void finish(http::Reply reply) override {
        auto blob = std::make_shared<Result<Digest>>(file_.finish());  // on disk from here on
        app_.o_.post([&app = app_, participant = participant_, asset = asset_, version = version_, blob, reply = std::move(reply)] {
            app.finish_upload(participant, asset, version, std::move(*blob), reply);
        });
    }

private:
    App& app_;
    BlobStore::Upload file_;
    std::string participant_;
    std::string asset_;
    contract::Version version_;
};

void App::begin_upload(Request request, UploadStarted started) {
    if (DspService* service = protocol(request)) return service->begin_upload(std::move(request), std::move(started));
    auto shared = std::make_shared<Request>(std::move(request));
    o_.post([this, shared, started = std::move(started)] {
        const Match match = find_route(shared->method, shared->path);
        authorise(match, *shared, [this, shared, started, asset = match.parameters](std::optional<Response> refused, const Principal& who) {
            if (refused) return started(nullptr, std::move(*refused));
            begin_authorised(*shared, who.id, asset.at(0), started);
        });
    });
}

void App::begin_authorised(Request& request, const std::string& participant, const std::string& asset, const UploadStarted& started) {
    o_.host.seen(participant);
    auto content = digest_from_hex(request.query["content"]);
    const std::string round = request.query["round"];
    if (!content.ok() || round.empty() || round.size() > 18 || round.find_first_not_of("0123456789") != std::string::npos) {
        return started(nullptr, problem(400, "http.query", "expected ?round=NUMBER&content=64 hexadecimal digits"));
    }
    if (Status may = o_.host.space().may_deliver(participant, asset); !may.ok()) return started(nullptr, problem(may.error()));
    // Under agreements that have all run out nothing would be fetched any more: the sender hears of it here.
    const Status use = o_.host.space().exchange().may_deliver(participant, asset, std::stoull(round), now_ms());
    if (!use.ok()) return started(nullptr, problem(use.error()));
    auto file = o_.blobs.begin(request.content_length);
    if (!file.ok()) return started(nullptr, problem(file.error()));
    const contract::Version version{std::stoull(round), *content, request.content_length};
    started(std::make_shared<HubUpload>(*this, std::move(file).value(), participant, asset, version), {});
}

void App::finish_upload(const std::string& participant, const std::string& asset, const contract::Version& version,
                        Result<Digest> blob, const http::Reply& reply) {
    if (!blob.ok()) return reply(problem(blob.error()));
    if (Status taken = o_.host.uploaded(participant, asset, version, *blob); !taken.ok()) return reply(problem(taken.error()));
    ++counters_["uploads"];
    counters_["bytes_up"] += version.size_bytes;
    reply(http::json("{}", 202));
}

void App::subscribe(http::Caller caller, std::weak_ptr<http::Subscriber> subscriber, std::function<void(bool)> answer) {
    o_.post([this, caller = std::move(caller), subscriber = std::move(subscriber), answer = std::move(answer)] {
        gate_.identify(caller, [this, subscriber, answer](Result<Principal> who) {
            bool welcome = who.ok() && who->joined;
            if (welcome && who->role == Role::partner) {
                forget_listeners();
                const auto own = std::count_if(listeners_.begin(), listeners_.end(), [&](const Listener& l) { return l.who.role == Role::partner && l.who.id == who->id; });
                welcome = static_cast<std::size_t>(own) < most_sockets;
            }
            answer(welcome);
            if (!welcome) return;
            listeners_.push_back({subscriber, *who});
            if (auto socket = subscriber.lock()) socket->push(std::make_shared<const std::string>(status_json(*who)), true);
        });
    });
}

// Nothing is told to those whose token has expired; a page comes back with a new one.
void App::forget_listeners() {
    std::erase_if(listeners_, [now = now_ms()](const Listener& l) {
        const bool late = l.who.until_ms != 0 && l.who.until_ms <= now;
        if (auto socket = l.subscriber.lock(); socket && late) socket->end();
        return late || l.subscriber.expired();
    });
}

void App::end_listeners(const std::string& participant) {
    std::erase_if(listeners_, [&participant](const Listener& l) {
        const bool theirs = l.who.role == Role::partner && l.who.id == participant;
        if (auto socket = l.subscriber.lock(); socket && theirs) socket->end();
        return theirs;
    });
}

std::optional<Response> App::refuse_socket(const Request& request) {
    const std::string origin = request.header("origin");  // empty: not a browser
    const std::string host = request.header("host");
    if (!origin.empty() && origin != "http://" + host && origin != "https://" + host) {
        return problem(403, "http.origin", "request: this origin may not open a WebSocket");
    }
    return stranger_too_often(request);
}

// Many changes in one go become one frame.
void App::status_changed() {
    if (status_queued_ || listeners_.empty()) return;
    status_queued_ = true;
    if (listeners_.size() > crowd && o_.after) return o_.after(crowd_pause_ms, [this] { tell_status(); });
    o_.post([this] { tell_status(); });
}

// Operators and auditors see the same, and so do all who look for one partner.
void App::tell_status() {
    status_queued_ = false;
    forget_listeners();
    std::map<std::string, std::shared_ptr<const std::string>> frames;
    for (const Listener& listener : listeners_) {
        const auto socket = listener.subscriber.lock();
        if (!socket) continue;
        auto& frame = frames[listener.who.role == Role::partner ? listener.who.id : std::string()];
        if (!frame) frame = std::make_shared<const std::string>(status_json(listener.who));
        socket->push(frame, true);
    }
}

void App::ledger_grew(const LedgerRow& row) {
    forget_listeners();
    if (listeners_.empty()) return;
    const auto frame = std::make_shared<const std::string>(
        commands::JsonObject().text("type", "ledger").raw("entry", ledger_row_json(row)).str());
    for (const Listener& listener : listeners_) {
        const bool own = row.participant == listener.who.id;
        if (listener.who.role == Role::partner && !own) continue;
        if (auto socket = listener.subscriber.lock()) socket->push(frame, false);
    }
}

}  // namespace entente::native
