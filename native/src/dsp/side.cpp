#include "dsp/side.hpp"

#include <future>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/files.hpp"
#include "connectors/dsp/terms.hpp"
#include "dsp/station.hpp"
#include "http/listener.hpp"
#include "store/state_store.hpp"

namespace entente::native {

namespace asio = boost::asio;
using namespace contract;

namespace {

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
        ENTENTE_TRY(upload.take(content));
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
    DspService* service = nullptr;

    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override { return service->body_rule(request); }
    void handle(http::Request request, http::Reply reply) override { service->handle(std::move(request), std::move(reply)); }
    void begin_upload(http::Request request, UploadStarted started) override { service->begin_upload(std::move(request), std::move(started)); }
    void subscribe(std::string, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] bool origin_allowed(const http::Request&) const override { return false; }
};

}  // namespace

struct DspSide::State {
    State(DspSideOptions options, SideStorage side_storage)
        : o(std::move(options)), storage(std::move(side_storage)),
          listener(io, door, {.address = o.listen_address, .port = o.listen_port, .tls_certificate = o.tls_certificate, .tls_key = o.tls_key}) {}

    Status open() {
        ENTENTE_ASSIGN(Exchange exchange, storage.load(o.federation));
        ENTENTE_TRY(exchange.admit(o.self, o.key->public_key()));
        space.emplace(o.federation, std::move(exchange), storage, now_ms);
        ENTENTE_TRY(listener.start());
        DspStationOptions options{.self = o.self, .coordinator = o.coordinator, .key = o.key, .io = io,
                                  .post = [this](std::function<void()> work) { asio::post(io, std::move(work)); },
                                  .space = *space, .blobs = storage.blobs(),
                                  .blob_of = [this](const std::string& asset, const Version& version) { return storage.blob_of(asset, version); },
                                  .folder = o.folder.string(), .origin = origin(), .port = listener.port(),
                                  .plain_loopback = o.tls_certificate.empty(), .networks = o.opened_networks, .ca_file = o.ca_file,
                                  .attempts = o.attempts, .on_served = {}, .on_failure = {}, .on_problem = o.on_problem};
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
    ENTENTE_TRY(make_directory(options.folder.string()));
    ENTENTE_ASSIGN(StateStore store, StateStore::open((options.folder / "exchange.db").string()));
    ENTENTE_ASSIGN(BlobStore blobs, BlobStore::open(options.folder));
    auto state = std::make_unique<State>(std::move(options), SideStorage(std::move(store), std::move(blobs)));
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
