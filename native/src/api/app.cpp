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

constexpr std::uint64_t small_body_bytes = 64 * 1024;

}  // namespace

App::App(AppOptions options) : o_(std::move(options)) {}

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

void App::handle(Request request, http::Reply reply) {
    if (DspService* service = protocol(request)) return service->handle(std::move(request), std::move(reply));
    const bool api = request.path.starts_with("/api/") || find_route(request.method, request.path).path_known;
    if (!api) return reply(web_page(request, o_.web_folder));
    auto shared = std::make_shared<Request>(std::move(request));
    o_.post([this, shared, reply = std::move(reply)] { dispatch(std::move(*shared), reply); });
}

// Permission first, in one place, before any handler runs.
std::optional<Response> App::authorise(const Match& match, const Request& request, Principal& who) {
    if (match.route == nullptr) {
        if (match.path_known) return problem(405, "http.method", "this path does not know the method " + request.method);
        return problem(404, "http.not-found", "there is nothing at " + request.path);
    }
    if (match.route->roles == public_access) return std::nullopt;
    const auto known = o_.identity.authenticate(request.bearer);
    if (!known) {
        return problem(401, "auth.unknown-token",
                       request.bearer.empty() ? "expected a bearer token, found none" : "this token is not known");
    }
    if ((match.route->roles & static_cast<unsigned>(known->role)) == 0) {
        return problem(403, "auth.role", "the role " + std::string(to_string(known->role)) + " may not do this");
    }
    who = *known;
    return std::nullopt;
}

void App::dispatch(Request request, http::Reply reply) {
    ++counters_["requests"];
    Match match = find_route(request.method, request.path);
    Principal who;
    if (auto refused = authorise(match, request, who)) return reply(std::move(*refused));
    if (who.role == Role::partner && !who.id.empty()) o_.host.seen(who.id);
    Call call{std::move(request), std::move(match.parameters), std::move(who), std::move(reply)};
    (this->*match.route->handle)(call);
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
        Principal who;
        if (auto refused = authorise(match, *shared, who)) return started(nullptr, std::move(*refused));
        o_.host.seen(who.id);
        const std::string& asset = match.parameters.at(0);
        auto content = digest_from_hex(shared->query["content"]);
        const std::string round = shared->query["round"];
        if (!content.ok() || round.empty() || round.size() > 18 || round.find_first_not_of("0123456789") != std::string::npos) {
            return started(nullptr, problem(400, "http.query", "expected ?round=NUMBER&content=64 hexadecimal digits"));
        }
        if (Status may = o_.host.space().may_deliver(who.id, asset); !may.ok()) return started(nullptr, problem(may.error()));
        // Under agreements that have all run out nothing would be fetched any more: the sender hears of it here.
        const Status use = o_.host.space().exchange().may_deliver(who.id, asset, std::stoull(round), now_ms());
        if (!use.ok()) return started(nullptr, problem(use.error()));
        auto file = o_.blobs.begin(shared->content_length);
        if (!file.ok()) return started(nullptr, problem(file.error()));
        const contract::Version version{std::stoull(round), *content, shared->content_length};
        started(std::make_shared<HubUpload>(*this, std::move(file).value(), who.id, asset, version), {});
    });
}

void App::finish_upload(const std::string& participant, const std::string& asset, const contract::Version& version,
                        Result<Digest> blob, const http::Reply& reply) {
    if (!blob.ok()) return reply(problem(blob.error()));
    if (Status taken = o_.host.uploaded(participant, asset, version, *blob); !taken.ok()) return reply(problem(taken.error()));
    ++counters_["uploads"];
    counters_["bytes_up"] += version.size_bytes;
    reply(http::json("{}", 202));
}

void App::subscribe(std::string token, std::weak_ptr<http::Subscriber> subscriber, std::function<void(bool)> answer) {
    o_.post([this, token = std::move(token), subscriber = std::move(subscriber), answer = std::move(answer)] {
        const auto who = o_.identity.authenticate(token);
        answer(who.has_value());
        if (!who) return;
        listeners_.push_back({subscriber, *who});
        if (auto socket = subscriber.lock()) socket->push(std::make_shared<const std::string>(status_json(*who)), true);
    });
}

bool App::origin_allowed(const Request& request) const {
    const std::string origin = request.header("origin");
    if (origin.empty()) return true;  // not a browser
    const std::string host = request.header("host");
    return origin == "http://" + host || origin == "https://" + host;
}

// Many changes in one go become one frame.
void App::status_changed() {
    if (status_queued_ || listeners_.empty()) return;
    status_queued_ = true;
    o_.post([this] {
        status_queued_ = false;
        std::erase_if(listeners_, [](const Listener& l) { return l.subscriber.expired(); });
        for (const Listener& listener : listeners_) {
            if (auto socket = listener.subscriber.lock()) {
                socket->push(std::make_shared<const std::string>(status_json(listener.who)), true);
            }
        }
    });
}

void App::ledger_grew(const LedgerRow& row) {
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
