#include "dsp/side.hpp"

#include <future>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "connectors/dsp/terms.hpp"
#include "dsp/side_storage.hpp"
#include "dsp/station.hpp"
#include "http/listener.hpp"

namespace entente::native {

namespace asio = boost::asio;
using namespace contract;

namespace {

struct Door final : http::Handler {
    DspService* service = nullptr;

    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override { return service->body_rule(request); }
    [[nodiscard]] http::Response body_refused(const http::Request& request, const Error& error) const override { return service->body_refused(request, error); }
    void handle(http::Request request, http::Reply reply) override { service->handle(std::move(request), std::move(reply)); }
    void begin_upload(http::Request request, UploadStarted started) override { service->begin_upload(std::move(request), std::move(started)); }
    void subscribe(http::Caller, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request&) override { return http::problem(404, "http.not-found", "there are no events here"); }
};

}  // namespace

struct DspSide::State {
    State(DspSideOptions options, SideStorage side_storage)
        : o(std::move(options)), storage(std::move(side_storage)),
          listener(io, door, {.address = o.listen_address, .port = o.listen_port, .tls_certificate = o.tls_certificate, .tls_key = o.tls_key}) {}

    Status open() {
        ENTENTE_ASSIGN(Exchange exchange, storage.load(o.federation));
        if (!exchange.admit(o.self, o.key->public_key()).ok()) {  // its key has changed since
            ENTENTE_TRY(exchange.expel(o.self));
            ENTENTE_TRY(exchange.admit(o.self, o.key->public_key()));
        }
        space.emplace(o.federation, std::move(exchange), storage, now_ms);
        space->on_decision([this](const Decision& d) { storage.record(d); });
        ENTENTE_TRY(listener.start());
        DspStationOptions options{.self = o.self, .coordinator = o.coordinator, .key = o.key, .io = io,
                                  .post = [this](std::function<void()> work) { asio::post(io, std::move(work)); },
                                  .space = *space, .blobs = storage.blobs(),
                                  .blob_of = [this](const std::string& asset, const Version& version) { return storage.blob_of(asset, version); },
                                  .folder = o.folder.string(), .origin = origin(), .port = listener.port(),
                                  .plain_loopback = o.tls_certificate.empty(), .networks = o.opened_networks, .ca_file = o.ca_file,
                                  .attempts = o.attempts, .vouched_by = o.vouched_by, .on_served = {},
                                  .on_failure = [this](const Error& why) { if (o.on_problem) o.on_problem(o.self, why); }, .on_problem = o.on_problem};
        ENTENTE_ASSIGN(station, DspStation::open(std::move(options)));
        door.service = &station->service();
        space->on_change([this] { station->settle(); });
        asio::post(io, [this] { station->start(); });
        thread = std::thread([this] { io.run(); });
        return done();
    }

    ~State() {
        listener.stop();
        io.stop();
        if (thread.joinable()) thread.join();
        station.reset();
    }

    [[nodiscard]] std::string origin() const {
        std::string url = o.public_url;
        const bool v6 = o.listen_address.find(':') != std::string::npos;
        if (url.empty()) {
            url = std::string(o.tls_certificate.empty() ? "http://" : "https://") + (v6 ? "[" : "") + o.listen_address + (v6 ? "]" : "") + ":" +
                  std::to_string(listener.port());
        }
        return dsp::without_slash(std::move(url));
    }

    DspSideOptions o;
    SideStorage storage;
    std::optional<hub::HubSpace> space;
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> busy{io.get_executor()};
    Door door;
    http::Listener listener;
    std::unique_ptr<DspStation> station;
    std::thread thread;
};

DspSide::DspSide(std::unique_ptr<State> state) : state_(std::move(state)) {}
DspSide::~DspSide() = default;

Result<std::unique_ptr<DspSide>> DspSide::open(DspSideOptions options) {
    ENTENTE_ASSIGN(SideStorage storage, SideStorage::open(options.folder));
    auto state = std::make_unique<State>(std::move(options), std::move(storage));
    ENTENTE_TRY(state->open());
    return std::unique_ptr<DspSide>(new DspSide(std::move(state)));
}

const std::string& DspSide::address() const { return state_->station->address(); }

Status DspSide::know(const dsp::Peer& peer, const codec::PublicKey& key) {
    std::promise<Status> known;
    auto answer = known.get_future();
    asio::post(state_->io, [&] {
        Status admitted = state_->space->admit(peer.participant, key);
        if (admitted.ok()) state_->station->know(peer, key);
        known.set_value(std::move(admitted));
    });
    return answer.get();
}

void DspSide::post(std::function<void(contract::Connector&)> work) {
    asio::post(state_->io, [this, work = std::move(work)] { work(state_->station->connector()); });
}

contract::HubView DspSide::own_view() {
    std::promise<contract::HubView> seen;
    auto answer = seen.get_future();
    asio::post(state_->io, [&] { seen.set_value(state_->space->view(state_->o.self)); });
    return answer.get();
}

}  // namespace entente::native
