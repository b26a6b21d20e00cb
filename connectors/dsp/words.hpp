// The Dataspace Protocol's own words, version 2025-1, and ours beside them.
#pragma once

#include <string_view>

namespace entente::dsp {

inline constexpr std::string_view version = "2025-1";
inline constexpr std::string_view context = "https://w3id.org/dspace/2025/1/context.jsonld";
// Members of our own bear this prefix and stay absolute: a context of ours would be refused by other connectors.
inline constexpr std::string_view ns = "https://w3id.org/entente/ns/";
inline constexpr std::string_view edc_ns = "https://w3id.org/edc/v0.0.1/ns/";

inline constexpr std::string_view format_pull = "HttpData-PULL";
inline constexpr std::string_view format_push = "HttpData-PUSH";
inline constexpr std::string_view endpoint_http = "https://w3id.org/idsa/v4.1/HTTP";

}  // namespace entente::dsp
