// Who is asking? One interface, so that an identity provider (OIDC) can stand here later.
//
//   std::optional<Principal> who = identity.authenticate(bearer, now_ms);
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "entente/base/result.hpp"

namespace entente::native {

enum class Role : std::uint8_t { partner = 1, operator_ = 2, auditor = 4 };

std::string_view to_string(Role role) noexcept;
std::optional<Role> role_from(std::string_view text) noexcept;

struct Principal {
    std::string id;    // participant id; "operator" for the operator
    std::string name;
    Role role = Role::partner;
};

class Identity {
public:
    virtual ~Identity() = default;
    virtual std::optional<Principal> authenticate(const std::string& bearer) = 0;
};

}  // namespace entente::native
