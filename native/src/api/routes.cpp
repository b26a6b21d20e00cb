#include "api/routes.hpp"

#include "api/app.hpp"

namespace entente::native {
namespace {

using http::BodyKind;
constexpr unsigned one(Role role) { return static_cast<unsigned>(role); }
constexpr Access anybody{};
constexpr Access members{one(Role::partner), true};
constexpr Access newcomers{one(Role::partner), false};
constexpr Access operators{one(Role::operator_), false};
constexpr Access overseers{one(Role::operator_) | one(Role::auditor), false};
constexpr Access known{one(Role::partner) | one(Role::operator_) | one(Role::auditor), false};
constexpr Access insiders{known.roles, true};

constexpr Route table[] = {
    {"GET", "/healthz", anybody, BodyKind::none, false, &App::healthz},
    {"GET", "/readyz", anybody, BodyKind::none, false, &App::readyz},
    {"GET", "/metrics", anybody, BodyKind::none, false, &App::metrics},
    {"GET", "/api/v1/openapi.json", anybody, BodyKind::none, false, &App::openapi},
    {"GET", "/api/v1/federation", anybody, BodyKind::none, false, &App::federation},
    {"GET", "/api/v1/plan", anybody, BodyKind::none, false, &App::plan},
    {"POST", "/api/v1/invitation", anybody, BodyKind::small, false, &App::invitation},
    {"POST", "/api/v1/join", anybody, BodyKind::small, false, &App::join},
    {"GET", "/api/v1/sample/{file}", anybody, BodyKind::none, false, &App::sample},

    {"POST", "/api/v1/enrolment", newcomers, BodyKind::small, false, &App::enrol},
    {"GET", "/api/v1/hub/view", members, BodyKind::none, true, &App::hub_view},
    {"PUT", "/api/v1/hub/assets/{asset}", members, BodyKind::small, false, &App::hub_publish},
    {"DELETE", "/api/v1/hub/assets/{asset}", members, BodyKind::none, false, &App::hub_withdraw},
    {"PUT", "/api/v1/hub/assets/{asset}/content", members, BodyKind::upload, false, nullptr},
    {"POST", "/api/v1/hub/agreements", members, BodyKind::small, false, &App::hub_negotiate},
    {"POST", "/api/v1/hub/transfers", members, BodyKind::small, false, &App::hub_open},
    {"GET", "/api/v1/hub/transfers/{id}/content", members, BodyKind::none, false, &App::hub_content},
    {"POST", "/api/v1/hub/transfers/{id}/outcome", members, BodyKind::small, false, &App::hub_outcome},
    {"POST", "/api/v1/hub/heartbeat", members, BodyKind::small, false, &App::hub_heartbeat},
    {"PUT", "/api/v1/connector", members, BodyKind::small, false, &App::register_connector},
    {"POST", "/api/v1/key", members, BodyKind::small, false, &App::rotate_key},
    {"POST", "/api/v1/leave", members, BodyKind::small, false, &App::leave},
    {"GET", "/api/v1/me", known, BodyKind::none, false, &App::me},

    {"GET", "/api/v1/log/checkpoint", insiders, BodyKind::none, false, &App::log_checkpoint},
    {"GET", "/api/v1/log/tile/{tile...}", insiders, BodyKind::none, false, &App::log_tile},
    {"GET", "/api/v1/log/consistency", insiders, BodyKind::none, false, &App::log_consistency},
    {"GET", "/api/v1/log/proofs/{index}", insiders, BodyKind::none, false, &App::log_proof},
    {"POST", "/api/v1/log/cosignatures", members, BodyKind::small, false, &App::log_cosign},
    {"GET", "/api/v1/receipts/{round}", insiders, BodyKind::none, false, &App::receipt},
    {"GET", "/api/v1/evidence", insiders, BodyKind::none, false, &App::evidence},

    {"GET", "/api/v1/status", insiders, BodyKind::none, false, &App::status},
    {"POST", "/api/v1/invitations", operators, BodyKind::small, false, &App::invite},
    {"GET", "/api/v1/ledger", overseers, BodyKind::none, false, &App::ledger},
    {"GET", "/api/v1/ledger/entries", overseers, BodyKind::none, false, &App::ledger_entries},
    {"GET", "/api/v1/blobs/{digest}", overseers, BodyKind::none, false, &App::blob},
    {"GET", "/api/v1/connector", overseers, BodyKind::none, false, &App::connector},
    {"GET", "/api/v1/agreements", overseers, BodyKind::none, false, &App::agreements},
    {"GET", "/api/v1/model", overseers, BodyKind::none, false, &App::model},
    {"GET", "/api/v1/model.safetensors", overseers, BodyKind::none, false, &App::model_safetensors},
    {"DELETE", "/api/v1/participants/{id}", operators, BodyKind::none, false, &App::remove_participant},
    {"POST", "/api/v1/participants/{id}/suspension", operators, BodyKind::small, false, &App::suspend_participant},
    {"DELETE", "/api/v1/participants/{id}/suspension", operators, BodyKind::none, false, &App::resume_participant},
};

// "/a/{x}/b" against "/a/1/b".
bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& parameters) {
    while (!pattern.empty() || !path.empty()) {
        if (pattern.empty() || path.empty() || pattern.front() != '/' || path.front() != '/') return false;
        pattern.remove_prefix(1);
        path.remove_prefix(1);
        const std::string_view want = pattern.substr(0, pattern.find('/'));
        if (want.ends_with("...}")) {
            if (path.empty() || path.size() > 256) return false;
            parameters.emplace_back(path);
            return true;
        }
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

constexpr Role every_role[] = {Role::partner, Role::auditor, Role::operator_};

std::string cell(const Access& access, Role role) {
    if (access.is_public()) return "yes";
    if (!access.has(role)) return "no";
    if (role != Role::partner) return "yes";
    return access.joined ? "its own, once joined" : "its own";
}

std::string_view body_text(http::BodyKind body) {
    switch (body) {
        case BodyKind::none: return "0 bytes";
        case BodyKind::small: return "64 KiB";
        case BodyKind::upload: break;
    }
    return "what the plan gives an update";
}
static_assert(small_body_bytes == 64 * 1024 && longest_wait_ms == 30'000, "as limits_markdown() says");

}  // namespace

std::string roles_text(const Access& access) {
    std::string text;
    for (const Role role : {Role::operator_, Role::auditor, Role::partner}) {
        if (access.has(role)) text += (text.empty() ? "" : " or ") + std::string(to_string(role));
    }
    return text;
}

std::string permissions_markdown() {
    std::string out = "| route | nobody | partner | auditor | operator |\n|---|---|---|---|---|\n";
    for (const Route& route : table) {
        out += "| `" + std::string(route.method) + " " + std::string(route.path) + "` | " + (route.access.is_public() ? "yes" : "no");
        for (const Role role : every_role) out += " | " + cell(route.access, role);
        out += " |\n";
    }
    return out;
}

std::string limits_markdown() {
    std::string out = "| route | body, at most | its time | answered | counted with |\n|---|---|---|---|---|\n";
    for (const Route& route : table) {
        out += "| `" + std::string(route.method) + " " + std::string(route.path) + "` | " + std::string(body_text(route.body)) + " | " +
               (route.body == BodyKind::none ? "none" : "30 s, then 16 KiB/s") + " | " + (route.long_poll ? "within 30 s" : "at once") + " | " +
               (route.access.is_public() ? "its address, or a token" : "its token") + " |\n";
    }
    return out;
}

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
