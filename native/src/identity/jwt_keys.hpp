// The keys that an identity provider signs with, as it publishes them (JSON Web Key Set, RFC 7517 and 8037).
//
//   ENTENTE_ASSIGN(const JwtKeys keys, JwtKeys::read(body));
//   const JwtKey* key = keys.find("2026-11", JwtAlgorithm::es256);
//   if (key != nullptr && key->verifies(signing_input, signature)) …
//
// A key has one algorithm, and its type decides which: RSA of 2048 to 8192 bits RS256, EC on P-256 ES256, OKP with Ed25519
// EdDSA. No token can ask a key for another one. Keys of other kinds, for encryption ("use", "key_ops"), with another "alg",
// without a "kid", or malformed are passed over: providers publish such beside the good ones. Symmetric keys are never keys.
// Errors: invalid_argument "jwks.malformed"; too_large "json.too-large" above 256 KiB. Plain values; reading them is
// thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "entente/base/json.hpp"
#include "entente/codec/sign.hpp"

struct evp_pkey_st;

namespace entente::native {

enum class JwtAlgorithm { rs256, es256, eddsa };

// "RS256", "ES256", "EdDSA" as written so; nothing else, "none" and the HMACs above all.
std::optional<JwtAlgorithm> jwt_algorithm(std::string_view name) noexcept;

class JwtKey {
public:
    // invalid_argument "jwks.key" for what is passed over.
    static Result<JwtKey> read(const Json& jwk);

    [[nodiscard]] const std::string& kid() const noexcept { return kid_; }
    [[nodiscard]] JwtAlgorithm algorithm() const noexcept { return algorithm_; }
    // RS256: PKCS #1 v1.5; ES256: r and s, 32 bytes each (RFC 7518, section 3.4); EdDSA: RFC 8032, strict.
    [[nodiscard]] bool verifies(std::string_view signing_input, ByteView signature) const;

private:
    using OpenSslKey = std::shared_ptr<evp_pkey_st>;

    std::string kid_;
    JwtAlgorithm algorithm_ = JwtAlgorithm::eddsa;
    std::variant<codec::PublicKey, OpenSslKey> key_;
};

class JwtKeys {
public:
    static Result<JwtKeys> read(std::string_view text);
    // The first of that name and algorithm; null: none.
    [[nodiscard]] const JwtKey* find(std::string_view kid, JwtAlgorithm algorithm) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

private:
    std::vector<JwtKey> keys_;
};

}  // namespace entente::native
