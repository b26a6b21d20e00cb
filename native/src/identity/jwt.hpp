// JSON Web Tokens from an identity provider (RFC 7519, 7515, 8725, 9068): read, then verified, then believed.
//
//   ENTENTE_ASSIGN(const Jwt token, read_jwt(bearer));                       // nothing is true yet
//   const JwtKey* key = keys.find(token.kid, token.algorithm);               // null: ask the provider for newer keys
//   ENTENTE_ASSIGN(const Json claims, verify_jwt(token, *key, {.issuer = "https://id.example", .audiences = {"entente-api"}}, now_s));
//
// Refused in the header: another algorithm than RS256, ES256 and EdDSA, no "kid", a critical extension, a "typ" other than
// JWT and at+jwt. "jwk", "jku", "x5c" and "x5u" are not looked at: keys come from the provider alone. Refused in the claims:
// another issuer or audience, no subject, no "exp", and times outside of now give or take a minute; a token that is bound to
// a key of its holder ("cnf"), which nobody here could check; what Keycloak marks as another kind ("typ": ID, Refresh …).
// Errors: unauthenticated "token.malformed", ".algorithm", ".type", ".signature", ".issuer", ".audience", ".expired",
// ".early", ".subject", ".bound". No message repeats the token. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/json.hpp"
#include "identity/jwt_keys.hpp"

namespace entente::native {

inline constexpr std::size_t max_jwt_bytes = 8 * 1024;
inline constexpr std::int64_t jwt_leeway_s = 60;

struct Jwt {
    JwtAlgorithm algorithm = JwtAlgorithm::eddsa;
    std::string kid;
    Json claims;  // an object
    std::string signing_input;
    Bytes signature;
};

struct JwtExpected {
    std::string issuer;
    std::vector<std::string> audiences;  // one of them
};

Result<Jwt> read_jwt(std::string_view token);
// The claims, which may be believed. `key` is of the token's algorithm.
Result<Json> verify_jwt(const Jwt& token, const JwtKey& key, const JwtExpected& expected, std::int64_t now_s);

// Has this text the three parts of a JWT? Decides by whom a bearer token is judged; says nothing of whether it is good.
[[nodiscard]] bool looks_like_jwt(std::string_view text) noexcept;

// A claim by its path, "realm_access.roles"; a claim whose very name that is comes first ("https://example.org/roles"). Null: none.
[[nodiscard]] const Json* claim_at(const Json& claims, std::string_view path) noexcept;
// A claim that is a text; empty when it is none.
[[nodiscard]] std::string text_claim(const Json& claims, std::string_view path);
// A NumericDate (seconds, a fraction is cut off); empty when it is none.
[[nodiscard]] std::optional<std::int64_t> time_claim(const Json& claims, std::string_view name) noexcept;

}  // namespace entente::native
