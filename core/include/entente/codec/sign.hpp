// Ed25519 signatures (RFC 8032) with domain separation: what is signed is
// "entente/v1/" + context + one zero byte + message, so that a signature made for one purpose never fits
// another.
//
//   codec::SigningKey key(seed);                                    // 32 random bytes from the caller
//   codec::Signature signature = key.sign("offer", message);
//   bool good = codec::verify(key.public_key(), "offer", message, signature);
//
// A context is short, lower case, without zero bytes: "frame", "offer", "receipt".
// Thread-safety: signing with a const key and verifying are safe from several threads.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

namespace entente::codec {

struct PublicKey {
    std::array<std::byte, 32> bytes{};

    friend bool operator==(const PublicKey&, const PublicKey&) = default;
    // Written out because libc++ 13 has no <=> for std::array.
    friend std::strong_ordering operator<=>(const PublicKey& a, const PublicKey& b) noexcept {
        return std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) <=> 0;
    }
    [[nodiscard]] bool is_zero() const noexcept { return *this == PublicKey{}; }
};

struct Signature {
    std::array<std::byte, 64> bytes{};

    friend bool operator==(const Signature&, const Signature&) = default;
};

using entente::to_hex;  // else the next two would hide it in this namespace
inline std::string to_hex(const PublicKey& key) { return entente::to_hex(ByteView(key.bytes)); }
inline std::string to_hex(const Signature& signature) { return entente::to_hex(ByteView(signature.bytes)); }
Result<PublicKey> public_key_from_hex(std::string_view text);  // exactly 64 digits, else "hex.malformed"
Result<Signature> signature_from_hex(std::string_view text);   // exactly 128 digits, else "hex.malformed"

// A private key. The core has no randomness: the caller hands in the seed and wipes its own copy.
// Moving leaves the source zeroed, and the destructor zeroes the secret. Using a moved-from key signs nothing
// that verifies.
class SigningKey {
public:
    static constexpr std::size_t seed_bytes = 32;

    explicit SigningKey(std::span<const std::byte, seed_bytes> seed) noexcept;
    SigningKey(SigningKey&& other) noexcept;
    SigningKey& operator=(SigningKey&& other) noexcept;
    SigningKey(const SigningKey&) = delete;
    SigningKey& operator=(const SigningKey&) = delete;
    ~SigningKey();

    [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }

    [[nodiscard]] Signature sign(std::string_view context, ByteView message) const;
    // Over exactly these bytes, for formats that bring their own domain: a JWS (jws.hpp), a DSSE envelope, a note, a
    // cosignature (proof/). They begin with "eyJ", "DSSEv1 ", the origin of a log and "cosignature/v1", never "entente/v1/".
    [[nodiscard]] Signature sign_bare(ByteView message) const;

private:
    std::array<std::byte, 64> secret_;  // seed + public key, as libsodium keeps it
    PublicKey public_key_;
};

// Strict: a non-canonical S, a small-order or non-canonical key and a small-order R are all refused, so one
// message has one answer on every implementation.
[[nodiscard]] bool verify(const PublicKey& key, std::string_view context, ByteView message,
                          const Signature& signature);
[[nodiscard]] bool verify_bare(const PublicKey& key, ByteView message, const Signature& signature);

}  // namespace entente::codec
