// JSON as other connectors write it, read with their liberties: prefixes, expanded names, single values for arrays,
// {"@id": x} and {"@value": x} for strings. And the few words to build what we write. Private to this folder and connectors/edc.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/json.hpp"

namespace entente::dsp::json {

// An object of at most 1 MiB and 32 levels. Errors: base/json.hpp's, and invalid_argument "json.malformed" for another value.
Result<Json> parse(std::string_view text);

// "dspace:consumerPid", "https://w3id.org/dspace/2025/1/consumerPid" -> "consumerPid". For the protocol's own words only,
// never for operands, actions or profiles.
std::string_view last_segment(std::string_view name) noexcept;

// By its exact name, else by the last segment of it. Null: absent, or JSON null.
const Json* find(const Json& in, std::string_view name);

// A string, or what stands for one. Empty: something else.
std::optional<std::string> text(const Json& of);
std::optional<std::string> text(const Json* of);

// The members of an array, or the value itself. Empty array: none.
std::vector<const Json*> items(const Json& of);

Json string(std::string_view text);
Json array(std::vector<Json> items);
Json strings(const std::vector<std::string>& texts);
Json object(std::initializer_list<std::pair<std::string_view, std::string_view>> members);
// Adds a member, or replaces the one of that name.
void put(Json& object, std::string_view name, Json value);
// The same, unless the text is empty.
void put(Json& object, std::string_view name, const std::string& text);
void erase(Json& object, std::string_view name);

}  // namespace entente::dsp::json
