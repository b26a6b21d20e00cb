// JSON from outside, as a tree: bounded, strict (RFC 8259), each member's name once, text as UTF-8.
//
//   ENTENTE_ASSIGN(const Json message, read_json(body, {.bytes = 64 * 1024, .depth = 32}));
//   if (const Json* state = message.find("state"); state != nullptr && state->kind == Json::Kind::string) use(state->text);
//
// A number stays the text that it was written as: who asks for it decides what it may be. Members keep their order.
// invalid_argument "json.malformed" with the byte where it went wrong; too_large "json.too-large", "json.too-deep".
// Plain value; thread-safe like any other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/result.hpp"

namespace entente {

struct JsonMember;

struct Json {
    enum class Kind { null, boolean, number, string, array, object };

    Kind kind = Kind::null;
    std::string text;                 // a string's content; a number or boolean as written
    std::vector<Json> items;          // of an array
    std::vector<JsonMember> members;  // of an object

    // Null when there is no such member, or this is no object.
    [[nodiscard]] const Json* find(std::string_view name) const noexcept;
};

struct JsonMember {
    std::string name;
    Json value;
};

struct JsonLimits {
    std::size_t bytes = 1024 * 1024;
    std::size_t depth = 32;  // of arrays and objects in one another
};

Result<Json> read_json(std::string_view text, const JsonLimits& limits = {});

// Compact, members in their order: what was read, written again, says the same.
std::string write_json(const Json& value);

}  // namespace entente
