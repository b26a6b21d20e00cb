// Numbers as people read them, and JSON objects as programs do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "entente/base/decimal.hpp"
#include "entente/base/result.hpp"

namespace entente::commands {

std::string human_bytes(std::uint64_t bytes);                 // "1.3 MB"
std::string decimal(double value, int digits);                // "0.9731"
std::string pad(std::string_view text, std::size_t width);    // to the right, with spaces (counts code points)
using entente::grouped;                                       // "10 324"
// Text of others on a terminal: control characters, which could move the cursor or hide a line, become '?'.
std::string printable(std::string_view text);

// The same error, of that file or partner: "orders.csv: row 3: ...".
inline Error error_in(std::string_view what, const Error& error) { return {error.code, error.reason, std::string(what) + ": " + error.message}; }

// {"a":1,"b":"x"} in the order of the calls.
class JsonObject {
public:
    JsonObject& text(std::string_view key, std::string_view value);
    JsonObject& whole(std::string_view key, std::uint64_t value);
    JsonObject& number(std::string_view key, double value);  // null when it is not finite
    JsonObject& boolean(std::string_view key, bool value);
    JsonObject& raw(std::string_view key, std::string_view json);
    [[nodiscard]] std::string str() const { return "{" + body_ + "}"; }

private:
    std::string body_;
};

}  // namespace entente::commands
