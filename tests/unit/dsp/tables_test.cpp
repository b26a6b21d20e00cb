// The tables against the protocol's own: every state, every message, both senders.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <tuple>

#include "connectors/dsp/tables.hpp"

using namespace entente::dsp;

namespace {

// "FROM sender message TO", as the state machines of the specification draw their arrows.
const std::set<std::string> negotiation_arrows{
    "REQUESTED consumer termination TERMINATED", "REQUESTED provider offer OFFERED",
    "REQUESTED provider agreement AGREED",       "REQUESTED provider termination TERMINATED",
    "OFFERED consumer request REQUESTED",        "OFFERED consumer ACCEPTED ACCEPTED",
    "OFFERED consumer termination TERMINATED",   "OFFERED provider termination TERMINATED",
    "ACCEPTED provider agreement AGREED",        "ACCEPTED provider termination TERMINATED",
    "AGREED consumer verification VERIFIED",     "AGREED consumer termination TERMINATED",
    "VERIFIED provider FINALIZED FINALIZED",     "VERIFIED provider termination TERMINATED",
};
const std::set<std::string> transfer_arrows{
    "REQUESTED provider start STARTED",        "REQUESTED provider termination TERMINATED",
    "REQUESTED consumer termination TERMINATED", "STARTED provider completion COMPLETED",
    "STARTED consumer completion COMPLETED",   "STARTED provider suspension SUSPENDED",
    "STARTED consumer suspension SUSPENDED",   "STARTED provider termination TERMINATED",
    "STARTED consumer termination TERMINATED", "SUSPENDED provider start STARTED",
    "SUSPENDED consumer start STARTED",        "SUSPENDED provider termination TERMINATED",
    "SUSPENDED consumer termination TERMINATED",
};

std::string name_of(Kind kind) {
    switch (kind) {
        case Kind::contract_request: return "request";
        case Kind::contract_offer: return "offer";
        case Kind::acceptance: return "ACCEPTED";
        case Kind::agreement: return "agreement";
        case Kind::verification: return "verification";
        case Kind::finalization: return "FINALIZED";
        case Kind::transfer_request: return "request";
        case Kind::transfer_start: return "start";
        case Kind::transfer_suspension: return "suspension";
        case Kind::transfer_completion: return "completion";
        case Kind::negotiation_termination:
        case Kind::transfer_termination: return "termination";
    }
    return {};
}

template <class State>
std::set<std::string> arrows(State last) {
    std::set<std::string> found;
    for (int s = 0; s <= static_cast<int>(last); ++s) {
        for (const Role sender : {Role::provider, Role::consumer}) {
            for (int k = 0; k <= static_cast<int>(Kind::transfer_termination); ++k) {
                const auto from = static_cast<State>(s);
                const auto kind = static_cast<Kind>(k);
                const auto to = next(from, sender, kind);
                if (!to) continue;
                found.insert(std::string(word(from)) + " " + std::string(to_string(sender)) + " " + name_of(kind) + " " + std::string(word(*to)));
                CHECK_FALSE(is_final(from));
            }
        }
    }
    return found;
}

}  // namespace

TEST_CASE("a negotiation moves along the protocol's arrows and along no other") {
    CHECK(arrows(NegotiationState::terminated) == negotiation_arrows);
}

TEST_CASE("a transfer moves along the protocol's arrows and along no other") {
    CHECK(arrows(TransferState::terminated) == transfer_arrows);
}
