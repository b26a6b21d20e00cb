// What a connector decides, apart from the protocol: who sees what, who may begin a process, and what we say next. The
// production behaviour asks policy and the federation; the compatibility kit's is a table.
#pragma once

#include "connectors/dsp/catalogue.hpp"
#include "connectors/dsp/process.hpp"

namespace entente::dsp {

// A message that we want to send in a process. The protocol's part fills in ids and pids, and drops it when the state
// no longer allows it.
struct Act {
    Kind send = Kind::negotiation_termination;
    std::int64_t after_ms = 0;           // pause before it, from the acknowledgement of the one before
    std::string policy;                  // contract_offer, contract_request (counter-offer), agreement
    std::optional<DataAddress> address;  // transfer_start
    std::string code;
    std::vector<std::string> reasons;
    std::map<std::string, std::string> extensions;
};

enum class Cause : std::uint8_t {
    received,      // the peer's message was applied
    acknowledged,  // the peer has taken ours
    failed,        // the process was given up by us: deadline, refusal or silence
};

// Calls are made before anything is stored: they may look, but nothing outside may depend on them having been made.
// One thread.
class Behaviour {
public:
    virtual ~Behaviour() = default;

    // May we send to this address on the word of `peer`? permission_denied "dsp.callback".
    virtual Status admit_address(const std::string& peer, const std::string& address) = 0;

    // `peer` sees those datasets of ours that are meant for it, in a fixed order; `total` counts all of them.
    struct Found {
        std::vector<Dataset> datasets;
        std::size_t total = 0;
    };
    virtual Found catalogue(const std::string& peer, const CatalogueFilter& filter) = 0;

    // What the peer's first message has no place for, from elsewhere: before admit() is asked.
    virtual void complete(Negotiation&) {}
    virtual void complete(TransferProcess&) {}

    // A process that the peer wants to begin, as it would be. not_found: as if there were nothing.
    virtual Status admit(const Negotiation& proposed) = 0;
    virtual Status admit(const TransferProcess& proposed) = 0;

    // Consumer: the agreement has been found to be over the offer, between the right two. May it be verified?
    virtual Status admit_agreement(const Negotiation& agreed) = 0;

    // What follows, in this order, now that `kind` was applied.
    virtual std::vector<Act> next(const Negotiation& after, Kind kind, Cause cause) = 0;
    virtual std::vector<Act> next(const TransferProcess& after, Kind kind, Cause cause) = 0;
};

}  // namespace entente::dsp
