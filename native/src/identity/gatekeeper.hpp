// Who is asking, whichever way they came in: a token of our own (the operator's, or one that a join code was redeemed for), or one
// of the identity provider, when there is one.
//
//   Gatekeeper gate({.codes = codes, .issuer = issuer, .audience = "entente-api", .claims = {}, .post = post});
//   gate.identify({bearer, remote, certificate}, [](Result<Principal> who) { … });
//
// Errors: unauthenticated "auth.no-token", "auth.unknown-token", "auth.expired-token", "auth.other-certificate", "token.*"; permission_denied "auth.no-role", "auth.no-company",
// "join.removed"; unavailable "issuer.*". One strand, which `post` runs work on; completions run there, at once or later.
#pragma once

#include <functional>
#include <memory>

#include "http/message.hpp"
#include "identity/issuer.hpp"
#include "identity/join_codes.hpp"

namespace entente::native {

class Gatekeeper {
public:
    struct Options {
        JoinCodes& codes;
        std::shared_ptr<Issuer> issuer;  // null: none
        std::string audience;            // what its tokens are made out to
        ClaimNames claims;
        std::string coordinator;         // its participant id, in whose name nobody comes in
        std::function<void(std::function<void()>)> post;
    };
    using Completion = std::function<void(Result<Principal>)>;

    explicit Gatekeeper(Options options) : o_(std::move(options)) {}
    void identify(const http::Caller& caller, Completion completion);

private:
    [[nodiscard]] Result<Principal> admit(const Result<Json>& claims, const std::string& certificate) const;

    Options o_;
};

}  // namespace entente::native
