#pragma once

#include <string>
#include <string_view>

namespace entente {

// A JSON string literal. Input is UTF-8 or arbitrary bytes; control characters are escaped, others pass through.
inline std::string json_text(std::string_view text) {
    constexpr const char* digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += digits[byte >> 4u];
            out += digits[byte & 15u];
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace entente
