// An OpenID Connect issuer as the coordinator sees it: where its endpoints are, which keys it signs with today, and whether
// a token is one of its own (OpenID Connect Discovery 1.0; RFC 8414).
//
//   auto issuer = Issuer::make({.issuer = "https://id.example/realms/entente", .ask = ask, .now_ms = now_ms});
//   issuer->verify(bearer, {"entente-api"}, [](Result<Json> claims) { … });
//
// Keys are fetched when the first token comes, again when they are ten minutes old, and once for a token whose key is not
// among them (that is how a provider rotates), but never twice within ten seconds, whoever asks. For an hour without a
// provider the keys at hand go on being good; after that tokens are refused until it answers.
// Errors beside jwt.hpp's: unauthenticated "token.key" when the provider does not know the key; unavailable
// "issuer.unreachable" when it does not answer, "issuer.busy" when a thousand wait for it; data_loss "issuer.malformed" in a
// discovery document that is not one, or another issuer's.
// Thread-safe. Completions run once: at once, or later on the thread that brought the answer.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "identity/issuer_http.hpp"
#include "identity/jwt.hpp"

namespace entente::native {

struct Discovery {
    std::string jwks_uri;
    std::string token_endpoint;
    std::string device_authorization_endpoint;  // empty: it has none
};

// Every endpoint is as check_issuer_url() wants it, and https when the issuer is. data_loss "issuer.malformed".
Result<Discovery> read_discovery(std::string_view body, const std::string& issuer);

// Asks for it: unavailable "issuer.unreachable", and read_discovery()'s errors.
void discover(const AskIssuer& ask, const std::string& issuer, std::function<void(Result<Discovery>)> completion);

struct IssuerOptions {
    std::string issuer;
    AskIssuer ask;
    std::function<std::int64_t()> now_ms;
};

class Issuer : public std::enable_shared_from_this<Issuer> {
public:
    using Completion = std::function<void(Result<Json>)>;

    static std::shared_ptr<Issuer> make(IssuerOptions options);
    // `audiences`: it must be made out to one of them.
    void verify(const std::string& token, std::vector<std::string> audiences, Completion completion);

private:
    struct Waiting {
        Jwt token;
        std::vector<std::string> audiences;
        Completion completion;
    };

    explicit Issuer(IssuerOptions options) : o_(std::move(options)) {}
    [[nodiscard]] Result<Json> judge(const Jwt& token, const std::vector<std::string>& audiences) const;  // by the keys at hand
    [[nodiscard]] bool knows(const Jwt& token) const { return keys_ && keys_->find(token.kid, token.algorithm) != nullptr; }
    void fetch();
    void settle(Result<JwtKeys> keys);

    const IssuerOptions o_;
    mutable std::mutex mutex_;
    std::optional<JwtKeys> keys_;
    std::int64_t keys_at_ms_ = 0;
    std::optional<std::int64_t> asked_at_ms_;
    bool asking_ = false;
    std::vector<Waiting> waiting_;
};

}  // namespace entente::native
