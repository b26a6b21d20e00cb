// The one table of what can be asked for and who may: method, path, roles, body, handler. The OpenAPI file and the
// permission walk in the tests are held against it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/handler.hpp"
#include "identity/identity.hpp"

namespace entente::native {

class App;

struct Call {
    http::Request request;
    std::vector<std::string> parameters;  // the parts in braces, in order
    Principal who;                        // empty id for public routes
    http::Reply reply;
};

inline constexpr unsigned public_access = 0;
inline constexpr unsigned partner = static_cast<unsigned>(Role::partner);
inline constexpr unsigned operators = static_cast<unsigned>(Role::operator_);
inline constexpr unsigned auditors = static_cast<unsigned>(Role::auditor);

struct Route {
    std::string_view method;
    std::string_view path;  // "/api/v1/hub/assets/{asset}"
    unsigned roles;         // who may; public_access: everybody
    http::BodyKind body;
    bool long_poll;
    void (App::*handle)(Call&);  // null for uploads
};

std::span<const Route> routes();

struct Match {
    const Route* route = nullptr;
    std::vector<std::string> parameters;
    bool path_known = false;  // under another method: 405 instead of 404
};
Match find_route(std::string_view method, std::string_view path);

}  // namespace entente::native
