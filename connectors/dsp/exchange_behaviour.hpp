// The production behaviour: a connector that offers what its exchange holds and asks for what its owner has accepted.
// Who may do what are the exchange's rules, the same as for memory, folder and hub.
//
//   ExchangeBehaviour behaviour({.self = "plant-a", .own_key = key, .exchange = exchange, .peers = peers, .now_ms = now_ms});
//   Node node(options, behaviour);
//
// A request is agreed to when it bears the signed acceptance of the offer as it was published. What the exchange must
// write down (an agreement, a transfer) is its owner's to do once the step is stored: provider.hpp of the host.
#pragma once

#include <functional>

#include "connectors/dsp/behaviour.hpp"
#include "connectors/dsp/offerings.hpp"
#include "entente/contract/exchange.hpp"

namespace entente::dsp {

struct Peer {
    std::string participant;
    std::string address;  // base address of its connector: "https://plant-a.example/dsp/2025-1"
};

class ExchangeBehaviour final : public Behaviour {
public:
    struct Options {
        std::string self;
        codec::PublicKey own_key;
        const contract::Exchange& exchange;
        const std::map<std::string, Peer, std::less<>>& peers;  // by participant id; may grow
        std::function<std::int64_t()> now_ms;
    };
    explicit ExchangeBehaviour(Options options) : o_(std::move(options)) {}

    // Within the origin that the peer is registered with: scheme, host and port are the same.
    Status admit_address(const std::string& peer, const std::string& address) override;
    Found catalogue(const std::string& peer, const CatalogueFilter& filter) override;
    Status admit(const Negotiation& proposed) override;
    Status admit(const TransferProcess& proposed) override;
    Status admit_agreement(const Negotiation& agreed) override;
    std::vector<Act> next(const Negotiation& after, Kind kind, Cause cause) override;
    std::vector<Act> next(const TransferProcess& after, Kind kind, Cause cause) override;

private:
    Options o_;
};

// "https://plant-a.example:8443/dsp" -> "https://plant-a.example:8443"; empty when it is no address.
std::string origin_of(std::string_view address);

}  // namespace entente::dsp
