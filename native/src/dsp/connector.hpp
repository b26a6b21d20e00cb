// The connector API over the Dataspace Protocol. What is its own it offers from its own exchange, as its DspService serves
// it; what is others' it asks for at their connectors.
//
//   DspConnector connector({.self = "plant-a", .space = space, .service = *service, .outbound = out, …});
//   options.on_step = [&](const dsp::Step& step) { provider.heard(step); connector.heard(step); };
//   connector.catalog({}, options, …);
//
// Differences within the contract: publish(), deliver(), transfers(), agreements() and withdraw() need no peer. wait()
// polls. On the strand of the space and the service.
#pragma once

#include "connectors/dsp/exchange_behaviour.hpp"
#include "connectors/hub/hub_space.hpp"
#include "dsp/service.hpp"
#include "net/download.hpp"

namespace entente::native {

struct DspConnectorOptions {
    std::string self;
    std::string coordinator;  // whose global model is the federation's
    hub::HubSpace& space;
    DspService& service;
    std::shared_ptr<Outbound> outbound;
    IdentityProvider& identity;
    const std::map<std::string, dsp::Peer, std::less<>>& peers;  // by participant id; may grow
    std::function<void(std::function<void()>)> post;             // to the strand
    // A peer offers something of this federation that cannot be taken as an offer: altered terms, a bad signature.
    std::function<void(const std::string& peer, const Error& why)> on_problem = {};
    // A peer behind an EDC has accepted an offer of ours, as its catalogue says.
    std::function<void(const std::string& peer, contract::Agreement acceptance)> on_acceptance = {};
};

class DspConnector final : public contract::Connector, public std::enable_shared_from_this<DspConnector> {
public:
    static std::shared_ptr<DspConnector> make(DspConnectorOptions options);

    void heard(const dsp::Step& step);

    void publish(contract::Asset asset, contract::SignedOffer offer, contract::CallOptions options,
                 contract::Completion<Done> completion) override;
    void deliver(std::string asset, contract::Version version, std::shared_ptr<contract::ByteSource> content,
                 contract::CallOptions options, contract::Completion<Done> completion) override;
    void catalog(contract::CatalogQuery query, contract::CallOptions options,
                 contract::Completion<contract::Catalog> completion) override;
    void negotiate(contract::Agreement proposal, contract::CallOptions options,
                   contract::Completion<contract::Agreement> completion) override;
    void transfer(contract::TransferRequest request, contract::ByteSink& sink, contract::CallOptions options,
                  contract::Completion<contract::Transfer> completion) override;
    void conclude(std::string transfer, contract::Outcome outcome, contract::CallOptions options,
                  contract::Completion<Done> completion) override;
    void transfers(std::string asset, contract::CallOptions options,
                   contract::Completion<std::vector<contract::Transfer>> completion) override;
    void agreements(std::string asset, contract::CallOptions options,
                    contract::Completion<std::vector<contract::Agreement>> completion) override;
    void withdraw(std::string asset, contract::CallOptions options, contract::Completion<Done> completion) override;
    void wait(std::uint64_t cursor, contract::CallOptions options, contract::Completion<std::uint64_t> completion) override;

    // Have we negotiated this agreement with its provider?
    [[nodiscard]] bool holds(const std::string& agreement) const { return held_.contains(agreement); }
    // What one peer offers to us. unavailable "connector.unreachable", unauthenticated "connector.identity".
    void catalog_of(const dsp::Peer& peer, const contract::CallOptions& options,
                    contract::Completion<std::vector<contract::CatalogEntry>> completion);

private:
    struct Call;   // one that waits: its deadline, its end
    struct Pages;
    struct Pull;

    explicit DspConnector(DspConnectorOptions options);
    std::shared_ptr<Call> begin(const contract::CallOptions& options, std::function<void(const Error&)> fail);
    void watch();
    void hold(const dsp::Negotiation& n);
    void next_page(const std::shared_ptr<Pages>& pages, const std::string& url);
    void take_dataset(const std::shared_ptr<Pages>& pages, const dsp::Dataset& dataset);
    void take_page(const std::shared_ptr<Pages>& pages, const Result<OutboundResponse>& answer);
    [[nodiscard]] contract::Catalog merged(std::vector<contract::CatalogEntry> entries, const contract::CatalogQuery& query);
    void poll(std::uint64_t cursor, const std::shared_ptr<Call>& call, const contract::CallOptions& options, std::int64_t pause_ms,
              contract::Completion<std::uint64_t> completion);
    void pull(const std::shared_ptr<Pull>& pull);
    void pulled(const std::shared_ptr<Pull>& pull, const Result<Downloaded>& got);
    void give_up(const std::shared_ptr<Pull>& pull, const Error& why);
    // Ends a transfer of ours and calls back when the peer has taken it, or will not.
    void end(const std::string& pid, const dsp::Act& act, std::function<void()> then);

    DspConnectorOptions o_;
    hub::HubSide own_;
    std::vector<std::shared_ptr<Call>> calls_;
    bool watching_ = false;
    std::map<std::string, std::string> shown_;  // of EDCs: dataset -> its offer, whose id is another one each time
    std::map<std::string, std::string> held_;  // agreement -> the negotiation in which we, as consumer, came to it
    std::map<std::string, std::function<void(const dsp::Negotiation&)>> negotiating_;  // by pid
    std::map<std::string, std::shared_ptr<Pull>> pulling_;
    std::map<std::string, std::vector<std::function<void()>>> ending_;
};

}  // namespace entente::native
