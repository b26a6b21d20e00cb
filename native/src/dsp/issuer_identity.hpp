// Connectors that an identity provider vouches for: a token is an access token that the caller gets from its issuer by client
// credentials, made out to the receiver, and the receiver checks it by the issuer's keys (identity/jwt.hpp).
//
//   auto identity = make_issuer_identity({.issuer = "https://id.example", .client = {"plant-a", secret}, .ask = ask, .now_ms = now_ms});
//
// A token is asked for with the receiver's base address as "resource" (RFC 8707), so "aud" is that address, and kept until half a
// minute before it expires. Where an issuer decides the audience by itself, the receiver names it in `also_accepted`. The participant
// is in the claim `company_claim`, as for people (identity/identity.hpp). A bearer token counts as often as it is shown while it
// lives: let it live for minutes.
// Errors: those of identity/issuer.hpp, identity/grants.hpp and company_of(); unauthenticated "identity.none" without a token.
// Thread-safe.
#pragma once

#include "dsp/identity_provider.hpp"
#include "identity/grants.hpp"

namespace entente::native {

struct IssuerIdentityOptions {
    std::string issuer;
    OidcClient client;
    std::string scope = {};
    std::string company_claim = "participant_id";
    std::vector<std::string> also_accepted = {};  // audiences beside the expected one
    AskIssuer ask;
    std::function<std::int64_t()> now_ms;
};

std::unique_ptr<IdentityProvider> make_issuer_identity(IssuerIdentityOptions options);

}  // namespace entente::native
