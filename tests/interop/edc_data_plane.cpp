// Our data plane under an Eclipse EDC, for tests/interop/edc: serves one file as one dataset.
//
//   edc_data_plane --data DIR --dataset ID --file FILE --policy FILE --management URL --key KEY --control URL --origins URL,URL
//
// Prints "registered http://localhost:PORT" once EDC knows it, and goes on until SIGTERM.
#include <csignal>
#include <cstdio>
#include <map>
#include <sstream>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/files.hpp"
#include "edc/signaling_service.hpp"
#include "entente/policy/odrl.hpp"
#include "http/listener.hpp"

namespace {

using namespace entente;
using namespace entente::native;

class Door final : public http::Handler {
public:
    std::shared_ptr<DataPlane> data;
    std::shared_ptr<SignalingService> signaling;

    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override {
        return data->serves(request.path) ? data->body_rule(request) : signaling->body_rule(request);
    }
    void handle(http::Request request, http::Reply reply) override {
        if (data->serves(request.path)) return data->handle(std::move(request), std::move(reply));
        if (signaling->serves(request.path)) return signaling->handle(request, std::move(reply));
        reply(http::problem(404, "http.not-found", request.path));
    }
    void begin_upload(http::Request, UploadStarted started) override { started(nullptr, http::problem(404, "http.not-found", "")); }
    void subscribe(http::Caller, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request&) override { return http::problem(404, "http.not-found", "there are no events here"); }
};

Status run(std::map<std::string, std::string>& options) {
    ENTENTE_ASSIGN(ProcessStore store, ProcessStore::open(options["--data"] + "/dsp.db"));
    ENTENTE_ASSIGN(BlobStore blobs, BlobStore::open(options["--data"]));
    ENTENTE_ASSIGN(const Bytes file, read_file(options["--file"], 64 << 20));
    ENTENTE_ASSIGN(const Digest blob, blobs.put(file));
    ENTENTE_ASSIGN(const Bytes text, read_file(options["--policy"], 64 * 1024));
    ENTENTE_ASSIGN(const policy::Odrl odrl, policy::read_odrl(std::string_view(reinterpret_cast<const char*>(text.data()), text.size())));

    boost::asio::io_context io(1);
    const auto post = [&io](std::function<void()> work) { boost::asio::post(io, std::move(work)); };
    Door door;
    http::Listener listener(io, door, {.address = "127.0.0.1", .port = 0});
    ENTENTE_TRY(listener.start());
    const std::string origin = "http://localhost:" + std::to_string(listener.port());
    OutboundOptions out;
    out.plain_loopback = true;
    out.opened_networks = {"127.0.0.0/8", "::1/128"};
    out.own_ports = {listener.port()};
    ENTENTE_ASSIGN(const auto outbound, Outbound::make(io, std::move(out)));
    DataPlaneOptions data{.post = post, .store = store, .blobs = blobs, .address = origin + "/dsp", .permit = {}, .on_served = {}, .on_received = {}};
    ENTENTE_ASSIGN(door.data, DataPlane::open(std::move(data)));
    SignalingOptions signaling;
    signaling.post = post;
    signaling.outbound = outbound;
    signaling.data = door.data;
    signaling.address = origin + signaling.root;
    signaling.management = options["--management"];
    signaling.key = options["--key"];
    signaling.control = options["--control"];
    std::istringstream origins(options["--origins"]);
    for (std::string one; std::getline(origins, one, ',');) signaling.origins.push_back(one);
    signaling.content = [&](const edc::Flow& flow) -> Result<SignalingOptions::Content> {
        if (flow.dataset != options["--dataset"]) return Error{Code::not_found, "dataset.unknown", "expected a dataset of ours, found " + flow.dataset};
        return SignalingOptions::Content{odrl.policy, blob, file.size()};
    };
    signaling.facts = [](const edc::Flow&) {
        policy::Facts facts;
        facts.federation = "urn:fl:federation:demo";
        facts.cohort = 3;
        facts.round = 1;
        return facts;
    };
    door.signaling = SignalingService::make(std::move(signaling));
    door.signaling->register_with_edc([&](const Status& registered) {
        std::printf("%s %s\n", registered.ok() ? "registered" : registered.error().message.c_str(), origin.c_str());
        std::fflush(stdout);
    });
    boost::asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
    io.run();
    return done();
}

}  // namespace

int main(int count, char** arguments) {
    std::signal(SIGPIPE, SIG_IGN);
    std::map<std::string, std::string> options;
    for (int i = 1; i + 1 < count; i += 2) options[arguments[i]] = arguments[i + 1];
    const Status ended = run(options);
    if (ended.ok()) return 0;
    std::fprintf(stderr, "edc_data_plane: %s\n", ended.error().message.c_str());
    return 1;
}
