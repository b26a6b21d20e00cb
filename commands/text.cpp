#include "commands/text.hpp"

#include <cmath>
#include <cstdio>

#include "entente/base/json_text.hpp"

namespace entente::commands {

std::string decimal(double value, int digits) {
    char out[64];
    std::snprintf(out, sizeof out, "%.*f", digits, value);
    return out;
}

std::string human_bytes(std::uint64_t bytes) {
    const char* const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 999.5 && unit < 4) {
        value /= 1000;
        ++unit;
    }
    if (unit == 0) return std::to_string(bytes) + " B";
    return decimal(value, value < 99.5 ? 1 : 0) + " " + units[unit];
}

std::string pad(std::string_view text, std::size_t width) {
    std::size_t points = 0;
    for (const char c : text) points += (static_cast<unsigned char>(c) & 0xc0u) != 0x80u ? 1u : 0u;
    std::string out(text);
    if (points < width) out.append(width - points, ' ');
    return out;
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        // U+0080 to U+009F, C2 80 to C2 9F in UTF-8, control a terminal as well.
        const bool high = byte == 0xc2 && i + 1 < out.size() && (static_cast<unsigned char>(out[i + 1]) & 0xe0u) == 0x80u;
        if (high) out.erase(i, 1);
        if (high || byte < 0x20 || byte == 0x7f) out[i] = '?';
    }
    return out;
}

JsonObject& JsonObject::raw(std::string_view key, std::string_view json) {
    if (!body_.empty()) body_ += ",";
    body_ += json_text(key) + ":" + std::string(json);
    return *this;
}
JsonObject& JsonObject::text(std::string_view key, std::string_view value) { return raw(key, json_text(value)); }
JsonObject& JsonObject::whole(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
JsonObject& JsonObject::boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
JsonObject& JsonObject::number(std::string_view key, double value) {
    if (!std::isfinite(value)) return raw(key, "null");
    char out[64];
    std::snprintf(out, sizeof out, "%.10g", value);
    return raw(key, out);
}

}  // namespace entente::commands
