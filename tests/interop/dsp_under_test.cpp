// The production connector with the compatibility kit's decisions, for script/interop tck. On loopback alone.
//
//   dsp_under_test --data DIR --kit http://localhost:8083 [--port N]
//
// Prints "listening http://localhost:PORT" and goes on until SIGTERM. Beside the protocol it has the kit's two webhooks:
// POST /tck/negotiations/requests and /tck/transfers/requests.
#include <csignal>
#include <cstdio>
#include <map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/files.hpp"
#include "dsp/service.hpp"
#include "entente/base/json.hpp"
#include "http/listener.hpp"
#include "kit_script.hpp"

namespace {

using namespace entente;
using namespace entente::native;

constexpr const char* participant = "CONNECTOR_UNDER_TEST";
constexpr const char* kit = "TCK_PARTICIPANT";

// The webhooks, and everything else to the connector.
class FrontDoor final : public http::Handler {
public:
    std::shared_ptr<DspService> service;
    std::function<void(std::function<void()>)> post;

    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override { return service->body_rule(request); }
    void begin_upload(http::Request request, UploadStarted started) override { service->begin_upload(std::move(request), std::move(started)); }
    void subscribe(std::string, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] bool origin_allowed(const http::Request&) const override { return false; }

    void handle(http::Request request, http::Reply reply) override {
        const bool negotiation = request.path == "/tck/negotiations/requests";
        if (!negotiation && request.path != "/tck/transfers/requests") return service->handle(std::move(request), std::move(reply));
        const auto body = read_json(request.body);
        if (!body.ok()) return reply(http::problem(body.error()));
        std::map<std::string, std::string> members;
        for (const JsonMember& member : body->members) members[member.name] = member.value.text;
        post([this, negotiation, members, reply]() mutable {
            const auto begun = [reply](const Result<std::string>& pid) {
                reply(pid.ok() ? http::json("{}") : http::problem(pid.error()));
            };
            if (negotiation) {
                const std::string offer = R"({"@id":")" + members["offerId"] + R"(","@type":"Offer","permission":[{"action":"use"}]})";
                return service->negotiate({members["providerId"], members["connectorAddress"], members["datasetId"], offer, {}}, begun);
            }
            service->transfer({members["providerId"], members["connectorAddress"], members["agreementId"], members["format"], {}, {}}, begun);
        });
    }
};

int run(const std::map<std::string, std::string>& options) {
    const auto option = [&](const char* name, const char* otherwise) {
        const auto it = options.find(name);
        return it == options.end() ? std::string(otherwise) : it->second;
    };
    const auto fail = [](const Error& error) {
        std::fprintf(stderr, "dsp_under_test: %s\n", error.message.c_str());
        return 1;
    };
    const std::string listen = option("--listen", "127.0.0.1");
    auto identity = make_mock_identity(participant, listen, {"any"});
    if (!identity.ok()) return fail(identity.error());
    auto store = ProcessStore::open(option("--data", ".") + "/dsp.db");
    if (!store.ok()) return fail(store.error());

    boost::asio::io_context io(1);
    FrontDoor door;
    door.post = [&io](std::function<void()> work) { boost::asio::post(io, std::move(work)); };
    http::Listener listener(io, door, {.address = listen, .port = static_cast<std::uint16_t>(std::stoul(option("--port", "0")))});
    if (const Status started = listener.start(); !started.ok()) return fail(started.error());
    const std::string origin = "http://localhost:" + std::to_string(listener.port());

    OutboundOptions out;
    out.plain_loopback = true;
    out.opened_networks = {"127.0.0.0/8", "::1/128"};
    out.own_origins = {origin};
    out.own_ports = {listener.port()};
    auto outbound = Outbound::make(io, std::move(out));
    if (!outbound.ok()) return fail(outbound.error());

    const std::string kit_origin = option("--kit", "http://localhost:8083");
    interop::KitScript script(participant, kit, kit_origin, origin + "/dsp/data/none");
    dsp::NodeOptions node;
    node.participant = participant;
    node.address = origin + "/dsp/2025-1";
    node.attempts = 5;  // the kit takes a message that comes too late for one of its next test
    DspOptions service{.post = door.post, .outbound = *outbound, .store = *store, .identity = **identity, .behaviour = script,
                       .node = std::move(node),
                       .origins_of = [&](const std::string& peer) { return peer == kit ? std::vector<std::string>{kit_origin} : std::vector<std::string>(); },
                       .on_step = {}, .on_failure = {}};
    auto opened = DspService::open(std::move(service));
    if (!opened.ok()) return fail(opened.error());
    door.service = *opened;
    door.service->start();

    boost::asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
    std::printf("listening %s\n", origin.c_str());
    std::fflush(stdout);
    io.run();
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    std::signal(SIGPIPE, SIG_IGN);
    std::map<std::string, std::string> options;
    for (int i = 1; i + 1 < count; i += 2) options[arguments[i]] = arguments[i + 1];
    return run(options);
}
