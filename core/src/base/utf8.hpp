// UTF-8, a code point at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace entente {

constexpr std::uint8_t utf8_byte(char c) { return static_cast<std::uint8_t>(c); }

// The length of the well-formed UTF-8 sequence that `text` begins with (Unicode 15, table 3-7); 0 when there is none.
// REQUIRES: text is not empty.
inline std::size_t utf8_length(std::string_view text) {
    const std::uint8_t first = utf8_byte(text.front());
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    const std::uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (utf8_byte(text[1]) < low || utf8_byte(text[1]) > high) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((utf8_byte(text[i]) & 0xc0u) != 0x80) return 0;
    }
    return length;
}

inline void append_utf8(std::string& out, std::uint32_t code) {
    const auto push = [&out](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80) {
        push(code);
    } else if (code < 0x800) {
        push(0xc0u | (code >> 6u));
        push(0x80u | (code & 0x3fu));
    } else if (code < 0x10000) {
        push(0xe0u | (code >> 12u));
        push(0x80u | ((code >> 6u) & 0x3fu));
        push(0x80u | (code & 0x3fu));
    } else {
        push(0xf0u | (code >> 18u));
        push(0x80u | ((code >> 12u) & 0x3fu));
        push(0x80u | ((code >> 6u) & 0x3fu));
        push(0x80u | (code & 0x3fu));
    }
}

}  // namespace entente
