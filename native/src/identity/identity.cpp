#include "identity/identity.hpp"

#include <algorithm>

#include "entente/base/json.hpp"
#include "entente/contract/contract.hpp"
#include "identity/jwt.hpp"

namespace entente::native {
namespace {

constexpr std::string_view company_prefix = "urn:entente:";
constexpr std::size_t longest_name = 120;

bool holds(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const std::string_view first = words.substr(0, words.find(' '));
        if (first == word) return true;
        words.remove_prefix(std::min(first.size() + 1, words.size()));
    }
    return false;
}

bool has_role(const Json* claim, std::string_view role) {
    if (claim == nullptr) return false;
    if (claim->kind == Json::Kind::string) return holds(claim->text, role);
    return claim->kind == Json::Kind::array && std::any_of(claim->items.begin(), claim->items.end(), [&](const Json& one) {
               return one.kind == Json::Kind::string && one.text == role;
           });
}

// What people recognise: printable, not endless.
std::string person_of(const Json& claims) {
    for (const char* name : {"name", "preferred_username", "client_id", "azp", "sub"}) {
        std::string text = text_claim(claims, name).substr(0, longest_name);
        const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
        if (!text.empty() && printable) return text;
    }
    return "somebody";
}

}  // namespace

std::string_view to_string(Role role) noexcept {
    switch (role) {
        case Role::partner: return "partner";
        case Role::operator_: return "operator";
        case Role::auditor: return "auditor";
    }
    return "unknown";
}

std::optional<Role> role_from(std::string_view text) noexcept {
    for (const Role role : {Role::partner, Role::operator_, Role::auditor}) {
        if (text == to_string(role)) return role;
    }
    return std::nullopt;
}

Result<std::string> company_of(const Json& claims, const std::string& claim) {
    std::string id = text_claim(claims, claim);
    if (id.starts_with(company_prefix)) id.erase(0, company_prefix.size());
    if (contract::check_id(id).ok()) return id;
    return Error{Code::permission_denied, "auth.no-company",
                 "expected the participant that is acted for (claim " + claim + ", such as plant-a), found " + (id.empty() ? "none" : "something else")};
}

Result<Principal> principal_of(const Json& claims, const ClaimNames& names) {
    Principal who;
    const Json* roles = claim_at(claims, names.roles);
    bool found = false;
    for (const Role role : {Role::operator_, Role::auditor, Role::partner}) {
        if (found || !has_role(roles, to_string(role))) continue;
        found = true;
        who.role = role;
    }
    if (!found) {
        return Error{Code::permission_denied, "auth.no-role",
                     "expected operator, auditor or partner among the roles (claim " + names.roles + "), found none of them"};
    }
    who.person = person_of(claims);
    who.name = who.person;
    who.until_ms = (time_claim(claims, "exp").value_or(0) + jwt_leeway_s) * 1000;
    if (who.role != Role::partner) {
        who.id = std::string(to_string(who.role));
        return who;
    }
    ENTENTE_ASSIGN(who.id, company_of(claims, names.company));
    return who;
}

}  // namespace entente::native
