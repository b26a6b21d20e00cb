// The one table of what can be asked for and who may: method, path, roles, body, handler. The OpenAPI file and the
// permission walk in the tests are held against it, and docs/security.md prints who may and within which limits.
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

// Who may ask. A partner reaches what is its own and nothing of another's, on every route; operator and auditor see all.
struct Access {
    unsigned roles = 0;   // none: everybody, known or not
    bool joined = false;  // of the partners only those whose key is on the books

    [[nodiscard]] bool is_public() const noexcept { return roles == 0; }
    [[nodiscard]] bool has(Role role) const noexcept { return (roles & static_cast<unsigned>(role)) != 0; }
};

struct Route {
    std::string_view method;
    std::string_view path;  // "/api/v1/hub/assets/{asset}"; a {name...} at the end takes all that is left
    Access access;
    http::BodyKind body;
    bool long_poll;
    void (App::*handle)(Call&);  // null for uploads
};

constexpr std::uint64_t small_body_bytes = 64 * 1024;
constexpr std::int64_t longest_wait_ms = 30'000;  // of a long poll

std::span<const Route> routes();

struct Match {
    const Route* route = nullptr;
    std::vector<std::string> parameters;
    bool path_known = false;  // under another method: 405 instead of 404
};
Match find_route(std::string_view method, std::string_view path);

// "operator or auditor".
std::string roles_text(const Access& access);
// The tables as docs/security.md shows them.
std::string permissions_markdown();
std::string limits_markdown();

}  // namespace entente::native
