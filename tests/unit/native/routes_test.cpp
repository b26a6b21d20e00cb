#include "api/routes.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

using namespace entente::native;

TEST_CASE("docs/security.md prints the tables of permissions and of limits as they are") {
    std::ifstream file(std::string(ENTENTE_SOURCE_DIR) + "/docs/security.md");
    std::stringstream text;
    text << file.rdbuf();
    for (const std::string& table : {permissions_markdown(), limits_markdown()}) {
        CHECK_MESSAGE(text.str().find(table) != std::string::npos, "expected in docs/security.md:\n\n" << table);
    }
}

TEST_CASE("nobody but those named may, and only a public route is for everybody") {
    for (const Route& route : routes()) {
        CAPTURE(route.path);
        const bool open = !route.path.starts_with("/api/") || route.path == "/api/v1/openapi.json" || route.path == "/api/v1/federation" ||
                          route.path == "/api/v1/plan" || route.path == "/api/v1/invitation" || route.path == "/api/v1/join" ||
                          route.path == "/api/v1/sample/{file}";
        CHECK(route.access.is_public() == open);
        // What a partner does in the hub it does as a member.
        if (route.path.starts_with("/api/v1/hub/")) CHECK((route.access.joined && roles_text(route.access) == "partner"));
    }
}
