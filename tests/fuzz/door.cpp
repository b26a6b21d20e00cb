// What stands at the door of the server before anything is known of who is there: the head of a request, and a token.
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "entente/codec/jws.hpp"
#include "fuzz/fuzz.hpp"
#include "http/guard.hpp"
#include "identity/issuer.hpp"
#include "identity/jwt.hpp"

namespace fuzz {
namespace {

using namespace entente;
using namespace entente::native;
namespace http = boost::beast::http;

void run_http_head(ByteView bytes) {
    const std::string_view head = text_of(bytes);
    const Status good = native::http::check_head(head);
    if (!good.ok()) {
        const int status = native::http::status_of(good.error());
        return expect(status >= 400 && status < 600, "a refusal has a status");
    }
    // What passes has one reading, whoever parses it.
    http::request_parser<http::empty_body> parser;
    parser.header_limit(native::http::max_head_bytes);
    boost::beast::error_code ec;
    parser.put(boost::asio::buffer(head.data(), head.size()), ec);
    if (ec || !parser.is_header_done()) return;
    const auto& request = parser.get();
    expect(request.count(http::field::host) == 1, "one Host");
    expect(request.count(http::field::content_length) + request.count(http::field::transfer_encoding) <= 1, "one length");
    expect(!parser.chunked() || request.version() == 11, "no chunks before HTTP/1.1");
    expect(request.count(http::field::trailer) == 0, "no trailer");
}

std::vector<Bytes> http_head_seeds() {
    return {bytes_of("GET /api/v1/status HTTP/1.1\r\nHost: localhost:8443\r\nAuthorization: Bearer x\r\n\r\n"),
            bytes_of("POST /api/v1/hub/heartbeat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\nContent-Type: application/json\r\n\r\n"),
            bytes_of("PUT http://localhost/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"),
            bytes_of("GET / HTTP/1.0\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n")};
}

// Keys whose private half nobody here has: no text may pass as signed by them but the one of the specification.
constexpr const char* jwks = R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

void run_token(ByteView bytes) {
    const std::string_view text = text_of(bytes);
    if (const auto token = read_jwt(text); token.ok()) {
        expect(looks_like_jwt(text), "what is read looks like one");
        static const JwtKeys keys = JwtKeys::read(jwks).value();
        if (const JwtKey* known = keys.find(token->kid, token->algorithm)) {
            expect(!verify_jwt(*token, *known, {"https://id.example", {"entente"}}, 1'800'000'000).ok(), "nobody signs for another");
        }
    }
    static_cast<void>(codec::read_jws(text));
    if (const auto keys = JwtKeys::read(text); keys.ok()) expect(keys->size() <= text.size(), "no more keys than text");
    static_cast<void>(read_discovery(text, "https://id.example"));
}

std::vector<Bytes> token_seeds() {
    const std::string claims = R"({"iss":"https://id.example","sub":"ada","aud":"entente","exp":1800000060,"iat":1800000000,"realm_access":{"roles":["operator"]}})";
    return {bytes_of(codec::sign_jws(key(1), R"({"alg":"EdDSA","typ":"JWT","kid":"k"})", claims)),
            bytes_of(codec::sign_jws(key(1), R"({"alg":"RS256","typ":"at+jwt","kid":"k"})", claims)), bytes_of(jwks),
            bytes_of(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"e","use":"sig","alg":"ES256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})"),
            bytes_of(R"({"issuer":"https://id.example","authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/k"})")};
}

}  // namespace

Target http_head() { return {"http_head", run_http_head, http_head_seeds}; }
Target token() { return {"token", run_token, token_seeds}; }

}  // namespace fuzz
