#include "identity/grants.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace entente;
using namespace entente::native;

namespace {

constexpr std::int64_t now_ms = 1'800'000'000'000;
constexpr const char* endpoint = "https://id.example/token";

// An issuer that answers with what it was told to, and remembers what it was asked.
struct Scripted {
    IssuerAnswer answer{200, R"({"access_token":"header.claims.signature","token_type":"Bearer","expires_in":300})"};
    IssuerRequest asked;
    AskIssuer ask = [this](IssuerRequest request, const std::function<void(Result<IssuerAnswer>)>& completion) {
        asked = std::move(request);
        completion(answer);
    };

    Result<TokenGrant> by_secret(const OidcClient& client = {"plant a", "s:e/cret"}, const Wanted& wanted = {}) {
        std::optional<Result<TokenGrant>> got;
        client_credentials(ask, endpoint, client, wanted, now_ms, [&got](Result<TokenGrant> grant) { got.emplace(std::move(grant)); });
        return std::move(*got);
    }
    std::string refused(int status, const std::string& body) {
        answer = {status, body};
        const auto grant = by_secret();
        REQUIRE_FALSE(grant.ok());
        CHECK(grant.error().message.find("s:e/cret") == std::string::npos);
        CHECK(grant.error().message.find("s%3Ae%2Fcret") == std::string::npos);
        return grant.error().reason;
    }
};

}  // namespace

TEST_CASE("client credentials: the secret is in the header alone, encoded twice as the standard wants it") {
    Scripted issuer;
    const auto grant = issuer.by_secret({"plant a", "s:e/cret"}, {.scope = "openid x", .resource = "https://b.example/dsp"});
    REQUIRE(grant.ok());
    CHECK(grant->access_token == "header.claims.signature");
    CHECK(grant->refresh_token.empty());
    CHECK(grant->expires_at_ms == now_ms + 300'000);
    CHECK(issuer.asked.url == endpoint);
    CHECK(issuer.asked.form == "grant_type=client_credentials&scope=openid%20x&resource=https%3A%2F%2Fb.example%2Fdsp");
    // base64("plant%20a:s%3Ae%2Fcret"), by coreutils' base64.
    CHECK(issuer.asked.authorization == "Basic cGxhbnQlMjBhOnMlM0FlJTJGY3JldA==");
    REQUIRE(issuer.by_secret({"public"}).ok());
    CHECK(issuer.asked.authorization.empty());
    CHECK(issuer.asked.form == "grant_type=client_credentials&client_id=public");
}

TEST_CASE("what an issuer answers is bounded, and never repeated where it could hold a secret") {
    Scripted issuer;
    CHECK(issuer.refused(401, R"({"error":"invalid_client","error_description":"s:e/cret"})") == "login.refused");
    CHECK(issuer.refused(400, R"({"error":"invalid_grant"})") == "login.expired");
    CHECK(issuer.refused(400, R"({"error":"s:e/cret is wrong"})") == "login.refused");
    CHECK(issuer.refused(302, "") == "issuer.malformed");
    CHECK(issuer.refused(200, "{}") == "issuer.malformed");
    CHECK(issuer.refused(200, "[]") == "issuer.malformed");
    CHECK(issuer.refused(200, R"({"access_token":7})") == "issuer.malformed");
    CHECK(issuer.refused(200, R"({"access_token":")" + std::string(9000, 'x') + "\"}") == "issuer.malformed");
    // A lifetime that is none, or is endless, is neither believed.
    for (const char* lifetime : {"", R"(,"expires_in":"300")", R"(,"expires_in":-1)"}) {
        issuer.answer = {200, std::string(R"({"access_token":"x")") + lifetime + "}"};
        CHECK(issuer.by_secret()->expires_at_ms == now_ms + 60'000);
    }
    issuer.answer = {200, R"({"access_token":"x","expires_in":999999999999})"};
    CHECK(issuer.by_secret()->expires_at_ms == now_ms + 24 * 3600 * 1000);
}

TEST_CASE("a refresh token stays, unless the issuer gives another one") {
    Scripted issuer;
    std::string kept;
    const auto renew = [&] { refresh(issuer.ask, endpoint, {"entente-device"}, "r 1", now_ms, [&kept](const Result<TokenGrant>& grant) { kept = grant->refresh_token; }); };
    renew();
    CHECK(kept == "r 1");
    CHECK(issuer.asked.form == "grant_type=refresh_token&refresh_token=r%201&client_id=entente-device");
    issuer.answer.body = R"({"access_token":"x","refresh_token":"r 2"})";
    renew();
    CHECK(kept == "r 2");
}

TEST_CASE("a device code: shown, polled as slowly as the issuer wants, and ended") {
    Scripted issuer;
    std::optional<Result<DeviceCode>> begun;
    const auto begin = [&] {
        begin_device(issuer.ask, "https://id.example/device", {"entente-device"}, {.scope = "openid"}, now_ms, [&begun](Result<DeviceCode> code) { begun.emplace(std::move(code)); });
    };
    issuer.answer = {200, R"({"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"https://id.example/activate","interval":2,"expires_in":60})"};
    begin();
    REQUIRE(begun->ok());
    DeviceCode code = begun->value();
    CHECK(code.user_code == "ABCD-EFGH");
    CHECK(code.interval_ms == 2'000);
    CHECK(code.expires_at_ms == now_ms + 60'000);
    const auto poll = [&] {
        std::string said;
        poll_device(issuer.ask, endpoint, {"entente-device"}, code, now_ms, [&said](const Result<std::optional<TokenGrant>>& grant) {
            said = !grant.ok() ? grant.error().reason : grant->has_value() ? (*grant)->access_token : "not yet";
        });
        return said;
    };
    issuer.answer = {400, R"({"error":"authorization_pending"})"};
    CHECK(poll() == "not yet");
    CHECK(code.interval_ms == 2'000);
    issuer.answer = {400, R"({"error":"slow_down"})"};
    CHECK(poll() == "not yet");
    CHECK(code.interval_ms == 7'000);
    issuer.answer = {400, R"({"error":"expired_token"})"};
    CHECK(poll() == "login.expired");
    issuer.answer = {400, R"({"error":"access_denied"})"};
    CHECK(poll() == "login.refused");
    issuer.answer = {200, R"({"access_token":"x"})"};
    CHECK(poll() == "x");
    // An address that nobody should be sent to.
    for (const char* uri : {"http://id.example/activate", "javascript:alert(1)", ""}) {
        issuer.answer = {200, std::string(R"({"device_code":"d","user_code":"u","verification_uri":")") + uri + "\"}"};
        begin();
        CHECK(begun->error().reason == "issuer.malformed");
    }
}
