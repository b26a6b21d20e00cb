#include "entente/codec/sign.hpp"

#include <sodium.h>

#include <algorithm>

namespace entente::codec {

namespace {

static_assert(crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_PUBLICKEYBYTES == 32 &&
              crypto_sign_BYTES == 64);

const unsigned char* raw(const std::byte* bytes) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* raw(std::byte* bytes) noexcept { return reinterpret_cast<unsigned char*>(bytes); }

Bytes with_context(std::string_view context, ByteView message) {
    constexpr std::string_view domain = "entente/v1/";
    Bytes all;
    all.reserve(domain.size() + context.size() + 1 + message.size());
    const ByteView domain_bytes = as_bytes(domain);
    const ByteView context_bytes = as_bytes(context);
    all.insert(all.end(), domain_bytes.begin(), domain_bytes.end());
    all.insert(all.end(), context_bytes.begin(), context_bytes.end());
    all.push_back(std::byte{0});
    all.insert(all.end(), message.begin(), message.end());
    return all;
}

template <class T>
Result<T> array_from_hex(std::string_view text) {
    T value;
    if (text.size() != 2 * value.bytes.size()) {
        return Error{Code::invalid_argument, "hex.malformed",
                     "expected " + std::to_string(2 * value.bytes.size()) + " hexadecimal digits, found " +
                         std::to_string(text.size())};
    }
    ENTENTE_ASSIGN(const Bytes bytes, from_hex(text));
    std::copy(bytes.begin(), bytes.end(), value.bytes.begin());
    return value;
}

}  // namespace

Result<PublicKey> public_key_from_hex(std::string_view text) { return array_from_hex<PublicKey>(text); }
Result<Signature> signature_from_hex(std::string_view text) { return array_from_hex<Signature>(text); }

SigningKey::SigningKey(std::span<const std::byte, seed_bytes> seed) noexcept : secret_{} {
    crypto_sign_seed_keypair(raw(public_key_.bytes.data()), raw(secret_.data()), raw(seed.data()));
}

SigningKey::SigningKey(SigningKey&& other) noexcept : secret_(other.secret_), public_key_(other.public_key_) {
    sodium_memzero(other.secret_.data(), other.secret_.size());
    other.public_key_ = PublicKey{};
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
    if (this != &other) {
        secret_ = other.secret_;
        public_key_ = other.public_key_;
        sodium_memzero(other.secret_.data(), other.secret_.size());
        other.public_key_ = PublicKey{};
    }
    return *this;
}

SigningKey::~SigningKey() { sodium_memzero(secret_.data(), secret_.size()); }

Signature SigningKey::sign(std::string_view context, ByteView message) const {
    return sign_bare(with_context(context, message));
}

Signature SigningKey::sign_bare(ByteView message) const {
    Signature signature;
    crypto_sign_detached(raw(signature.bytes.data()), nullptr, raw(message.data()), message.size(), raw(secret_.data()));
    return signature;
}

bool verify(const PublicKey& key, std::string_view context, ByteView message, const Signature& signature) {
    return verify_bare(key, with_context(context, message), signature);
}

bool verify_bare(const PublicKey& key, ByteView message, const Signature& signature) {
    // libsodium (built without ED25519_COMPAT) refuses S >= L, small-order R and key, and non-canonical keys.
    return crypto_sign_verify_detached(raw(signature.bytes.data()), raw(message.data()), message.size(),
                                       raw(key.bytes.data())) == 0;
}

}  // namespace entente::codec
