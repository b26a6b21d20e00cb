#include "entente/base/bytes.hpp"

#include <algorithm>

namespace entente {

namespace {

// -1 for anything that is no hexadecimal digit.
int digit_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string to_hex(ByteView bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::byte byte : bytes) {
        const auto value = std::to_integer<unsigned>(byte);
        text += digits[value >> 4u];
        text += digits[value & 15u];
    }
    return text;
}

std::string short_hex(const Digest& digest) { return to_hex(ByteView(digest.bytes).first(4)); }

Result<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return Error{Code::invalid_argument, "hex.malformed",
                     "expected an even number of hexadecimal digits"};
    }
    Bytes bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit_value(text[i]);
        const int low = digit_value(text[i + 1]);
        if (high < 0 || low < 0) {
            return Error{Code::invalid_argument, "hex.malformed",
                         "expected hexadecimal digits, found another character at " + std::to_string(i)};
        }
        bytes.push_back(static_cast<std::byte>(16 * high + low));
    }
    return bytes;
}

Result<Digest> digest_from_hex(std::string_view text) {
    Digest digest;
    if (text.size() != 2 * digest.bytes.size()) {
        return Error{Code::invalid_argument, "hex.malformed",
                     "expected 64 hexadecimal digits, found " + std::to_string(text.size())};
    }
    ENTENTE_ASSIGN(const Bytes bytes, from_hex(text));
    std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
    return digest;
}

}  // namespace entente
