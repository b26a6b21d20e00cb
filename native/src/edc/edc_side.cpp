#include "edc/edc_side.hpp"

#include <algorithm>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/files.hpp"
#include "connectors/dsp/exchange_behaviour.hpp"
#include "dsp/side_storage.hpp"
#include "edc/signaling_service.hpp"
#include "http/listener.hpp"

namespace entente::native {

namespace asio = boost::asio;
using namespace contract;

namespace {

constexpr const char* root = "/dsp";

// Serves what one of both takes.
template <class Service>
struct Door final : http::Handler {
    std::shared_ptr<Service> service;

    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override { return service->body_rule(request); }
    void handle(http::Request request, http::Reply reply) override {
        if (!service->serves(request.path)) return reply(http::problem(404, "http.not-found", "there is nothing at " + request.path));
        service->handle(std::move(request), std::move(reply));
    }
    void begin_upload(http::Request request, UploadStarted started) override {
        started(nullptr, http::problem(404, "http.not-found", "nothing can be put to " + request.path));
    }
    void subscribe(http::Caller, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request&) override { return http::problem(404, "http.not-found", "there are no events here"); }
};

}  // namespace

struct EdcSide::State {
    State(EdcSideOptions options, SideStorage side_storage, ProcessStore process_store)
        : o(std::move(options)), storage(std::move(side_storage)), grants(std::move(process_store)), asset(update_stream_asset(o.federation, o.self)),
          source_type("entente:" + o.federation),
          bytes(io, bytes_door, {.address = o.listen_address, .port = o.listen_port, .tls_certificate = o.tls_certificate, .tls_key = o.tls_key}),
          signals(io, signals_door, {.address = "127.0.0.1", .port = 0}) {}

    ~State() {
        bytes.stop();
        signals.stop();
        io.stop();
        if (thread.joinable()) thread.join();
        signaling.reset();
        signals_door.service.reset();
        data.reset();
        bytes_door.service.reset();
        outbound.reset();
    }

    Status open() {
        ENTENTE_ASSIGN(Exchange exchange, storage.load(o.federation));
        ENTENTE_TRY(exchange.admit(o.self, o.own_key));
        ENTENTE_TRY(exchange.admit(o.coordinator, o.coordinator_key));
        space.emplace(o.federation, std::move(exchange), storage, now_ms);
        space->on_decision([this](const Decision& d) { storage.record(d); });
        own.emplace(*space, o.self);
        ENTENTE_TRY(bytes.start());
        ENTENTE_TRY(signals.start());
        origin = origin_of_bytes();
        const auto on_thread = [this](std::function<void()> work) { asio::post(io, std::move(work)); };
        OutboundOptions out;
        out.plain_loopback = true;
        out.opened_networks = o.networks;
        out.opened_networks.insert(out.opened_networks.end(), {"127.0.0.0/8", "::1/128"});
        out.own_ports = {bytes.port(), signals.port()};
        out.ca_file = o.ca_file;
        ENTENTE_ASSIGN(outbound, Outbound::make(io, std::move(out)));
        ENTENTE_ASSIGN(data, DataPlane::open({.post = on_thread, .store = grants, .blobs = storage.blobs(), .address = origin + root, .root = root,
                                              .permit = [this](const Grant& grant) { return permitted(grant.peer); }, .on_served = {}}));
        bytes_door.service = data;
        SignalingOptions signal;
        signal.post = on_thread;
        signal.outbound = outbound;
        signal.data = data;
        signal.id = "entente:" + o.federation + ":" + o.self;
        signal.source_type = source_type;
        signal.address = "http://127.0.0.1:" + std::to_string(signals.port()) + signal.root;
        signal.management = o.management;
        signal.key = o.key;
        signal.control = o.control;
        signal.origins = {dsp::origin_of(o.management), dsp::origin_of(o.control)};
        signal.content = [this](const edc::Flow& flow) { return content(flow); };
        signal.facts = [this](const edc::Flow&) { return facts(); };
        signaling = SignalingService::make(std::move(signal));
        signals_door.service = signaling;
        thread = std::thread([this] { io.run(); });
        return done();
    }

    [[nodiscard]] std::string origin_of_bytes() const {
        const bool v6 = o.listen_address.find(':') != std::string::npos;
        const std::string here = std::string(o.tls_certificate.empty() ? "http://" : "https://") + (v6 ? "[" : "") + o.listen_address +
                                 (v6 ? "]" : "") + ":" + std::to_string(bytes.port());
        return o.public_url.empty() ? here : dsp::origin_of(o.public_url);
    }

    // The coordinator's acceptance of what we offer, if we know of one.
    [[nodiscard]] Result<Agreement> agreement(const std::string& peer) const {
        if (peer != o.coordinator) {
            return Error{Code::permission_denied, "agreement.foreign", asset + ": expected " + o.coordinator + " to ask for it, found " + peer.substr(0, 80)};
        }
        ENTENTE_ASSIGN(const std::vector<Agreement> all, space->exchange().agreements(o.self, asset));
        if (all.empty()) {
            return Error{Code::permission_denied, "contract.no-acceptance", asset + ": expected an acceptance that " + o.coordinator + " has signed, found none"};
        }
        return all.back();
    }
    [[nodiscard]] Status permitted(const std::string& peer) const {
        ENTENTE_ASSIGN(const Agreement held, agreement(peer));
        const auto offered = space->exchange().current(asset);
        return space->exchange().may_transfer(peer, held, offered ? offered->round : 0, now_ms());
    }
    [[nodiscard]] Result<SignalingOptions::Content> content(const edc::Flow& flow) const {
        if (flow.dataset != asset) return Error{Code::not_found, "dataset.unknown", "expected " + asset + ", found " + flow.dataset.substr(0, 256)};
        ENTENTE_TRY(permitted(flow.peer));
        ENTENTE_ASSIGN(const Agreement held, agreement(flow.peer));
        const auto offered = space->exchange().current(asset);
        if (!offered) return Error{Code::not_found, "connector.no-content", "nothing was delivered to " + asset + " yet"};
        ENTENTE_ASSIGN(const Digest blob, storage.blob_of(asset, *offered));
        return SignalingOptions::Content{held.offer.offer.policy, blob, offered->size_bytes};
    }
    [[nodiscard]] policy::Facts facts() const {
        policy::Facts known;
        known.federation = "urn:fl:federation:" + o.federation;
        known.now_ms = now_ms();
        known.to_assignee = true;
        if (const auto offered = space->exchange().current(asset)) known.round = offered->round;
        if (const auto held = agreement(o.coordinator); held.ok()) known.agreed_at_ms = held->acceptance.agreed_at_ms;
        return known;
    }

    EdcSideOptions o;
    SideStorage storage;
    ProcessStore grants;
    std::string asset;
    std::string source_type;
    std::string origin;
    std::optional<hub::HubSpace> space;
    std::optional<hub::HubSide> own;
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> busy{io.get_executor()};
    Door<DataPlane> bytes_door;
    Door<SignalingService> signals_door;
    http::Listener bytes;
    http::Listener signals;
    std::shared_ptr<Outbound> outbound;
    std::shared_ptr<DataPlane> data;
    std::shared_ptr<SignalingService> signaling;
    std::thread thread;
};

EdcSide::EdcSide(std::unique_ptr<State> state) : state_(std::move(state)) {}
EdcSide::~EdcSide() = default;

Result<std::unique_ptr<EdcSide>> EdcSide::open(EdcSideOptions options) {
    ENTENTE_ASSIGN(SideStorage storage, SideStorage::open(options.folder));
    ENTENTE_ASSIGN(ProcessStore grants, ProcessStore::open((options.folder / "dsp.db").string()));
    auto state = std::make_unique<State>(std::move(options), std::move(storage), std::move(grants));
    ENTENTE_TRY(state->open());
    return std::unique_ptr<EdcSide>(new EdcSide(std::move(state)));
}

const std::string& EdcSide::origin() const { return state_->origin; }
const std::string& EdcSide::source_type() const { return state_->source_type; }
hub::HubSpace& EdcSide::space() { return *state_->space; }
hub::HubSide& EdcSide::own() { return *state_->own; }
void EdcSide::post(std::function<void()> work) { asio::post(state_->io, std::move(work)); }

Status EdcSide::register_with_edc() {
    std::promise<Status> registered;
    auto answer = registered.get_future();
    post([&] { state_->signaling->register_with_edc([&registered](Status status) { registered.set_value(std::move(status)); }); });
    return answer.get();
}

Result<std::optional<Bytes>> EdcSide::note(const std::string& name) {
    return run([&](hub::HubSpace&, hub::HubSide&) { return state_->storage.notes().meta(name); });
}
Status EdcSide::keep_note(const std::string& name, ByteView value) {
    return run([&](hub::HubSpace&, hub::HubSide&) { return state_->storage.notes().set_meta(name, value); });
}

}  // namespace entente::native
