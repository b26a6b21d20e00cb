// What the codec's tests share.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "entente/base/bytes.hpp"
#include "entente/codec/sign.hpp"

namespace entente::codec::test {

inline Bytes hex(std::string_view text) { return from_hex(text).value(); }

inline SigningKey key_of(unsigned char first) {
    std::array<std::byte, 32> seed{};
    seed[0] = static_cast<std::byte>(first);
    return SigningKey(seed);
}

// A repeatable stream that does not compress.
inline Bytes noise(std::size_t count, std::uint64_t seed = 1) {
    Bytes bytes(count);
    std::uint64_t x = seed;
    for (std::byte& byte : bytes) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        byte = static_cast<std::byte>(x >> 56u);
    }
    return bytes;
}

inline Bytes text(std::string_view characters) {
    const ByteView view = as_bytes(characters);
    return Bytes(view.begin(), view.end());
}

template <class R>
std::string reason(const R& result) {
    return result.ok() ? std::string("ok") : result.error().reason;
}

}  // namespace entente::codec::test
