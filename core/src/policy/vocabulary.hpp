// ODRL's own words in one spelling.
#pragma once

#include <string>
#include <string_view>

namespace entente::policy {

inline constexpr std::string_view odrl_namespace = "http://www.w3.org/ns/odrl/2/";

// The word behind the prefix odrl: or the namespace; empty for any other text.
std::string_view odrl_word(std::string_view text) noexcept;

std::string canonical_operator(std::string_view text);  // "odrl:eq" is "eq"
std::string canonical_action(std::string_view text);    // "odrl:use" is "use", "odrl:delete" the whole IRI
std::string canonical_operand(std::string_view text);   // odrl:, edc: and EDC's inForceDate become whole IRIs

}  // namespace entente::policy
