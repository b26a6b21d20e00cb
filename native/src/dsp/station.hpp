// A connector of the Dataspace Protocol, put together: identity, peers, store, service, data plane, both halves. Whose exchange
// and contents it serves, and where it listens, is its owner's: a partner's side (side.hpp) or the coordinator's mailbox.
//
//   ENTENTE_ASSIGN(auto station, DspStation::open({.self = "plant-a", .key = &key, .space = space, …}));
//   station->know({"coordinator", "https://fl.example.org/dsp/2025-1"}, coordinator_key);
//   station->start();                       // what was open when we went down goes on
//   space.on_change([&] { station->settle(); });
//
// Thread-safety: service().handle() and what it asks from any thread; everything else on the strand that `post` leads to.
#pragma once

#include <mutex>

#include "dsp/connector.hpp"
#include "dsp/issuer_identity.hpp"
#include "dsp/provider.hpp"
#include "entente/codec/sign.hpp"

namespace boost::asio {
class io_context;
}

namespace entente::native {

struct DspStationOptions {
    std::string self;
    std::string coordinator;                   // who alone offers the global model
    const codec::SigningKey* key = nullptr;    // outlives it
    boost::asio::io_context& io;
    std::function<void(std::function<void()>)> post;
    hub::HubSpace& space;
    BlobStore& blobs;
    // Where the bytes of a version lie. not_found "connector.no-content".
    std::function<Result<Digest>(const std::string& asset, const contract::Version& version)> blob_of;
    std::string folder;                        // for dsp.db
    std::string origin;                        // how peers reach it: "https://plant-a.example:8444"
    std::uint16_t port = 0;                    // that it listens on
    bool plain_loopback = false;               // everything happens on this machine: plain HTTP to it is accepted
    std::vector<std::string> networks;         // that it may call beside global addresses: "10.0.0.0/8"
    std::string ca_file;                       // that the peers' certificates are checked with
    std::uint32_t attempts = 8;                // of sending one message
    VouchedBy vouched_by = {};                 // an issuer, for all but EDCs
    bool mock_identity = false;                // peers that are EDCs prove nothing, and are believed: peer_identity.hpp
    std::function<void(const Grant&)> on_served;   // may be empty
    std::function<void(const Error&)> on_failure;  // its store has failed; may be empty
    // What cannot be agreed on with a peer: its offers (connector.hpp), its requests. May be empty.
    std::function<void(const std::string& peer, const Error& why)> on_problem = {};
};

class DspStation {
public:
    static Result<std::unique_ptr<DspStation>> open(DspStationOptions options);
    ~DspStation();

    void start();
    void settle() { provider_->settle(); }

    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    // A participant: where its connector is, and the key that its tokens bear.
    void know(const dsp::Peer& peer, const codec::PublicKey& key);
    void forget(const std::string& participant);
    [[nodiscard]] const std::map<std::string, dsp::Peer, std::less<>>& peers() const noexcept { return peers_; }

    DspService& service() noexcept { return *service_; }
    [[nodiscard]] const DspService& service() const noexcept { return *service_; }
    DspConnector& connector() noexcept { return *connector_; }

private:
    explicit DspStation(DspStationOptions options) : o_(std::move(options)) {}
    Status build();
    void heard(const dsp::Step& step);
    [[nodiscard]] Result<std::unique_ptr<IdentityProvider>> make_identity();
    [[nodiscard]] std::optional<codec::PublicKey> key_of(const std::string& participant);
    [[nodiscard]] std::vector<std::string> origins_of(const std::string& participant) const;

    DspStationOptions o_;
    std::string address_;
    std::mutex keys_mutex_;
    std::map<std::string, codec::PublicKey> keys_;
    std::map<std::string, dsp::Peer, std::less<>> edcs_;  // of the peers those, by participant
    std::map<std::string, dsp::Peer, std::less<>> peers_;
    std::unique_ptr<ProcessStore> store_;
    std::unique_ptr<IdentityProvider> identity_;
    std::unique_ptr<dsp::ExchangeBehaviour> behaviour_;
    std::shared_ptr<Outbound> outbound_;
    std::shared_ptr<DataPlane> data_;
    std::shared_ptr<DspService> service_;
    std::unique_ptr<DspProvider> provider_;
    std::shared_ptr<DspConnector> connector_;
};

}  // namespace entente::native
