#include "cli/invite.hpp"

#include <cstdlib>

#include "api/json_body.hpp"
#include "base/files.hpp"
#include "cli/session.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "join/membership.hpp"
#include "net/http_client.hpp"

namespace entente::native {
namespace {

Result<std::string> invite_now(const InviteOptions& o) {
    std::string token;
    if (!o.token_file.empty()) {
        ENTENTE_ASSIGN(token, read_text_file(o.token_file, 4096));
        token = token.substr(0, token.find_first_of(" \r\n\t"));
    } else if (const char* variable = std::getenv("ENTENTE_TOKEN")) {
        token = variable;
    } else {
        ENTENTE_ASSIGN(const auto signed_in, session_token(o.state_folder, o.url));
        token = signed_in.value_or("");
    }
    if (token.empty()) {
        return Error{Code::invalid_argument, "config.no-token",
                     "expected the operator's token in --token-file or in the variable ENTENTE_TOKEN (serve shows it at its first start), "
                     "or somebody who has signed in (entente login)"};
    }
    ENTENTE_ASSIGN(auto http, make_http_client({o.url, o.ca_file}));
    http->set_token(token);
    const std::string body = commands::JsonObject()
                                 .text("participant", o.participant)
                                 .text("name", o.name)
                                 .text("role", o.role)
                                 .whole("valid_s", o.valid_s)
                                 .str();
    return ask_text(*http, "POST", "/api/v1/invitations", body);
}

}  // namespace

int invite(const InviteOptions& o, commands::Environment& environment) {
    const auto answer = invite_now(o);
    if (!answer.ok()) return commands::report(answer.error(), environment);
    if (o.json) {
        environment.print(*answer + "\n");
        return commands::exit_done;
    }
    const auto body = JsonBody::parse(*answer);
    if (!body.ok()) return commands::report(body.error(), environment);
    environment.print("  Code         " + body->text("code") + "   for " + o.participant + ", once, until " + body->text("expires_at") + "\n");
    environment.print("  Link         " + body->text("link") + "   (a browser)\n");
    environment.print("  Or           ENTENTE_JOIN_CODE=" + body->text("code") + " entente join --url " + o.url + " --data DIR --state " +
                      o.participant + "\n");
    return commands::exit_done;
}

}  // namespace entente::native
