#include "identity/issuer.hpp"

namespace entente::native {
namespace {

constexpr std::int64_t pause_ms = 10'000;
constexpr std::int64_t refresh_ms = 10 * 60'000;
constexpr std::int64_t keep_ms = 60 * 60'000;
constexpr std::size_t most_waiting = 1'000;

Error malformed(const std::string& sentence) {
    return {Code::data_loss, "issuer.malformed", "identity provider: " + sentence};
}

Error unreachable(const std::string& issuer, const std::string& why) {
    return {Code::unavailable, "issuer.unreachable", "the identity provider " + issuer + " does not answer: " + why};
}

// The body of a 200; anything else is no answer.
Result<std::string> body_of(Result<IssuerAnswer> answer, const std::string& issuer) {
    if (!answer.ok()) return unreachable(issuer, answer.error().message);
    if (answer->status != 200) return unreachable(issuer, "expected status 200, found " + std::to_string(answer->status));
    return std::move(answer->body);
}

Result<std::string> endpoint(const Json& document, const std::string& name, const std::string& issuer, bool required) {
    const std::string url = text_claim(document, name);
    if (url.empty() && !required) return url;
    const bool weaker = issuer.starts_with("https://") && !url.starts_with("https://");
    if (weaker || !check_issuer_url(url).ok()) return malformed("its " + name + ": expected an https address, found \"" + url.substr(0, 200) + "\"");
    return url;
}

}  // namespace

Result<Discovery> read_discovery(std::string_view body, const std::string& issuer) {
    const auto document = read_json(body, {.bytes = 256 * 1024, .depth = 16});
    if (!document.ok()) return malformed("its discovery document is no JSON: " + document.error().message);
    if (text_claim(*document, "issuer") != issuer) {
        return malformed("expected a discovery document of " + issuer + ", found one of \"" + text_claim(*document, "issuer").substr(0, 200) + "\"");
    }
    Discovery found;
    ENTENTE_ASSIGN(found.jwks_uri, endpoint(*document, "jwks_uri", issuer, true));
    ENTENTE_ASSIGN(found.token_endpoint, endpoint(*document, "token_endpoint", issuer, false));
    ENTENTE_ASSIGN(found.device_authorization_endpoint, endpoint(*document, "device_authorization_endpoint", issuer, false));
    return found;
}

void discover(const AskIssuer& ask, const std::string& issuer, std::function<void(Result<Discovery>)> completion) {
    const std::string base = issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
    ask({.url = base + "/.well-known/openid-configuration"}, [issuer, completion = std::move(completion)](Result<IssuerAnswer> answer) {
        const auto body = body_of(std::move(answer), issuer);
        if (!body.ok()) return completion(body.error());
        completion(read_discovery(*body, issuer));
    });
}

std::shared_ptr<Issuer> Issuer::make(IssuerOptions options) { return std::shared_ptr<Issuer>(new Issuer(std::move(options))); }

void Issuer::verify(const std::string& token, std::vector<std::string> audiences, Completion completion) {
    auto jwt = read_jwt(token);
    if (!jwt.ok()) return completion(jwt.error());
    std::optional<Result<Json>> answer;
    bool start = false;
    {
        const std::lock_guard lock(mutex_);
        const std::int64_t now_ms = o_.now_ms();
        const bool may_ask = !asking_ && (!asked_at_ms_ || now_ms - *asked_at_ms_ >= pause_ms || now_ms < *asked_at_ms_);
        const std::int64_t age_ms = keys_ ? now_ms - keys_at_ms_ : keep_ms;
        if (knows(*jwt) && age_ms < keep_ms) {
            start = may_ask && age_ms >= refresh_ms;
            answer = judge(*jwt, audiences);
        } else if (waiting_.size() >= most_waiting) {
            answer = Error{Code::unavailable, "issuer.busy", "too many wait for the identity provider; try again in a moment"};
        } else if (asking_ || may_ask) {
            start = may_ask;
            waiting_.push_back({std::move(*jwt), std::move(audiences), std::move(completion)});
        } else {
            answer = age_ms < keep_ms ? judge(*jwt, audiences) : Result<Json>(unreachable(o_.issuer, "it was asked a moment ago"));
        }
        if (start) {
            asking_ = true;
            asked_at_ms_ = now_ms;
        }
    }
    if (answer) completion(std::move(*answer));
    if (start) fetch();
}

Result<Json> Issuer::judge(const Jwt& token, const std::vector<std::string>& audiences) const {
    const JwtKey* key = keys_ ? keys_->find(token.kid, token.algorithm) : nullptr;
    if (key == nullptr) return Error{Code::unauthenticated, "token.key", "token: expected one signed with a key of " + o_.issuer + ", found another key"};
    return verify_jwt(token, *key, {o_.issuer, audiences}, o_.now_ms() / 1000);
}

void Issuer::fetch() {
    discover(o_.ask, o_.issuer, [self = shared_from_this()](Result<Discovery> found) {
        if (!found.ok()) return self->settle(found.error());
        self->o_.ask({.url = found->jwks_uri}, [self](Result<IssuerAnswer> answer) {
            const auto body = body_of(std::move(answer), self->o_.issuer);
            self->settle(body.ok() ? JwtKeys::read(*body) : Result<JwtKeys>(body.error()));
        });
    });
}

void Issuer::settle(Result<JwtKeys> keys) {
    std::vector<Waiting> waiting;
    std::vector<Result<Json>> answers;
    {
        const std::lock_guard lock(mutex_);
        asking_ = false;
        if (keys.ok()) {
            keys_ = *keys;
            keys_at_ms_ = o_.now_ms();
        }
        waiting.swap(waiting_);
        for (const Waiting& one : waiting) answers.push_back(keys.ok() ? judge(one.token, one.audiences) : Result<Json>(keys.error()));
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) waiting[i].completion(std::move(answers[i]));
}

}  // namespace entente::native
