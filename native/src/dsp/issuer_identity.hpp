// Connectors that an identity provider vouches for: a token is an access token that the caller gets from its issuer by client
// credentials, made out to the receiver, and the receiver checks it by the issuer's keys (identity/jwt.hpp).
//
//   auto identity = make_issuer_identity({.issuer = "https://id.example", .client = {"plant-a", secret}, .knows = roster, .ask = ask, .now_ms = now_ms});
//
// A token is asked for with the receiver's base address as "resource" (RFC 8707), so "aud" is that address, and kept until half a
// minute before it expires. An issuer that decides the audience by itself will not do: whoever gets such a token could show it to
// the next. The participant is in the claim `company_claim`, as for people (identity/identity.hpp), and one that `knows` knows. A
// bearer token counts as often as it is shown while it lives: let it live for minutes.
// Errors: those of identity/issuer.hpp, identity/grants.hpp and company_of(); unauthenticated "identity.none" without a token,
// "identity.stranger" for a company that takes no part.
// Thread-safe.
#pragma once

#include "dsp/identity_provider.hpp"
#include "identity/grants.hpp"

namespace entente::native {

// How a connector is told who vouches: for its owner's options.
struct VouchedBy {
    std::string issuer;  // empty: nobody; connectors know each other's keys
    OidcClient client;
    std::string company_claim = "participant_id";
    std::string ca_file = {};
};

struct IssuerIdentityOptions {
    std::string issuer;
    OidcClient client;
    std::string scope = {};
    std::string company_claim = "participant_id";
    std::function<bool(const std::string& participant)> knows;
    AskIssuer ask;
    std::function<std::int64_t()> now_ms;
};

std::unique_ptr<IdentityProvider> make_issuer_identity(IssuerIdentityOptions options);

}  // namespace entente::native
