// An identity provider's signing keys for the tests: their JWKs, and tokens signed with them by OpenSSL or libsodium.
#pragma once

#include <memory>
#include <string>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "entente/base/base64.hpp"
#include "entente/codec/jws.hpp"

namespace entente::native::testing {

inline std::string text64(std::string_view text) { return to_base64url(as_bytes(text)); }

class TokenMaker {
public:
    // "RS256", "ES256" or "EdDSA".
    explicit TokenMaker(std::string algorithm, std::string kid, int seed = 1) : algorithm_(std::move(algorithm)), kid_(std::move(kid)) {
        if (algorithm_ == "RS256") key_.reset(EVP_RSA_gen(2048), EVP_PKEY_free);
        if (algorithm_ == "ES256") key_.reset(EVP_EC_gen("P-256"), EVP_PKEY_free);
        std::array<std::byte, codec::SigningKey::seed_bytes> bytes{};
        bytes.fill(static_cast<std::byte>(seed));
        ed25519_ = std::make_shared<codec::SigningKey>(bytes);
    }

    [[nodiscard]] std::string jwk(const std::string& more = {}) const {
        const std::string common = R"({"kid":")" + kid_ + "\"" + more;
        if (algorithm_ == "RS256") return common + R"(,"kty":"RSA","n":")" + number("n", 0) + R"(","e":")" + number("e", 0) + "\"}";
        if (algorithm_ == "ES256") {
            return common + R"(,"kty":"EC","crv":"P-256","x":")" + number("qx", 32) + R"(","y":")" + number("qy", 32) + "\"}";
        }
        return common + R"(,"kty":"OKP","crv":"Ed25519","x":")" + to_base64url(ed25519_->public_key().bytes) + "\"}";
    }

    [[nodiscard]] std::string header(const std::string& more = R"(,"typ":"at+jwt")") const {
        return R"({"alg":")" + algorithm_ + R"(","kid":")" + kid_ + "\"" + more + "}";
    }

    [[nodiscard]] std::string token(const std::string& claims) const { return token(header(), claims); }
    [[nodiscard]] std::string token(const std::string& header_json, const std::string& claims) const {
        const std::string input = text64(header_json) + "." + text64(claims);
        return input + "." + to_base64url(signature(input));
    }

    [[nodiscard]] Bytes signature(const std::string& input) const {
        if (!key_) {
            const codec::Signature made = ed25519_->sign_bare(as_bytes(std::string_view(input)));
            return {made.bytes.begin(), made.bytes.end()};
        }
        Bytes out(512);
        std::size_t size = out.size();
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       reinterpret_cast<const unsigned char*>(input.data()), input.size());
        out.resize(size);
        return algorithm_ == "ES256" ? side_by_side(out) : out;
    }

    // The public key as PEM: what a confused verifier would take for an HMAC secret.
    [[nodiscard]] std::string pem() const {
        const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
        EVP_PKEY_print_public(memory.get(), key_.get(), 0, nullptr);
        char* data = nullptr;
        const long size = BIO_get_mem_data(memory.get(), &data);
        return {data, static_cast<std::size_t>(size)};
    }

private:
    [[nodiscard]] std::string number(const char* name, int width) const {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(key_.get(), name, &value);
        const int size = width > 0 ? width : BN_num_bytes(value);
        Bytes bytes(static_cast<std::size_t>(size));
        BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), size);
        BN_free(value);
        return to_base64url(bytes);
    }

    static Bytes side_by_side(const Bytes& der) {
        const auto* at = reinterpret_cast<const unsigned char*>(der.data());
        ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
        Bytes out(64);
        BN_bn2binpad(ECDSA_SIG_get0_r(pair), reinterpret_cast<unsigned char*>(out.data()), 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), reinterpret_cast<unsigned char*>(out.data()) + 32, 32);
        ECDSA_SIG_free(pair);
        return out;
    }

    std::string algorithm_;
    std::string kid_;
    std::shared_ptr<EVP_PKEY> key_;
    std::shared_ptr<codec::SigningKey> ed25519_;
};

inline std::string key_set(const std::string& jwks) { return R"({"keys":[)" + jwks + "]}"; }

}  // namespace entente::native::testing
