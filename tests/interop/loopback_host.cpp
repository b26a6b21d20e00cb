#include "loopback_host.hpp"

#include <csignal>
#include <cstdio>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/files.hpp"
#include "dsp/issuer_identity.hpp"
#include "entente/base/json.hpp"

namespace interop {

using namespace entente;
using namespace entente::native;

Result<std::unique_ptr<LoopbackHost>> LoopbackHost::open(HostOptions options) {
    std::signal(SIGPIPE, SIG_IGN);
    ENTENTE_ASSIGN(auto identity, make_mock_identity(options.participant, options.listen, options.audiences));
    ENTENTE_ASSIGN(ProcessStore store, ProcessStore::open(options.folder + "/dsp.db"));
    ENTENTE_ASSIGN(BlobStore blobs, BlobStore::open(options.folder));
    std::unique_ptr<LoopbackHost> host(new LoopbackHost(std::move(options), std::move(store), std::move(blobs), std::move(identity)));
    http::ListenOptions listen{.address = host->o_.listen, .port = host->o_.port};
    host->listener_ = std::make_unique<http::Listener>(host->io_, *host, std::move(listen));
    ENTENTE_TRY(host->listener_->start());
    return host;
}

void LoopbackHost::post(std::function<void()> work) { boost::asio::post(io_, std::move(work)); }

Status LoopbackHost::assemble(dsp::Behaviour& behaviour) {
    if (!o_.issuer.empty()) {
        ENTENTE_ASSIGN(AskIssuer ask, make_issuer_client(io_, {}));
        identity_ = make_issuer_identity({.issuer = o_.issuer, .client = {o_.participant, o_.secret}, .knows = [this](const std::string& id) { return !origins_of(id).empty(); },
                                          .ask = std::move(ask), .now_ms = now_ms});
    }
    const auto on_strand = [this](std::function<void()> work) { post(std::move(work)); };
    OutboundOptions out;
    out.plain_loopback = true;
    out.opened_networks = {"127.0.0.0/8", "::1/128"};
    out.own_origins = {origin()};
    out.own_ports = {listener_->port()};
    ENTENTE_ASSIGN(outbound_, Outbound::make(io_, std::move(out)));
    DataPlaneOptions data{.post = on_strand, .store = store_, .blobs = blobs_, .address = origin() + "/dsp",
                          .push_limit_bytes = o_.push_limit_bytes, .permit = {}, .on_served = {}, .on_received = on_received};
    ENTENTE_ASSIGN(data_, DataPlane::open(std::move(data)));
    dsp::NodeOptions node;
    node.participant = o_.participant;
    node.address = origin() + "/dsp/2025-1";
    node.attempts = o_.attempts;
    node.open_per_peer = o_.open_per_peer;
    DspOptions service{.post = on_strand, .outbound = outbound_, .store = store_, .identity = *identity_, .behaviour = behaviour,
                       .node = std::move(node), .data = data_, .origins_of = origins_of, .on_step = on_step,
                       .on_failure = [](const Error& error) {
                           std::fprintf(stderr, "%s\n", error.message.c_str());
                           std::exit(1);
                       }};
    ENTENTE_ASSIGN(service_, DspService::open(std::move(service)));
    return done();
}

int LoopbackHost::run(dsp::Behaviour& behaviour, const std::function<void()>& started) {
    if (const Status good = assemble(behaviour); !good.ok()) {
        std::fprintf(stderr, "%s\n", good.error().message.c_str());
        return 1;
    }
    service_->start();
    started();
    boost::asio::signal_set signals(io_, SIGTERM, SIGINT);
    signals.async_wait([this](const boost::system::error_code&, int) { io_.stop(); });
    std::printf("listening %s\n", origin().c_str());
    std::fflush(stdout);
    io_.run();
    return 0;
}

http::BodyRule LoopbackHost::body_rule(const http::Request& request) const {
    if (controls.contains(request.path)) return {http::BodyKind::small, 1024 * 1024};
    return service_->body_rule(request);
}

http::Response LoopbackHost::body_refused(const http::Request& request, const Error& error) const { return service_->body_refused(request, error); }

void LoopbackHost::handle(http::Request request, http::Reply reply) {
    const auto control = controls.find(request.path);
    if (control == controls.end()) return service_->handle(std::move(request), std::move(reply));
    const auto body = read_json(request.body.empty() ? "{}" : request.body);
    if (!body.ok()) return reply(http::problem(body.error()));
    Members members;
    for (const JsonMember& member : body->members) {
        members[member.name] = member.value.kind == Json::Kind::object ? write_json(member.value) : member.value.text;
    }
    post([work = control->second, members, reply]() mutable { work(members, std::move(reply)); });
}

void LoopbackHost::begin_upload(http::Request request, UploadStarted started) { service_->begin_upload(std::move(request), std::move(started)); }

std::multimap<std::string, std::string> read_options(int count, char** arguments) {
    std::multimap<std::string, std::string> options;
    for (int i = 1; i + 1 < count; i += 2) options.emplace(arguments[i], arguments[i + 1]);
    return options;
}

std::string option(const std::multimap<std::string, std::string>& options, const std::string& name, const std::string& otherwise) {
    const auto it = options.find(name);
    return it == options.end() ? otherwise : it->second;
}

}  // namespace interop
