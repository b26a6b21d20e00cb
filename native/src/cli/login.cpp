#include "cli/login.hpp"

#include "api/json_body.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "join/membership.hpp"
#include "net/http_client.hpp"

namespace entente::native {
namespace {

// Signed in is who the coordinator knows: it is asked before anything is kept.
Result<JsonBody> login_now(const LoginOptions& o, commands::Environment& environment) {
    const auto say = [&](const DeviceCode& code) {
        if (o.json) {
            environment.print(commands::JsonObject().text("event", "confirm").text("uri", code.verification_uri).text("code", code.user_code)
                                  .text("uri_complete", code.verification_uri_complete).str() + "\n");
            return;
        }
        environment.print("  Open         " + commands::printable(code.verification_uri) + "\n  Enter        " + commands::printable(code.user_code) + "\n");
        if (!code.verification_uri_complete.empty()) environment.print("  Or           " + commands::printable(code.verification_uri_complete) + "\n");
        environment.print("  Waiting      until the code is confirmed there\n");
    };
    ENTENTE_ASSIGN(auto http, make_http_client({o.wanted.url, o.wanted.ca_file}));
    ENTENTE_ASSIGN(const Session session, sign_in(o.wanted, say));
    http->set_token(session.grant.access_token);
    ENTENTE_ASSIGN(const std::string answer, ask_text(*http, "GET", "/api/v1/me", {}));
    ENTENTE_TRY(write_session(o.state_folder, session));
    return JsonBody::parse(answer);
}

}  // namespace

int login(const LoginOptions& o, commands::Environment& environment) {
    const auto who = login_now(o, environment);
    if (!who.ok()) return commands::report(who.error(), environment);
    if (o.json) {
        environment.print(commands::JsonObject().text("event", "signed-in").text("person", who->text("person")).text("role", who->text("role"))
                              .text("participant", who->text("participant")).str() + "\n");
        return commands::exit_done;
    }
    const bool partner = who->text("role") == "partner";
    environment.print("  Signed in    " + commands::printable(who->text("person")) + "   as " + who->text("role") +
                      (partner ? " for " + who->text("participant") : "") + "\n");
    environment.print("  Kept         " + o.state_folder + "/session.json, mode 600\n");
    environment.print("  Next         " + (partner ? "entente join --url " + o.wanted.url + " --data DIR --state " + o.state_folder
                                                   : "entente invite --url " + o.wanted.url + " --state " + o.state_folder + " --partner plant-a") + "\n");
    return commands::exit_done;
}

}  // namespace entente::native
