#include "entente/base/base64.hpp"

#include <cstdint>

namespace entente {
namespace {

constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view plain_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string write(ByteView bytes, std::string_view alphabet) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int held = 0;
    for (const std::byte byte : bytes) {
        bits = (bits << 8u) | std::to_integer<std::uint32_t>(byte);
        for (held += 8; held >= 6; held -= 6) text += alphabet[(bits >> static_cast<unsigned>(held - 6)) & 63u];
    }
    if (held > 0) text += alphabet[(bits << static_cast<unsigned>(6 - held)) & 63u];
    return text;
}

Result<Bytes> read(std::string_view text, std::string_view alphabet, const char* expected) {
    const Error malformed{Code::invalid_argument, "base64.malformed", std::string("expected ") + expected + ", found something else"};
    if (text.size() % 4 == 1) return malformed;
    Bytes bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : text) {
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos) return malformed;
        bits = (bits << 6u) | static_cast<std::uint32_t>(value);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes.push_back(static_cast<std::byte>((bits >> static_cast<unsigned>(held)) & 255u));
    }
    if ((bits & ((1u << static_cast<unsigned>(held)) - 1u)) != 0) return malformed;
    return bytes;
}

}  // namespace

std::string to_base64url(ByteView bytes) { return write(bytes, url_alphabet); }
Result<Bytes> from_base64url(std::string_view text) { return read(text, url_alphabet, "base64url without padding"); }

std::string to_base64(ByteView bytes) {
    std::string text = write(bytes, plain_alphabet);
    while (text.size() % 4 != 0) text += '=';
    return text;
}

Result<Bytes> from_base64(std::string_view text) {
    constexpr const char* expected = "base64 with its padding";
    if (text.size() % 4 != 0) return Error{Code::invalid_argument, "base64.malformed", std::string("expected ") + expected + ", found something else"};
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    return read(text, plain_alphabet, expected);
}

}  // namespace entente
