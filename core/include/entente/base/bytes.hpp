// Bytes, their hexadecimal form, and little-endian integers in byte buffers.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "entente/base/result.hpp"

namespace entente {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

// A SHA-256 value: content digests, Merkle roots, hash-chain links.
struct Digest {
    std::array<std::byte, 32> bytes{};

    friend bool operator==(const Digest&, const Digest&) = default;
    // Written out because libc++ 13 has no <=> for std::array.
    friend std::strong_ordering operator<=>(const Digest& a, const Digest& b) noexcept {
        return std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) <=> 0;
    }
    [[nodiscard]] bool is_zero() const noexcept { return *this == Digest{}; }
};

std::string to_hex(ByteView bytes);
inline std::string to_hex(const Digest& digest) { return to_hex(ByteView(digest.bytes)); }
// The first eight hexadecimal digits, for people.
std::string short_hex(const Digest& digest);
Result<Bytes> from_hex(std::string_view text);         // invalid_argument "hex.malformed"
Result<Digest> digest_from_hex(std::string_view text); // exactly 64 digits

inline ByteView as_bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
template <class T>
    requires std::is_trivially_copyable_v<T>
ByteView as_bytes(std::span<const T> values) noexcept {
    return std::as_bytes(values);
}

// Appends `value` in little-endian order whatever the machine's own order.
template <class T>
    requires std::is_integral_v<T>
void append_le(Bytes& out, T value) {
    using U = std::make_unsigned_t<T>;
    const U bits = static_cast<U>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::byte>((bits >> (8 * i)) & 0xffu));
}

// Reads the first sizeof(T) bytes of `in`. REQUIRES: in.size() >= sizeof(T).
template <class T>
    requires std::is_integral_v<T>
T read_le(ByteView in) noexcept {
    using U = std::make_unsigned_t<T>;
    U bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) bits = static_cast<U>(bits | (static_cast<U>(in[i]) << (8 * i)));
    return static_cast<T>(bits);
}

}  // namespace entente
