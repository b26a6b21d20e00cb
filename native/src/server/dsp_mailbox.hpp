// Partners that have connectors of their own: the coordinator speaks the Dataspace Protocol with them, and tells its hub
// what they said, as their own calls would. The rules are the hub's; only the way differs.
//
//   ENTENTE_ASSIGN(auto mailbox, DspMailbox::open({.io = io, .post = on_strand, .host = host, …}));
//   mailbox->know("plant-a", "https://plant-a.example/dsp/2025-1", key);
//   timer.expires_after(mailbox->step());          // polls their catalogues; milliseconds until the next time
//
// For each partner it polls the catalogue, mirrors the offer of its updates, negotiates once over it, pulls every new
// version under that agreement and ends the transfer with the round's verdict. The global model is offered to them as it
// is to the hub's participants, and they pull it under agreements of their own. On the host's strand.
#pragma once

#include "dsp/station.hpp"
#include "server/host.hpp"

namespace entente::native {

struct DspMailboxOptions {
    boost::asio::io_context& io;
    std::function<void(std::function<void()>)> post;  // runs on the host's strand
    Host& host;
    BlobStore& blobs;
    codec::SigningKey key;
    std::string folder;               // for dsp.db
    std::string origin;               // how peers reach this server
    std::uint16_t port = 0;           // that it listens on
    bool loopback = false;            // everything happens on this machine: plain HTTP to it is accepted
    std::vector<std::string> networks;  // beside global addresses: "10.0.0.0/8"
    std::string ca_file;
    VouchedBy vouched_by = {};          // an issuer, in place of the partners' keys
    bool mock_identity = false;         // partners may be EDCs with their mock identity
    std::function<void(const std::string&)> say;  // for people; the same sentence once
};

class DspMailbox {
public:
    static Result<std::unique_ptr<DspMailbox>> open(DspMailboxOptions options);
    ~DspMailbox();

    void start();
    [[nodiscard]] const std::string& address() const noexcept { return station_->address(); }
    // invalid_argument "url.*"; permission_denied "connector.address" for one that this coordinator would not call,
    // "identity.mock" for an EDC without mock_identity; conflict "connector.taken" for one that calls itself like another.
    Status know(const dsp::Peer& peer, const codec::PublicKey& key);
    void forget(const std::string& participant);

    // For HostOptions::negotiate: with a partner that has a connector, over the protocol. False: it has none.
    bool negotiate(const std::string& participant, const contract::Agreement& proposal, contract::Completion<contract::Agreement> completion);

    std::int64_t step();
    // The host has changed: transfers that it has ended are ended, verdicts are told.
    void settle();

    // What this partner says of its own connector.
    void reported(const std::string& participant, const std::string& problem);
    // How this connector finds the partner's. None: it has registered none.
    struct Standing {
        std::string address;
        std::optional<std::int64_t> reached_ms;  // how long ago its catalogue was read
        std::string problem;                     // what this connector holds against it, as a sentence; empty: nothing
    };
    [[nodiscard]] std::optional<Standing> standing_of(const std::string& participant) const;
    // Partners with connectors, negotiations and transfers, for people.
    [[nodiscard]] std::string json(const std::string& catalogue) const;
    // The paths below /dsp, from any thread.
    DspService& service() noexcept { return station_->service(); }

private:
    struct Partner;
    explicit DspMailbox(DspMailboxOptions options);
    void look(const std::string& id, Partner& state);
    void take(const std::string& id, const contract::CatalogEntry& entry);
    void pull(const std::string& id, const contract::CatalogEntry& entry, const std::string& agreement);
    void pulled(const std::string& id, const std::string& asset, const contract::Version& version, const std::string& transfer,
                Result<Digest> blob);
    void tell_verdicts();
    void say_once(const std::string& text);
    void troubled(const std::string& participant, const Error& why, bool theirs = false);

    DspMailboxOptions o_;
    std::unique_ptr<DspStation> station_;
    std::map<std::string, std::unique_ptr<Partner>> partners_;
    std::set<std::string> said_;
    std::int64_t pause_ms_ = 0;
    bool news_ = false;  // since the last step
};

}  // namespace entente::native
