#include "identity/jwt_keys.hpp"

#include <algorithm>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "entente/base/base64.hpp"

namespace entente::native {
namespace {

constexpr std::size_t limit_bytes = 256 * 1024;
constexpr std::size_t most_keys = 64;
constexpr std::size_t least_rsa_bits = 2048;
constexpr std::size_t most_rsa_bits = 8192;
constexpr std::size_t most_exponent_bytes = 8;
constexpr std::size_t p256_bytes = 32;

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const {
        release(object);
    }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Release<release>>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using Builder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Context = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Number = Owned<BIGNUM, BN_free>;

const unsigned char* raw(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Error passed_over(const char* why) { return {Code::invalid_argument, "jwks.key", std::string("key: expected ") + why}; }

std::string text_of(const Json& jwk, std::string_view name) {
    const Json* member = jwk.find(name);
    return member != nullptr && member->kind == Json::Kind::string ? member->text : std::string();
}

// Null when OpenSSL does not take it, such as a point that is not on the curve.
std::shared_ptr<EVP_PKEY> public_key(const char* type, OSSL_PARAM_BLD& builder) {
    const Params params(OSSL_PARAM_BLD_to_param(&builder));
    const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
    if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) return nullptr;
    std::shared_ptr<EVP_PKEY> owned(key, EVP_PKEY_free);
    const Context check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return check && EVP_PKEY_public_check(check.get()) == 1 ? owned : nullptr;
}

Result<std::shared_ptr<EVP_PKEY>> rsa_key(const Json& jwk) {
    const auto n = from_base64url(text_of(jwk, "n"));
    const auto e = from_base64url(text_of(jwk, "e"));
    if (!n.ok() || !e.ok() || e->empty() || e->size() > most_exponent_bytes || n->size() > most_rsa_bits / 8) {
        return passed_over("n and e of an RSA key");
    }
    const Number modulus(BN_bin2bn(raw(*n), static_cast<int>(n->size()), nullptr));
    const Number exponent(BN_bin2bn(raw(*e), static_cast<int>(e->size()), nullptr));
    if (!modulus || !exponent || static_cast<std::size_t>(BN_num_bits(modulus.get())) < least_rsa_bits ||
        BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1) {
        return passed_over("an RSA key of at least 2048 bits with an odd exponent above 1");
    }
    const Builder builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
        return passed_over("memory");
    }
    auto key = public_key("RSA", *builder);
    if (!key) return passed_over("a good RSA key");
    return key;
}

Result<std::shared_ptr<EVP_PKEY>> p256_key(const Json& jwk) {
    const auto x = from_base64url(text_of(jwk, "x"));
    const auto y = from_base64url(text_of(jwk, "y"));
    if (text_of(jwk, "crv") != "P-256" || !x.ok() || !y.ok() || x->size() != p256_bytes || y->size() != p256_bytes) {
        return passed_over("x and y of 32 bytes each on P-256");
    }
    Bytes point{std::byte{4}};  // uncompressed
    point.insert(point.end(), x->begin(), x->end());
    point.insert(point.end(), y->begin(), y->end());
    const Builder builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
        return passed_over("memory");
    }
    auto key = public_key("EC", *builder);
    if (!key) return passed_over("a point on P-256");
    return key;
}

Result<codec::PublicKey> ed25519_key(const Json& jwk) {
    const auto x = from_base64url(text_of(jwk, "x"));
    codec::PublicKey key;
    if (text_of(jwk, "crv") != "Ed25519" || !x.ok() || x->size() != key.bytes.size()) return passed_over("x of 32 bytes of Ed25519");
    std::copy(x->begin(), x->end(), key.bytes.begin());
    return key;
}

// OpenSSL reads DER; a JWS has r and s side by side.
Bytes der_of(ByteView signature) {
    if (signature.size() != 2 * p256_bytes) return {};
    const Owned<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
    BIGNUM* r = BN_bin2bn(raw(signature), p256_bytes, nullptr);
    BIGNUM* s = BN_bin2bn(raw(signature.subspan(p256_bytes)), p256_bytes, nullptr);
    if (!pair || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return {};
    }
    unsigned char* out = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &out);
    if (size <= 0) return {};
    Bytes der(reinterpret_cast<const std::byte*>(out), reinterpret_cast<const std::byte*>(out) + size);
    OPENSSL_free(out);
    return der;
}

bool verified_by(EVP_PKEY* key, std::string_view input, ByteView signature) {
    const DigestContext context(EVP_MD_CTX_new());
    if (!context || EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1) return false;
    return EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(as_bytes(input)), input.size()) == 1;
}

// What the provider says that the key is for.
bool for_verifying(const Json& jwk, std::string_view algorithm) {
    if (const Json* use = jwk.find("use"); use != nullptr && use->text != "sig") return false;
    if (const Json* alg = jwk.find("alg"); alg != nullptr && alg->text != algorithm) return false;
    const Json* operations = jwk.find("key_ops");
    return operations == nullptr || std::any_of(operations->items.begin(), operations->items.end(),
                                                [](const Json& one) { return one.text == "verify"; });
}

}  // namespace

std::optional<JwtAlgorithm> jwt_algorithm(std::string_view name) noexcept {
    if (name == "RS256") return JwtAlgorithm::rs256;
    if (name == "ES256") return JwtAlgorithm::es256;
    if (name == "EdDSA") return JwtAlgorithm::eddsa;
    return std::nullopt;
}

Result<JwtKey> JwtKey::read(const Json& jwk) {
    JwtKey key;
    key.kid_ = text_of(jwk, "kid");
    if (key.kid_.empty()) return passed_over("a kid");
    const std::string type = text_of(jwk, "kty");
    if (type == "RSA" && for_verifying(jwk, "RS256")) {
        key.algorithm_ = JwtAlgorithm::rs256;
        ENTENTE_ASSIGN(key.key_, rsa_key(jwk));
    } else if (type == "EC" && for_verifying(jwk, "ES256")) {
        key.algorithm_ = JwtAlgorithm::es256;
        ENTENTE_ASSIGN(key.key_, p256_key(jwk));
    } else if (type == "OKP" && for_verifying(jwk, "EdDSA")) {
        key.algorithm_ = JwtAlgorithm::eddsa;
        ENTENTE_ASSIGN(key.key_, ed25519_key(jwk));
    } else {
        return passed_over("a key that verifies RS256, ES256 or EdDSA");
    }
    return key;
}

bool JwtKey::verifies(std::string_view signing_input, ByteView signature) const {
    if (const auto* key = std::get_if<codec::PublicKey>(&key_)) {
        codec::Signature fixed;
        if (signature.size() != fixed.bytes.size()) return false;
        std::copy(signature.begin(), signature.end(), fixed.bytes.begin());
        return codec::verify_bare(*key, as_bytes(signing_input), fixed);
    }
    EVP_PKEY* const key = std::get<OpenSslKey>(key_).get();
    if (algorithm_ == JwtAlgorithm::rs256) return verified_by(key, signing_input, signature);
    const Bytes der = der_of(signature);
    return !der.empty() && verified_by(key, signing_input, der);
}

Result<JwtKeys> JwtKeys::read(std::string_view text) {
    ENTENTE_ASSIGN(const Json document, read_json(text, {.bytes = limit_bytes, .depth = 8}));
    const Json* list = document.find("keys");
    if (list == nullptr || list->kind != Json::Kind::array) {
        return Error{Code::invalid_argument, "jwks.malformed", "key set: expected an object with an array \"keys\""};
    }
    JwtKeys keys;
    for (const Json& jwk : list->items) {
        if (keys.keys_.size() == most_keys) break;
        if (auto key = JwtKey::read(jwk); key.ok()) keys.keys_.push_back(std::move(key).value());
    }
    return keys;
}

const JwtKey* JwtKeys::find(std::string_view kid, JwtAlgorithm algorithm) const noexcept {
    const auto it = std::find_if(keys_.begin(), keys_.end(),
                                 [&](const JwtKey& key) { return key.algorithm() == algorithm && key.kid() == kid; });
    return it == keys_.end() ? nullptr : &*it;
}

}  // namespace entente::native
