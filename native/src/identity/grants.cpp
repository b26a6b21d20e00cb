#include "identity/grants.hpp"

#include "entente/base/base64.hpp"

namespace entente::native {
namespace {

constexpr std::int64_t usual_lifetime_s = 60;
constexpr std::int64_t longest_lifetime_s = 24 * 3600;
constexpr std::int64_t slower_ms = 5'000;
constexpr std::size_t longest_error = 64;

Error malformed(const char* what) { return {Code::data_loss, "issuer.malformed", std::string("identity provider: expected ") + what}; }

std::string with(const Wanted& wanted) {
    return (wanted.scope.empty() ? "" : "&scope=" + form_text(wanted.scope)) + (wanted.resource.empty() ? "" : "&resource=" + form_text(wanted.resource));
}

// Base64 as HTTP wants it: the other alphabet, and padded.
std::string basic(const OidcClient& client) {
    const std::string pair = form_text(client.id) + ":" + form_text(client.secret);
    std::string text = to_base64url(as_bytes(std::string_view(pair)));
    for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
    while (text.size() % 4 != 0) text += '=';
    return "Basic " + text;
}

// A client with a secret shows it in the header alone (RFC 6749, section 2.3.1); one without names itself in the form.
IssuerRequest request_of(const std::string& endpoint, const OidcClient& client, const std::string& form) {
    if (!client.secret.empty()) return {.url = endpoint, .form = form, .authorization = basic(client)};
    return {.url = endpoint, .form = form + "&client_id=" + form_text(client.id)};
}

Result<Json> document_of(const IssuerAnswer& answer) {
    auto document = read_json(answer.body, {.bytes = 256 * 1024, .depth = 8});
    if (!document.ok() || document->kind != Json::Kind::object) return malformed("a JSON object as answer");
    return document;
}

// Only what an error code may be made of: the answer could repeat what we sent.
std::string error_in(const Json& document) {
    const std::string code = text_claim(document, "error").substr(0, longest_error);
    const bool plain = !code.empty() && code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
    return plain ? code : "without a reason";
}

Result<TokenGrant> grant_of(const Result<IssuerAnswer>& answer, std::int64_t now_ms) {
    if (!answer.ok()) return Error{Code::unavailable, "issuer.unreachable", "the identity provider does not answer: " + answer.error().message};
    ENTENTE_ASSIGN(const Json document, document_of(*answer));
    if (answer->status != 200) {
        const std::string code = error_in(document);
        const bool late = code == "invalid_grant" || code == "expired_token";
        return Error{Code::unauthenticated, late ? "login.expired" : "login.refused", "the identity provider refuses a token: " + code};
    }
    TokenGrant grant;
    grant.access_token = text_claim(document, "access_token");
    grant.refresh_token = text_claim(document, "refresh_token");
    if (grant.access_token.empty() || grant.access_token.size() > max_jwt_bytes) return malformed("an access_token of at most 8 KiB");
    const std::int64_t lifetime_s = std::min(time_claim(document, "expires_in").value_or(usual_lifetime_s), longest_lifetime_s);
    grant.expires_at_ms = now_ms + 1000 * lifetime_s;
    return grant;
}

}  // namespace

void client_credentials(const AskIssuer& ask, const std::string& endpoint, const OidcClient& client, const Wanted& wanted, std::int64_t now_ms,
                        GrantCompletion completion) {
    ask(request_of(endpoint, client, "grant_type=client_credentials" + with(wanted)),
        [now_ms, completion = std::move(completion)](const Result<IssuerAnswer>& answer) { completion(grant_of(answer, now_ms)); });
}

void refresh(const AskIssuer& ask, const std::string& endpoint, const OidcClient& client, const std::string& refresh_token, std::int64_t now_ms,
             GrantCompletion completion) {
    ask(request_of(endpoint, client, "grant_type=refresh_token&refresh_token=" + form_text(refresh_token)),
        [now_ms, refresh_token, completion = std::move(completion)](const Result<IssuerAnswer>& answer) {
            auto grant = grant_of(answer, now_ms);
            if (grant.ok() && grant->refresh_token.empty()) grant->refresh_token = refresh_token;  // the old one stays good
            completion(std::move(grant));
        });
}

void begin_device(const AskIssuer& ask, const std::string& endpoint, const OidcClient& client, const Wanted& wanted, std::int64_t now_ms,
                  std::function<void(Result<DeviceCode>)> completion) {
    ask(request_of(endpoint, client, "response_type=device_code" + with(wanted)),
        [now_ms, completion = std::move(completion)](const Result<IssuerAnswer>& answer) {
            if (!answer.ok()) return completion(Error{Code::unavailable, "issuer.unreachable", "the identity provider does not answer: " + answer.error().message});
            const auto document = document_of(*answer);
            if (!document.ok()) return completion(document.error());
            if (answer->status != 200) {
                return completion(Error{Code::unauthenticated, "login.refused", "the identity provider refuses a device code: " + error_in(*document)});
            }
            DeviceCode code;
            code.device_code = text_claim(*document, "device_code");
            code.user_code = text_claim(*document, "user_code");
            code.verification_uri = text_claim(*document, "verification_uri");
            code.verification_uri_complete = text_claim(*document, "verification_uri_complete");
            const bool good = !code.device_code.empty() && !code.user_code.empty() && check_issuer_url(code.verification_uri).ok();
            if (!good) return completion(malformed("device_code, user_code and an https verification_uri"));
            code.interval_ms = 1000 * std::min<std::int64_t>(std::max<std::int64_t>(time_claim(*document, "interval").value_or(5), 1), 60);
            code.expires_at_ms = now_ms + 1000 * std::min<std::int64_t>(time_claim(*document, "expires_in").value_or(600), 3600);
            completion(std::move(code));
        });
}

void poll_device(const AskIssuer& ask, const std::string& endpoint, const OidcClient& client, DeviceCode& code, std::int64_t now_ms,
                 std::function<void(Result<std::optional<TokenGrant>>)> completion) {
    const std::string form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=" + form_text(code.device_code);
    ask(request_of(endpoint, client, form), [&code, now_ms, completion = std::move(completion)](const Result<IssuerAnswer>& answer) {
        if (answer.ok() && answer->status == 400) {
            const auto document = document_of(*answer);
            const std::string error = document.ok() ? error_in(*document) : std::string();
            if (error == "slow_down") code.interval_ms += slower_ms;
            if (error == "slow_down" || error == "authorization_pending") return completion(std::optional<TokenGrant>());
        }
        auto grant = grant_of(answer, now_ms);
        if (!grant.ok()) return completion(grant.error());
        completion(std::optional<TokenGrant>(std::move(*grant)));
    });
}

}  // namespace entente::native
