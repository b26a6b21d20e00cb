// Who is calling, where some peers are connectors of ours and some are Eclipse EDCs: signed tokens (signed_identity.hpp) from and
// for all but those that are registered as EDCs, which get and bring EDC's mock token.
//
//   auto identity = make_peer_identity({.signed_tokens = std::move(ours), .mock = std::move(mock), .edc_called = roster, .edc_at = roster});
//
// The mock token says who its sender is and proves nothing. So it is believed of a participant that is registered as an
// EDC, of nobody else, and only where the operator has asked for it: without `mock` it is refused, unauthenticated
// "identity.mock". What such a caller is told still goes to the address that the participant has registered.
#pragma once

#include <optional>

#include "dsp/identity_provider.hpp"

namespace entente::native {

struct PeerIdentityOptions {
    std::unique_ptr<IdentityProvider> signed_tokens;
    std::unique_ptr<IdentityProvider> mock;  // may be null
    // By what an EDC calls itself: who that is here, if it is registered.
    std::function<std::optional<std::string>(const std::string& name)> edc_called;
    std::function<bool(const std::string& address)> edc_at;  // of its Dataspace Protocol
};

std::unique_ptr<IdentityProvider> make_peer_identity(PeerIdentityOptions options);

// How the operator asks for it, for the sentences of those who refuse.
inline constexpr const char* mock_option = "--insecure-mock-identity";

}  // namespace entente::native
