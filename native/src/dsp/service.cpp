#include "dsp/service.hpp"

#include "base/crash_point.hpp"
#include "base/files.hpp"
#include "connectors/dsp/terms.hpp"
#include "connectors/dsp/words.hpp"

namespace entente::native {
namespace {

constexpr std::string_view document = "/.well-known/dspace-version";
constexpr std::string_view did_path = "/.well-known/did.json";
constexpr std::uint64_t message_limit = 1024 * 1024;
constexpr std::int64_t store_again_ms = 1'000;

http::Response to_response(const dsp::Answer& answer) {
    http::Response response = http::json(answer.body, answer.status);
    if (!answer.link.empty()) response.headers.emplace_back("Link", answer.link);
    return response;
}

http::Response unavailable(const Error& why = {Code::unavailable, "store.failed", "this connector cannot store anything at present; try again later"}) {
    return http::json(dsp::write_error(dsp::ErrorType::catalog, why), 503);
}

std::size_t offset_of(const http::Request& request) {
    const auto it = request.query.find("offset");
    if (it == request.query.end() || it->second.empty() || it->second.size() > 9) return 0;
    if (it->second.find_first_not_of("0123456789") != std::string::npos) return 0;
    return std::stoul(it->second);
}

}  // namespace

std::string new_urn() {
    Bytes bytes = random_bytes(16);
    bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    std::string hex = to_hex(bytes);
    for (const std::size_t at : {20u, 16u, 12u, 8u}) hex.insert(at, "-");
    return "urn:uuid:" + hex;
}

DspService::DspService(DspOptions options) : o_(std::move(options)), node_(o_.node, o_.behaviour) {}

Result<std::shared_ptr<DspService>> DspService::open(DspOptions options) {
    if (!options.node.new_id) options.node.new_id = new_urn;
    ENTENTE_ASSIGN(ProcessStore::Processes open, options.store.load());
    std::shared_ptr<DspService> service(new DspService(std::move(options)));
    for (dsp::Negotiation& n : open.negotiations) service->node_.restore(std::move(n));
    for (dsp::TransferProcess& t : open.transfers) service->node_.restore(std::move(t));
    return service;
}

void DspService::start() { pump(); }

bool DspService::serves(std::string_view path) const {
    return path == document || (path == did_path && !o_.did_document.empty()) || path == o_.root || path.starts_with(o_.root + "/");
}

http::BodyRule DspService::body_rule(const http::Request& request) const {
    if (o_.data && o_.data->serves(request.path)) return o_.data->body_rule(request);
    return {request.method == "POST" ? http::BodyKind::small : http::BodyKind::none, request.method == "POST" ? message_limit : 0, false};
}

http::Response DspService::body_refused(const http::Request& request, const Error& error) const {
    http::Response response = Handler::body_refused(request, error);
    const std::string base = o_.root + "/" + std::string(dsp::version);
    if (!request.path.starts_with(base + "/")) return response;
    return http::json(dsp::write_error(dsp::error_type(std::string_view(request.path).substr(base.size())), error), response.status);
}

void DspService::begin_upload(http::Request request, UploadStarted started) {
    if (o_.data && o_.data->serves(request.path)) return o_.data->begin_upload(std::move(request), std::move(started));
    started(nullptr, http::problem(404, "http.not-found", "nothing can be put to " + request.path));
}

void DspService::handle(http::Request request, http::Reply reply) {
    if (o_.data && o_.data->serves(request.path)) return o_.data->handle(std::move(request), std::move(reply));
    const std::string path = dsp::without_slash(request.path);
    const std::string base = o_.root + "/" + std::string(dsp::version);
    const bool below_root = path == o_.root + std::string(document);
    if (below_root || path == document) {
        return reply(http::json(dsp::write_versions(below_root ? "/" + std::string(dsp::version) : base, o_.node.participant)));
    }
    if (path == did_path && !o_.did_document.empty()) return reply(http::json(o_.did_document));
    if (!path.starts_with(base + "/")) return reply(http::problem(404, "http.not-found", "there is nothing at " + request.path));
    const std::string header = request.header("authorization");
    auto shared = std::make_shared<http::Request>(std::move(request));
    shared->path = path.substr(base.size());
    o_.identity.verify(header, o_.node.address, [weak = weak_from_this(), shared, reply = std::move(reply), post = o_.post](Result<std::string> caller) {
        post([weak, shared, reply, caller = std::move(caller)] {
            const auto self = weak.lock();
            if (!self) return;
            // Nobody can say who it is: not a refusal, the peer tries again.
            if (!caller.ok() && caller.error().code == Code::unavailable) return reply(unavailable(caller.error()));
            // Whoever is not known is told so by the node, in the protocol's own words.
            self->receive(*shared, caller.ok() ? *caller : std::string(), reply);
        });
    });
}

void DspService::receive(const http::Request& request, const std::string& caller, const http::Reply& reply) {
    if (failed_) return reply(unavailable());
    auto step = std::make_shared<dsp::Step>(node_.receive({request.method, request.path, caller, request.body, offset_of(request)}, now_ms()));
    carry_out(*step, [weak = weak_from_this(), step, reply] {
        if (const auto self = weak.lock()) self->answer(step, reply);
    });
}

void DspService::answer(const std::shared_ptr<dsp::Step>& step, const http::Reply& reply) {
    http::Response response = to_response(step->answer);
    if (step->process() != nullptr) {
        heard(*step);
        response.after_sent = http::when_gone([weak = weak_from_this(), step, post = o_.post] {
            post([weak, step] {
                const auto self = weak.lock();
                if (!self) return;
                crash_point("dsp-answered");
                self->node_.answered(*step);
                self->pump();
            });
        });
    }
    reply(std::move(response));
}

void DspService::heard(const dsp::Step& step) {
    if (o_.data && step.transfer) end_grant(step.transfer->pid);
    if (o_.on_step) o_.on_step(step);
}

// Of a transfer that does not run, or no longer.
void DspService::end_grant(const std::string& transfer) {
    const auto t = node_.transfers().find(transfer);
    if (t == node_.transfers().end() || t->second.state == dsp::TransferState::started || t->second.state == dsp::TransferState::requested) return;
    if (o_.data->revoke(transfer).ok()) return;
    after(store_again_ms, [transfer](DspService& self) { self.end_grant(transfer); });
}

// Nothing leaves before flush() has stored what it follows from, so the node may go on at once.
void DspService::carry_out(const dsp::Step& step, std::function<void()> stored) {
    node_.commit(step);
    if (step.negotiation) rows_[step.negotiation->pid] = {ProcessStore::Kind::negotiation, dsp::encode(*step.negotiation)};
    if (step.transfer) rows_[step.transfer->pid] = {ProcessStore::Kind::transfer, dsp::encode(*step.transfer)};
    waiting_.push_back(std::move(stored));
    if (flush_queued_) return;
    flush_queued_ = true;
    o_.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->flush();
    });
}

void DspService::flush() {
    if (!rows_.empty()) crash_point("dsp-before-store");
    if (const Status stored = o_.store.save(rows_); !stored.ok()) {
        if (!failed_ && o_.on_failure) o_.on_failure(stored.error());
        failed_ = stored.error();
        return after(store_again_ms, [](DspService& self) { self.flush(); });
    }
    if (!rows_.empty()) crash_point("dsp-stored");
    failed_.reset();
    flush_queued_ = false;
    rows_.clear();
    for (const auto& stored : std::exchange(waiting_, {})) stored();
    pump();
}

void DspService::after(std::int64_t ms, std::function<void(DspService&)> work) {
    o_.outbound->after(ms, [weak = weak_from_this(), post = o_.post, work = std::move(work)] {
        post([weak, work] {
            if (const auto self = weak.lock()) work(*self);
        });
    });
}

void DspService::begin(Result<dsp::Step> step, Begun begun) {
    if (failed_) return begun(*failed_);
    if (!step.ok()) return begun(std::move(step).error());
    carry_out(*step, [pid = step->process()->pid, begun = std::move(begun)] { begun(pid); });
}

void DspService::negotiate(const dsp::Node::NegotiationRequest& request, Begun begun) { begin(node_.request(request, now_ms()), std::move(begun)); }
void DspService::transfer(const dsp::Node::TransferWish& wish, Begun begun) { begin(node_.request(wish, now_ms()), std::move(begun)); }
void DspService::act(const std::string& pid, const dsp::Act& act, Begun begun) { begin(node_.act(pid, act, now_ms()), std::move(begun)); }

void DspService::pump() {
    if (failed_) return;
    const std::int64_t now = now_ms();
    while (const auto step = node_.expire(now)) {
        carry_out(*step, [weak = weak_from_this(), step = *step] {
            if (const auto self = weak.lock()) self->heard(step);
        });
    }
    if (flush_queued_) return;  // it comes here again, with everything stored
    for (const dsp::Due& due : node_.due(now)) post_message(due);
    if (const auto next = node_.next_ms()) wake_at(*next);
}

void DspService::wake_at(std::int64_t when_ms) {
    const std::int64_t now = now_ms();
    if (wake_ms_ && *wake_ms_ > now && *wake_ms_ <= when_ms) return;
    wake_ms_ = std::max(when_ms, now + 1);
    after(*wake_ms_ - now, [](DspService& self) { self.pump(); });
}

void DspService::post_message(const dsp::Due& due) {
    const auto process_address = [&]() -> std::string {
        if (const auto n = node_.negotiations().find(due.pid); n != node_.negotiations().end()) return n->second.peer_address;
        const auto t = node_.transfers().find(due.pid);
        return t != node_.transfers().end() ? t->second.peer_address : std::string();
    };
    const auto finish = [weak = weak_from_this(), due, post = o_.post](Result<OutboundResponse> answer) {
        post([weak, due, answer = std::move(answer)] {
            if (const auto self = weak.lock()) self->sent(due, answer);
        });
    };
    OutboundRequest request;
    request.url = due.url;
    request.body = due.body;
    request.timeout_ms = o_.message_timeout_ms;
    request.allowed_origins = o_.origins_of ? o_.origins_of(due.peer) : std::vector<std::string>();
    auto shared = std::make_shared<OutboundRequest>(std::move(request));
    o_.identity.mint(process_address(), [shared, finish, outbound = o_.outbound](Result<std::string> header) {
        if (!header.ok()) return finish(std::move(header).error());
        shared->headers.emplace_back("Authorization", std::move(header).value());
        outbound->send(std::move(*shared), finish);
    });
}

void DspService::sent(const dsp::Due& due, const Result<OutboundResponse>& answer) {
    crash_point("dsp-taken");
    dsp::Reply reply;
    if (answer.ok()) reply = {answer->status, answer->body, {}};
    else reply = {0, {}, answer.error().message};
    const dsp::Step step = node_.sent(due, reply, now_ms());
    carry_out(step, [weak = weak_from_this(), step] {
        const auto self = weak.lock();
        if (self && step.process() != nullptr) self->heard(step);
    });
}

}  // namespace entente::native
