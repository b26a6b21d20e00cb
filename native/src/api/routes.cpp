#include "api/routes.hpp"

#include "api/app.hpp"

namespace entente::native {
namespace {

using http::BodyKind;
constexpr unsigned anybody_known = partner | operators | auditors;

constexpr Route table[] = {
    {"GET", "/healthz", public_access, BodyKind::none, false, &App::healthz},
    {"GET", "/readyz", public_access, BodyKind::none, false, &App::readyz},
    {"GET", "/metrics", public_access, BodyKind::none, false, &App::metrics},
    {"GET", "/api/v1/openapi.json", public_access, BodyKind::none, false, &App::openapi},
    {"GET", "/api/v1/federation", public_access, BodyKind::none, false, &App::federation},
    {"GET", "/api/v1/plan", public_access, BodyKind::none, false, &App::plan},
    {"POST", "/api/v1/invitation", public_access, BodyKind::small, false, &App::invitation},
    {"POST", "/api/v1/join", public_access, BodyKind::small, false, &App::join},
    {"GET", "/api/v1/sample/{file}", public_access, BodyKind::none, false, &App::sample},

    {"GET", "/api/v1/hub/view", partner, BodyKind::none, true, &App::hub_view},
    {"PUT", "/api/v1/hub/assets/{asset}", partner, BodyKind::small, false, &App::hub_publish},
    {"DELETE", "/api/v1/hub/assets/{asset}", partner, BodyKind::none, false, &App::hub_withdraw},
    {"PUT", "/api/v1/hub/assets/{asset}/content", partner, BodyKind::upload, false, nullptr},
    {"POST", "/api/v1/hub/agreements", partner, BodyKind::small, false, &App::hub_negotiate},
    {"POST", "/api/v1/hub/transfers", partner, BodyKind::small, false, &App::hub_open},
    {"GET", "/api/v1/hub/transfers/{id}/content", partner, BodyKind::none, false, &App::hub_content},
    {"POST", "/api/v1/hub/transfers/{id}/outcome", partner, BodyKind::small, false, &App::hub_outcome},
    {"POST", "/api/v1/hub/heartbeat", partner, BodyKind::small, false, &App::hub_heartbeat},
    {"PUT", "/api/v1/connector", partner, BodyKind::small, false, &App::register_connector},
    {"POST", "/api/v1/leave", partner, BodyKind::small, false, &App::leave},
    {"GET", "/api/v1/me", anybody_known, BodyKind::none, false, &App::me},

    {"GET", "/api/v1/status", anybody_known, BodyKind::none, false, &App::status},
    {"POST", "/api/v1/invitations", operators, BodyKind::small, false, &App::invite},
    {"GET", "/api/v1/ledger", operators | auditors, BodyKind::none, false, &App::ledger},
    {"GET", "/api/v1/connector", operators | auditors, BodyKind::none, false, &App::connector},
    {"GET", "/api/v1/agreements", operators | auditors, BodyKind::none, false, &App::agreements},
    {"GET", "/api/v1/model", operators | auditors, BodyKind::none, false, &App::model},
    {"GET", "/api/v1/model.safetensors", operators | auditors, BodyKind::none, false, &App::model_safetensors},
    {"DELETE", "/api/v1/participants/{id}", operators, BodyKind::none, false, &App::remove_participant},
};

// "/a/{x}/b" against "/a/1/b".
bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& parameters) {
    while (!pattern.empty() || !path.empty()) {
        if (pattern.empty() || path.empty() || pattern.front() != '/' || path.front() != '/') return false;
        pattern.remove_prefix(1);
        path.remove_prefix(1);
        const std::string_view want = pattern.substr(0, pattern.find('/'));
        const std::string_view have = path.substr(0, path.find('/'));
        pattern.remove_prefix(want.size());
        path.remove_prefix(have.size());
        if (want.starts_with('{')) {
            if (have.empty() || have.size() > 256) return false;
            parameters.emplace_back(have);
        } else if (want != have) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::span<const Route> routes() { return table; }

Match find_route(std::string_view method, std::string_view path) {
    Match match;
    for (const Route& route : table) {
        std::vector<std::string> parameters;
        if (!matches(route.path, path, parameters)) continue;
        match.path_known = true;
        if (route.method != method) continue;
        match.route = &route;
        match.parameters = std::move(parameters);
        return match;
    }
    return match;
}

}  // namespace entente::native
