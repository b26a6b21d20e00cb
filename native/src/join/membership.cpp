#include "join/membership.hpp"

#include <filesystem>

#include "api/json_body.hpp"
#include "base/files.hpp"
#include "cli/key_file.hpp"
#include "cli/session.hpp"
#include "commands/plan_file.hpp"
#include "commands/text.hpp"
#include "commands/toml_table.hpp"
#include "join/key_rotation.hpp"

namespace entente::native {
namespace {

Result<PartnerState> read_state(const std::string& path) {
    ENTENTE_ASSIGN(const std::string text, read_text_file(path));
    ENTENTE_ASSIGN(commands::TomlTable root, commands::parse_toml(text, path, "partner"));
    PartnerState state;
    root.text("url", state.url);
    root.text("participant", state.participant);
    root.text("name", state.name);
    root.text("token", state.token);
    root.text("coordinator_key", state.coordinator_key);
    root.text("plan_digest", state.plan_digest);
    ENTENTE_TRY(root.finish());
    return state;
}

Status write_state(const std::string& path, const PartnerState& state) {
    std::string text = "# Made by entente join. Secret: whoever has the token can act in this partner's name.\n";
    const auto line = [&text](const char* key, const std::string& value) {
        text += std::string(key) + " = " + commands::JsonObject().text("v", value).str().substr(5);
        text.back() = '\n';  // the object's closing brace
    };
    line("url", state.url);
    line("participant", state.participant);
    line("name", state.name);
    line("token", state.token);
    line("coordinator_key", state.coordinator_key);
    line("plan_digest", state.plan_digest);
    return write_file(path, as_bytes(std::string_view(text)), 0600);
}

Result<PartnerState> state_of(const PartnerConfig& config, const std::string& answer) {
    ENTENTE_ASSIGN(const JsonBody json, JsonBody::parse(answer));
    return PartnerState{config.url, json.text("participant"), json.text("name"), json.text("token"), json.text("coordinator_key"),
                 json.text("plan_digest")};
}

Result<PartnerState> enrol_now(const PartnerConfig& config, hub::HttpClient& http, const codec::SigningKey& key, const std::string& token) {
    http.set_token(token);
    ENTENTE_ASSIGN(const std::string who, ask_text(http, "GET", "/api/v1/me", {}));
    ENTENTE_ASSIGN(const JsonBody me, JsonBody::parse(who));
    const std::string participant = me.text("participant");
    const std::string body = commands::JsonObject()
                                 .text("public_key", codec::to_hex(key.public_key()))
                                 .text("signature", codec::to_hex(key.sign("join", as_bytes("enrol:" + participant))))
                                 .str();
    ENTENTE_ASSIGN(const std::string answer, ask_text(http, "POST", "/api/v1/enrolment", body));
    return state_of(config, answer);
}

Result<PartnerState> join_now(const PartnerConfig& config, hub::HttpClient& http, const codec::SigningKey& key) {
    ENTENTE_ASSIGN(const std::string code, read_join_code(config));
    if (code.empty()) {
        // Somebody has signed in for this partner: its identity provider vouches for it in place of a code.
        ENTENTE_ASSIGN(const auto token, session_token(config.state_folder, config.url));
        if (token) return enrol_now(config, http, key, *token);
        return Error{Code::invalid_argument, "config.no-code",
                     "expected a join code for the first start: --code-file FILE, --code-file - or the variable ENTENTE_JOIN_CODE; "
                     "or somebody who has signed in for this partner (entente login --state " + config.state_folder + ")"};
    }
    const std::string body = commands::JsonObject()
                                 .text("code", code)
                                 .text("public_key", codec::to_hex(key.public_key()))
                                 .text("signature", codec::to_hex(key.sign("join", as_bytes(std::string_view(code)))))
                                 .text("accepted_by", config.accepted_by)
                                 .str();
    ENTENTE_ASSIGN(const std::string answer, ask_text(http, "POST", "/api/v1/join", body));
    return state_of(config, answer);
}

}  // namespace

Result<PartnerState> read_partner_state(const std::string& state_folder) { return read_state(state_folder + "/state.toml"); }

Result<std::string> ask_text(hub::HttpClient& http, const std::string& method, const std::string& target, const std::string& body) {
    hub::HttpRequest request;
    request.method = method;
    request.target = target;
    request.content_type = body.empty() ? "" : "application/json";
    const ByteView bytes = as_bytes(std::string_view(body));
    request.body.assign(bytes.begin(), bytes.end());
    ENTENTE_ASSIGN(const hub::HttpResponse response, http.send(request, nullptr, {}));
    ENTENTE_TRY(hub::error_of(response));
    return std::string(reinterpret_cast<const char*>(response.body.data()), response.body.size());
}

Result<Membership> become_member(const PartnerConfig& config, hub::HttpClient& http) {
    ENTENTE_TRY(make_directory(config.state_folder));
    if (std::filesystem::exists(config.state_folder + "/" + next_key_file)) {
        return Error{Code::conflict, "key.begun", config.state_folder + ": a change of the key has begun; end it with entente key rotate --state " + config.state_folder};
    }
    // The key is on disk before the code is used: a crash in between repeats the join with the same key.
    ENTENTE_ASSIGN(codec::SigningKey key, load_or_make_key(config.state_folder + "/partner.key"));
    const std::string path = config.state_folder + "/state.toml";
    auto state = read_state(path);
    if (!state.ok() && state.error().code == Code::not_found) {
        state = join_now(config, http, key);
        if (!state.ok()) return state.error();
        ENTENTE_TRY(write_state(path, *state));
    }
    if (!state.ok()) return state.error();
    http.set_token(state->token);

    ENTENTE_ASSIGN(const std::string envelope, ask_text(http, "GET", "/api/v1/plan", {}));
    ENTENTE_ASSIGN(const codec::PublicKey coordinator, codec::public_key_from_hex(state->coordinator_key));
    codec::PublicKey signer;
    ENTENTE_ASSIGN(plan::Plan plan, commands::open_plan_envelope(as_bytes(std::string_view(envelope)), &signer));
    if (signer != coordinator) {
        return Error{Code::permission_denied, "contract.foreign-key",
                     "plan: expected the signature of the coordinator that this partner joined, found another key's; nothing was sent"};
    }
    if (to_hex(plan::digest_of(plan)) != state->plan_digest) {
        return Error{Code::permission_denied, "contract.other-plan",
                     "plan: it is not the one that this partner agreed to; nothing was sent"};
    }
    return Membership{state->participant, state->name, state->token, coordinator, std::move(key), std::move(plan)};
}

}  // namespace entente::native
