// SHA-256 (FIPS 180-4), streaming and in one call. Natively it uses the CPU's SHA instructions when they are
// there (about 2 GB/s); the result is the same everywhere.
//
//   Digest whole = codec::sha256(as_bytes("abc"));           // ba7816bf…f20015ad
//
//   codec::Sha256 hash;                                      // the same in pieces
//   hash.update(as_bytes("a"));
//   hash.update(as_bytes("bc"));
//   Digest same = hash.finish();
//
// Thread-safety: one Sha256 belongs to one thread at a time; different ones are independent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "entente/base/bytes.hpp"

namespace entente::codec {

class Sha256 {
public:
    Sha256() noexcept;

    void update(ByteView bytes) noexcept;

    // Returns the digest and starts anew, ready for another message.
    [[nodiscard]] Digest finish() noexcept;

private:
    std::array<std::uint32_t, 8> state_;
    std::array<std::byte, 64> block_;
    std::uint64_t total_bytes_;
};

[[nodiscard]] Digest sha256(ByteView bytes) noexcept;

}  // namespace entente::codec
