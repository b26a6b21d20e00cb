#include "connectors/dsp/terms.hpp"

#include "connectors/dsp/json.hpp"
#include "entente/policy/odrl.hpp"

namespace entente::dsp {
namespace {

Status same(const char* what, std::string_view expected, const std::string& found) {
    if (expected == found) return done();
    return Error{Code::permission_denied, "agreement.mismatch",
                 std::string("agreement: expected ") + what + " " + std::string(expected) + ", found " + found.substr(0, 256)};
}

std::string text_of(std::string_view policy, std::string_view name) {
    const auto object = json::parse(policy);
    return object.ok() ? json::text(json::find(*object, name)).value_or("") : std::string();
}

}  // namespace

std::string target_of(std::string_view policy) { return text_of(policy, "target"); }
std::string assignee_of(std::string_view policy) { return text_of(policy, "assignee"); }
std::string id_of(std::string_view policy) { return text_of(policy, "@id"); }

std::string without_slash(std::string address) {
    while (address.ends_with('/')) address.pop_back();
    return address;
}

std::string in_path(std::string_view pid) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : pid) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._~:@!$&'()*+,;=").find(c) != std::string_view::npos;
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4u];
            out += digits[byte & 15u];
        }
    }
    return out;
}

bool same_terms(const policy::Policy& shown, const policy::Policy& expected, Profile profile) {
    if (profile == Profile::kept || !shown.profiles.empty()) return policy::same_terms(shown, expected);
    policy::Policy without = expected;
    without.profiles.clear();
    return policy::same_terms(shown, without);
}

Status check_agreement(std::string_view agreement, const Expected& expected) {
    ENTENTE_ASSIGN(const policy::Odrl agreed, policy::read_odrl(agreement));
    ENTENTE_ASSIGN(const policy::Odrl offered, policy::read_odrl(expected.offer));
    ENTENTE_TRY(same("the dataset", expected.dataset, agreed.frame.target));
    ENTENTE_TRY(same("the assigner", expected.assigner, agreed.frame.assigner));
    ENTENTE_TRY(same("the assignee", expected.assignee, agreed.frame.assignee));
    if (same_terms(agreed.policy, offered.policy, expected.profile)) return done();
    return Error{Code::permission_denied, "agreement.mismatch",
                 "agreement: expected the terms of the offer, found others; nothing was verified"};
}

}  // namespace entente::dsp
