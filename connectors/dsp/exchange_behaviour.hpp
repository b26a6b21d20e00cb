// The production behaviour: a connector that offers what its exchange holds and asks for what its owner has accepted.
// Who may do what are the exchange's rules, the same as for memory, folder and hub.
//
//   ExchangeBehaviour behaviour({.self = "plant-a", .own_key = key, .exchange = exchange, .peers = peers, .now_ms = now_ms});
//   Node node(options, behaviour);
//
// A request is agreed to when it bears the signed acceptance of the offer as it was published. An EDC's message has no place
// for it: its participant publishes the acceptance in a dataset of its own (told()), and reads ours and our verdicts in
// what we show to it. What the exchange must
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
    // An Eclipse EDC, with Entente as its data plane at another origin: "https://plant-a.example:8444".
    bool edc = false;
    std::string data_origin = {};
    std::string edc_id = {};  // what the EDC calls itself ("BPNL000000000001"), where that is not the participant's id

    [[nodiscard]] const std::string& called() const noexcept { return edc_id.empty() ? participant : edc_id; }
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
    void complete(Negotiation& proposed) override;
    void complete(TransferProcess& proposed) override;
    Status admit(const Negotiation& proposed) override;
    Status admit(const TransferProcess& proposed) override;
    Status admit_agreement(const Negotiation& agreed) override;
    std::vector<Act> next(const Negotiation& after, Kind kind, Cause cause) override;
    std::vector<Act> next(const TransferProcess& after, Kind kind, Cause cause) override;

    // An EDC's participant has accepted an offer of ours; it said so in its catalogue. Of each participant the latest counts.
    void told(const std::string& peer, contract::Agreement acceptance) { told_.insert_or_assign(peer, std::move(acceptance)); }

private:
    [[nodiscard]] const Peer* edc(const std::string& peer) const;
    [[nodiscard]] Profile profile_of(const std::string& peer) const { return edc(peer) != nullptr ? Profile::may_be_lost : Profile::kept; }
    [[nodiscard]] Extensions shown_to_edc(const std::string& peer, const contract::CatalogEntry& entry) const;

    Options o_;
    std::map<std::string, contract::Agreement, std::less<>> told_;
};

// Why a participant behind an EDC ended a transfer that it has received whole: its Management API cannot complete one.
inline constexpr std::string_view received_whole = "received";

// "https://Plant-a.example:443/dsp" -> "https://plant-a.example", so that one origin is one text; empty when it is no address.
std::string origin_of(std::string_view address);

}  // namespace entente::dsp
