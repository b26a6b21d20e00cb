#include "vocabulary.hpp"

#include "entente/policy/policy.hpp"

namespace entente::policy {
namespace {

constexpr std::string_view odrl_prefix = "odrl:";
constexpr std::string_view edc_prefix = "edc:";
constexpr std::string_view edc_namespace = "https://w3id.org/edc/v0.0.1/ns/";

}  // namespace

std::string_view odrl_word(std::string_view text) noexcept {
    for (const std::string_view prefix : {odrl_prefix, odrl_namespace}) {
        if (text.starts_with(prefix)) return text.substr(prefix.size());
    }
    return {};
}

std::string canonical_operator(std::string_view text) {
    const std::string_view word = odrl_word(text);
    return std::string(word.empty() ? text : word);
}

std::string canonical_action(std::string_view text) {
    const std::string_view word = odrl_word(text);
    if (word.empty() || word == action::use) return std::string(word.empty() ? text : word);
    return std::string(odrl_namespace) + std::string(word);
}

std::string canonical_operand(std::string_view text) {
    if (const std::string_view word = odrl_word(text); !word.empty()) return std::string(odrl_namespace) + std::string(word);
    if (text.starts_with(edc_prefix)) return std::string(edc_namespace) + std::string(text.substr(edc_prefix.size()));
    // As EDC's own context abbreviates it on the wire.
    if (text == "inForceDate") return std::string(operand::in_force_date);
    return std::string(text);
}

}  // namespace entente::policy
