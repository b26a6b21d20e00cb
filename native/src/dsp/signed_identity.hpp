// Connectors that know each other's keys: a token is a JWT (RFC 7519) that its sender has signed with the very key that
// signs its offers (EdDSA). No identity provider is needed, and nobody can speak for another.
//
//   auto identity = make_signed_identity({.participant = "plant-a", .key = key, .key_of = roster, .now_ms = now_ms});
//
// Claims: iss and sub the participant, aud the receiver's base address, iat, exp (a minute later), jti. Verified: the
// signature by the roster's key of that participant, the audience, the time with a minute of leeway, and that the token
// was not seen before. Refusals: unauthenticated "identity.malformed", ".stranger", ".signature", ".audience", ".expired", ".replayed".
#pragma once

#include <optional>

#include "dsp/identity_provider.hpp"
#include "entente/codec/sign.hpp"

namespace entente::native {

struct SignedIdentityOptions {
    std::string participant;
    const codec::SigningKey& key;
    std::function<std::optional<codec::PublicKey>(const std::string& participant)> key_of;
    std::function<std::int64_t()> now_ms;
    std::vector<std::string> also_accepted;  // audiences beside the expected one
};

std::unique_ptr<IdentityProvider> make_signed_identity(SignedIdentityOptions options);

}  // namespace entente::native
