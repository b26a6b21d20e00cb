#include "entente/codec/sign.hpp"

#include <doctest/doctest.h>
#include <sodium.h>

#include <algorithm>
#include <new>

#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

namespace {

template <std::size_t N>
std::array<std::byte, N> array_of(const Bytes& bytes) {
    std::array<std::byte, N> out{};
    REQUIRE(bytes.size() == N);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

SigningKey rfc_key() {
    return SigningKey(array_of<32>(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
}

}  // namespace

TEST_CASE("the library below signs as RFC 8032 test 1") {
    // Our own signatures always have a context, so the vector is checked one floor below.
    const Bytes seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    unsigned char public_key[32], secret[64], signature[64];
    crypto_sign_seed_keypair(public_key, secret, reinterpret_cast<const unsigned char*>(seed.data()));
    crypto_sign_detached(signature, nullptr, public_key, 0, secret);
    CHECK(to_hex(std::as_bytes(std::span(public_key))) ==
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    CHECK(to_hex(std::as_bytes(std::span(signature))) ==
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
          "d25bf5f0595bbe24655141438e7a100b");
    CHECK(codec::to_hex(rfc_key().public_key()) == to_hex(std::as_bytes(std::span(public_key))));
}

TEST_CASE("what is signed is the domain, the context, a zero byte and the message") {
    const SigningKey key = rfc_key();
    const Signature signature = key.sign("frame", as_bytes("hello"));
    const std::string_view signed_text("entente/v1/frame\0hello", 22);
    CHECK(crypto_sign_verify_detached(
              reinterpret_cast<const unsigned char*>(signature.bytes.data()),
              reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(),
              reinterpret_cast<const unsigned char*>(key.public_key().bytes.data())) == 0);
    CHECK(key.sign("frame", as_bytes("hello")) == signature);
}

TEST_CASE("a signature holds for its key, context and message only") {
    const SigningKey key = key_of(1);
    const Signature signature = key.sign("offer", as_bytes("message"));
    CHECK(verify(key.public_key(), "offer", as_bytes("message"), signature));
    CHECK(!verify(key.public_key(), "frame", as_bytes("message"), signature));
    CHECK(!verify(key.public_key(), "offer", as_bytes("messagf"), signature));
    CHECK(!verify(key_of(2).public_key(), "offer", as_bytes("message"), signature));
    for (std::size_t i = 0; i < 64; ++i) {
        for (const unsigned bit : {0u, 7u}) {
            Signature damaged = signature;
            damaged.bytes[i] ^= static_cast<std::byte>(1u << bit);
            CHECK(!verify(key.public_key(), "offer", as_bytes("message"), damaged));
        }
    }
}

TEST_CASE("refuses S plus the group order") {
    const SigningKey key = key_of(1);
    Signature signature = key.sign("offer", as_bytes("message"));
    const Bytes order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += std::to_integer<unsigned>(signature.bytes[32 + i]) + std::to_integer<unsigned>(order[i]);
        signature.bytes[32 + i] = static_cast<std::byte>(carry & 0xffu);
        carry >>= 8u;
    }
    CHECK(!verify(key.public_key(), "offer", as_bytes("message"), signature));
}

TEST_CASE("refuses keys of small order and not canonical ones") {
    // With such a key R = key, S = 0 verifies for some or all messages where nobody checks.
    const char* bad[] = {"0100000000000000000000000000000000000000000000000000000000000000",
                         "0000000000000000000000000000000000000000000000000000000000000000",
                         "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                         "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                         "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                         "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"};
    for (const char* text : bad) {
        CAPTURE(text);
        const PublicKey key = public_key_from_hex(text).value();
        Signature signature;
        CHECK(!verify(key, "offer", {}, signature));
        std::copy(key.bytes.begin(), key.bytes.end(), signature.bytes.begin());
        CHECK(!verify(key, "offer", {}, signature));
        signature.bytes = {};
        signature.bytes[0] = std::byte{1};
        CHECK(!verify(key, "offer", {}, signature));
    }
}

TEST_CASE("the secret is gone after the key's end and after a move") {
    alignas(SigningKey) std::array<std::byte, sizeof(SigningKey)> memory{};
    auto* key = new (memory.data()) SigningKey(array_of<32>(hex(std::string(64, '7'))));
    const auto holds_seed = [&memory] {
        const Bytes seed = hex(std::string(64, '7'));
        return std::search(memory.begin(), memory.end(), seed.begin(), seed.end()) != memory.end();
    };
    CHECK(holds_seed());
    SigningKey moved = std::move(*key);
    CHECK(!holds_seed());
    CHECK(key->public_key().is_zero());
    CHECK(verify(moved.public_key(), "x", {}, moved.sign("x", {})));
    *key = std::move(moved);
    CHECK(holds_seed());
    key->~SigningKey();
    asm volatile("" : : "r"(memory.data()) : "memory");
    CHECK(!holds_seed());
}

TEST_CASE("keys and signatures have hexadecimal forms of fixed length") {
    const SigningKey key = key_of(3);
    CHECK(public_key_from_hex(codec::to_hex(key.public_key())).value() == key.public_key());
    const Signature signature = key.sign("x", {});
    CHECK(signature_from_hex(codec::to_hex(signature)).value() == signature);
    CHECK(reason(public_key_from_hex("00")) == "hex.malformed");
    CHECK(reason(signature_from_hex(std::string(127, '0'))) == "hex.malformed");
    CHECK(reason(public_key_from_hex(std::string(64, 'x'))) == "hex.malformed");
}
