// Who is asking, in whose name, and as what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "entente/base/result.hpp"

namespace entente {
struct Json;
}

namespace entente::native {

enum class Role : std::uint8_t { partner = 1, operator_ = 2, auditor = 4 };

std::string_view to_string(Role role) noexcept;
std::optional<Role> role_from(std::string_view text) noexcept;

struct Principal {
    std::string id;    // the participant that a person or machine acts for; "operator" for the operator
    std::string name;  // of the participant, or of the person where there is no participant
    Role role = Role::partner;
    std::string person = {};    // who has signed in at an identity provider; empty: a token of our own
    bool joined = true;         // a partner whose key is on our books; the others may only join
    std::int64_t until_ms = 0;  // when what it showed expires; 0: never
};

// Where an issuer writes what we need: "realm_access.roles" as Keycloak does, "groups", "https://example.org/roles" …
struct ClaimNames {
    std::string roles = "realm_access.roles";  // a list of texts, or one text with spaces in it
    std::string company = "participant_id";    // the participant, "plant-a" or "urn:entente:plant-a"
};

// From claims that may be believed. Of several roles the first of operator, auditor and partner counts: nobody sits on both sides of a
// contract. permission_denied "auth.no-role" and, for a partner, "auth.no-company", with the claim that was looked for.
Result<Principal> principal_of(const Json& claims, const ClaimNames& names);
// The participant alone, whatever the roles: permission_denied "auth.no-company".
Result<std::string> company_of(const Json& claims, const std::string& claim);

}  // namespace entente::native
