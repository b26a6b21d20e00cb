// One company's connector, whole: its exchange, its stores, the protocol's service and data plane, and the connector API on
// top. On a thread of its own, listening on an address of its own.
//
//   ENTENTE_ASSIGN(auto side, DspSide::open({.self = "plant-a", .federation = "digits", .folder = "plant-a", .key = key, …}));
//   side->know({"coordinator", "https://fl.example.org/dsp/2025-1"}, coordinator_key);
//   side->post([&](contract::Connector& c) { c.catalog({}, options, …); });      // runs on its thread
//
// The peers are those that were made known, and each proves who it is with a token that its key has signed
// (dsp/signed_identity.hpp). Thread-safety: from one thread.
#pragma once

#include <filesystem>

#include "dsp/connector.hpp"
#include "dsp/issuer_identity.hpp"
#include "entente/codec/sign.hpp"

namespace entente::native {

struct DspSideOptions {
    std::string self;
    std::string federation;
    std::string coordinator;                   // who alone offers the global model
    std::filesystem::path folder;              // its databases and contents
    const codec::SigningKey* key = nullptr;    // outlives it
    std::string listen_address = "127.0.0.1";
    std::uint16_t listen_port = 0;             // 0: any
    std::string tls_certificate;
    std::string tls_key;
    std::string public_url;                    // how peers reach it; empty: as it listens
    std::string ca_file;                       // that the peers' certificates are checked with
    std::vector<std::string> opened_networks;  // beside global addresses: "10.0.0.0/8"
    VouchedBy vouched_by = {};                 // an issuer, in place of the peers' keys
    std::uint32_t attempts = 8;                // of sending one message
    std::function<void(const std::string& peer, const Error& why)> on_problem = {};  // station.hpp; on its thread
};

class DspSide {
public:
    // Listens when it returns. Errors of the listener and the stores.
    static Result<std::unique_ptr<DspSide>> open(DspSideOptions options);
    ~DspSide();

    [[nodiscard]] const std::string& address() const;  // its base address
    // A participant of the federation: its key, and where its connector is.
    Status know(const dsp::Peer& peer, const codec::PublicKey& key);

    // Runs `work` on the connector's thread.
    void post(std::function<void(contract::Connector&)> work);
    // What this participant may see of itself: its own versions, agreements and transfers, without asking anybody.
    contract::HubView own_view();

private:
    struct State;
    explicit DspSide(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace entente::native
