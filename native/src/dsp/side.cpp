#include "dsp/side.hpp"

#include <future>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/files.hpp"
#include "connectors/dsp/words.hpp"
#include "dsp/provider.hpp"
#include "dsp/signed_identity.hpp"
#include "http/listener.hpp"
#include "store/state_store.hpp"

namespace entente::native {

namespace asio = boost::asio;
using namespace contract;

namespace {

constexpr const char* root = "/dsp";

// The exchange and its contents in a participant's own folder.
class SideStorage final : public hub::Storage {
public:
    SideStorage(StateStore store, BlobStore blobs) : store_(std::move(store)), blobs_(std::move(blobs)) {}

    Result<Exchange> load(const std::string& federation) {
        ENTENTE_ASSIGN(auto snapshot, store_.snapshot());
        if (!snapshot) return Exchange(federation);
        contents_ = std::move(snapshot->contents);
        return Exchange::deserialize(snapshot->exchange);
    }
    BlobStore& blobs() { return blobs_; }
    [[nodiscard]] Result<Digest> blob_of(const std::string& asset, const Version& version) const {
        const auto it = contents_.find(asset);
        if (it != contents_.end() && it->second.version == version) return it->second.blob;
        return Error{Code::not_found, "connector.no-content", "no content of " + asset + " in this version"};
    }

    Result<std::shared_ptr<ByteSource>> open(const std::string& asset, const Version& version) override {
        ENTENTE_ASSIGN(const Digest blob, blob_of(asset, version));
        return blobs_.open_blob(blob);
    }
    Status keep(const std::string& asset, const Version& version, ByteSource& content) override {
        ENTENTE_ASSIGN(auto upload, blobs_.begin(version.size_bytes));
        std::vector<std::byte> buffer(64 * 1024);
        for (;;) {
            ENTENTE_ASSIGN(const std::size_t n, content.read(buffer));
            if (n == 0) break;
            ENTENTE_TRY(upload.append(ByteView(buffer.data(), n)));
        }
        if (upload.size() != version.size_bytes) {
            return Error{Code::invalid_argument, "connector.size", "expected " + std::to_string(version.size_bytes) + " bytes, found " +
                                                                       std::to_string(upload.size())};
        }
        ENTENTE_ASSIGN(const Digest blob, upload.finish());
        before_ = contents_.contains(asset) ? std::optional(contents_[asset].blob) : std::nullopt;
        contents_[asset] = {version, blob};
        return done();
    }
    Status save(const Exchange& exchange, bool) override {
        ENTENTE_TRY(store_.save({exchange.serialize(), contents_}));
        if (!before_) return done();
        const Digest old = *std::exchange(before_, std::nullopt);
        const bool used = std::any_of(contents_.begin(), contents_.end(), [&old](const auto& row) { return row.second.blob == old; });
        if (!used) blobs_.remove(old);
        return done();
    }

private:
    StateStore store_;
    BlobStore blobs_;
    std::map<std::string, ContentRow> contents_;
    std::optional<Digest> before_;  // what the asset offered until now
};

struct Door final : http::Handler {
    std::shared_ptr<DspService> service;

    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override { return service->body_rule(request); }
    void handle(http::Request request, http::Reply reply) override { service->handle(std::move(request), std::move(reply)); }
    void begin_upload(http::Request request, UploadStarted started) override { service->begin_upload(std::move(request), std::move(started)); }
    void subscribe(std::string, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] bool origin_allowed(const http::Request&) const override { return false; }
};

}  // namespace

struct DspSide::State {
    State(DspSideOptions options, SideStorage side_storage, ProcessStore process_store)
        : o(std::move(options)), storage(std::move(side_storage)), processes(std::move(process_store)),
          listener(io, door, {.address = o.listen_address, .port = o.listen_port, .tls_certificate = o.tls_certificate, .tls_key = o.tls_key}) {}

    Status open() {
        ENTENTE_ASSIGN(Exchange exchange, storage.load(o.federation));
        ENTENTE_TRY(exchange.admit(o.self, o.key->public_key()));
        space.emplace(o.federation, std::move(exchange), storage, now_ms);
        ENTENTE_TRY(listener.start());
        origin = !o.public_url.empty() ? o.public_url
                                       : std::string(o.tls_certificate.empty() ? "http://" : "https://") +
                                             (o.listen_address.find(':') != std::string::npos ? "[" + o.listen_address + "]" : o.listen_address) +
                                             ":" + std::to_string(listener.port());
        while (origin.ends_with('/')) origin.pop_back();
        address = origin + root + "/" + std::string(dsp::version);
        identity = make_signed_identity({.participant = o.self, .key = *o.key, .key_of = [this](const std::string& id) { return key_of(id); }, .now_ms = now_ms, .also_accepted = {}});
        behaviour.emplace(dsp::ExchangeBehaviour::Options{o.self, o.key->public_key(), space->exchange(), peers, now_ms});
        OutboundOptions out;
        out.plain_loopback = o.tls_certificate.empty();
        out.opened_networks = o.opened_networks;
        if (out.plain_loopback) out.opened_networks.push_back("127.0.0.0/8");
        out.own_origins = {origin};
        out.own_ports = {listener.port()};
        out.ca_file = o.ca_file;
        ENTENTE_ASSIGN(outbound, Outbound::make(io, std::move(out)));
        const auto post = [this](std::function<void()> work) { asio::post(io, std::move(work)); };
        ENTENTE_ASSIGN(data, DataPlane::open({.post = post, .store = processes, .blobs = storage.blobs(), .address = origin + root, .root = root,
                                              .permit = [this](const Grant& grant) { return provider->permitted(grant); }}));
        dsp::NodeOptions node;
        node.participant = o.self;
        node.address = address;
        node.attempts = o.attempts;
        DspOptions options{.post = post, .outbound = outbound, .store = processes, .identity = *identity, .behaviour = *behaviour,
                           .node = std::move(node), .data = data, .root = root,
                           .origins_of = [this](const std::string& id) { return origins_of(id); },
                           .on_step = [this](const dsp::Step& step) { heard(step); }, .on_failure = {}};
        ENTENTE_ASSIGN(door.service, DspService::open(std::move(options)));
        provider.emplace(DspProvider::Options{*space, *door.service, *data, [this](const std::string& asset, const Version& version) { return storage.blob_of(asset, version); }});
        connector = DspConnector::make({.self = o.self, .coordinator = o.coordinator, .space = *space, .service = *door.service, .outbound = outbound, .identity = *identity, .peers = peers, .post = post});
        space->on_change([this] { provider->settle(); });
        asio::post(io, [this] {
            door.service->start();
            provider->resume();
        });
        thread = std::thread([this] { io.run(); });
        return done();
    }

    ~State() {
        listener.stop();
        io.stop();
        if (thread.joinable()) thread.join();
        connector.reset();
        door.service.reset();
        data.reset();
        outbound.reset();
    }

    void heard(const dsp::Step& step) {
        provider->heard(step);
        connector->heard(step);
    }
    std::optional<codec::PublicKey> key_of(const std::string& id) {
        const std::lock_guard lock(keys_mutex);
        const auto it = keys.find(id);
        return it == keys.end() ? std::nullopt : std::optional(it->second);
    }
    std::vector<std::string> origins_of(const std::string& id) const {
        const auto it = peers.find(id);
        return it == peers.end() ? std::vector<std::string>() : std::vector<std::string>{dsp::origin_of(it->second.address)};
    }

    DspSideOptions o;
    SideStorage storage;
    ProcessStore processes;
    std::optional<hub::HubSpace> space;
    std::map<std::string, dsp::Peer, std::less<>> peers;
    std::mutex keys_mutex;
    std::map<std::string, codec::PublicKey> keys;
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> busy{io.get_executor()};
    Door door;
    http::Listener listener;
    std::string origin;
    std::string address;
    std::unique_ptr<IdentityProvider> identity;
    std::optional<dsp::ExchangeBehaviour> behaviour;
    std::shared_ptr<Outbound> outbound;
    std::shared_ptr<DataPlane> data;
    std::optional<DspProvider> provider;
    std::shared_ptr<DspConnector> connector;
    std::thread thread;
};

DspSide::DspSide(std::unique_ptr<State> state) : state_(std::move(state)) {}
DspSide::~DspSide() = default;

Result<std::unique_ptr<DspSide>> DspSide::open(DspSideOptions options) {
    ENTENTE_TRY(make_directory(options.folder.string()));
    ENTENTE_ASSIGN(StateStore store, StateStore::open((options.folder / "exchange.db").string()));
    ENTENTE_ASSIGN(BlobStore blobs, BlobStore::open(options.folder));
    ENTENTE_ASSIGN(ProcessStore processes, ProcessStore::open((options.folder / "dsp.db").string()));
    auto state = std::make_unique<State>(std::move(options), SideStorage(std::move(store), std::move(blobs)), std::move(processes));
    ENTENTE_TRY(state->open());
    return std::unique_ptr<DspSide>(new DspSide(std::move(state)));
}

std::string DspSide::address() const { return state_->address; }

Status DspSide::know(const dsp::Peer& peer, const codec::PublicKey& key) {
    std::promise<Status> known;
    auto answer = known.get_future();
    asio::post(state_->io, [&] {
        Status admitted = state_->space->admit(peer.participant, key);
        if (admitted.ok()) {
            state_->peers.insert_or_assign(peer.participant, peer);
            const std::lock_guard lock(state_->keys_mutex);
            state_->keys.insert_or_assign(peer.participant, key);
        }
        known.set_value(std::move(admitted));
    });
    return answer.get();
}

void DspSide::post(std::function<void(contract::Connector&)> work) {
    asio::post(state_->io, [this, work = std::move(work)] { work(*state_->connector); });
}

contract::HubView DspSide::own_view() {
    std::promise<contract::HubView> seen;
    auto answer = seen.get_future();
    asio::post(state_->io, [&] { seen.set_value(state_->space->view(state_->o.self)); });
    return answer.get();
}

}  // namespace entente::native
