#include <doctest/doctest.h>

#include <openssl/hmac.h>

#include "identity/jwt.hpp"
#include "token_maker.hpp"

using namespace entente;
using namespace entente::native;
using testing::key_set;
using testing::text64;
using testing::TokenMaker;

namespace {

constexpr std::int64_t now_s = 1'800'000'000;
const JwtExpected expected{"https://id.example", {"entente-api"}};

std::string claims_with(const std::string& more, const std::string& times = R"("iat":1800000000,"nbf":1800000000,"exp":1800000300)") {
    return R"({"iss":"https://id.example","aud":"entente-api","sub":"olga",)" + times + more + "}";
}

// "believed", or the reason of the refusal.
std::string judge(const JwtKeys& keys, const std::string& token, std::int64_t at_s = now_s) {
    const auto jwt = read_jwt(token);
    if (!jwt.ok()) {
        CHECK(jwt.error().code == Code::unauthenticated);
        return jwt.error().reason;
    }
    const JwtKey* key = keys.find(jwt->kid, jwt->algorithm);
    if (key == nullptr) return "no key";
    const auto claims = verify_jwt(*jwt, *key, expected, at_s);
    if (claims.ok()) return "believed";
    CHECK(claims.error().code == Code::unauthenticated);
    CHECK(claims.error().message.find(token.substr(0, 20)) == std::string::npos);
    return claims.error().reason;
}

JwtKey key_of(const std::string& jwk) { return JwtKey::read(read_json(jwk).value()).value(); }

bool verifies(const JwtKey& key, const std::string& compact) {
    const std::size_t dot = compact.rfind('.');
    return key.verifies(compact.substr(0, dot), from_base64url(compact.substr(dot + 1)).value());
}

}  // namespace

TEST_CASE("RFC 7515, A.2 and A.3, and RFC 8037, A.4: the standards' own signatures") {
    const std::string claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const JwtKey rsa = key_of(R"({"kty":"RSA","kid":"a2","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx)"
                              R"(HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH)"
                              R"(SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8)"
                              R"(NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})");
    const std::string rs256 = "eyJhbGciOiJSUzI1NiJ9." + claims +
                              ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
                              "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
                              "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ"
                              "Ge77Rw";
    CHECK(verifies(rsa, rs256));
    const JwtKey ec = key_of(R"({"kty":"EC","kid":"a3","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                             R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
    const std::string es256 = "eyJhbGciOiJFUzI1NiJ9." + claims +
                              ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    CHECK(verifies(ec, es256));
    const JwtKey ed = key_of(R"({"kty":"OKP","kid":"a4","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
    const std::string eddsa = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                              "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    CHECK(verifies(ed, eddsa));
    for (const auto& [key, good] : {std::pair{&rsa, &rs256}, {&ec, &es256}, {&ed, &eddsa}}) {
        std::string other = *good;
        other[30] = other[30] == 'A' ? 'B' : 'A';
        CHECK_FALSE(verifies(*key, other));
        for (const JwtKey* wrong : {&rsa, &ec, &ed}) CHECK(verifies(*wrong, *good) == (wrong == key));
    }
}

TEST_CASE("a provider's tokens of each algorithm are believed, and the claims are what was signed") {
    for (const char* algorithm : {"RS256", "ES256", "EdDSA"}) {
        CAPTURE(algorithm);
        const TokenMaker maker(algorithm, "k1");
        const JwtKeys keys = JwtKeys::read(key_set(maker.jwk(R"(,"use":"sig")"))).value();
        const std::string token = maker.token(claims_with(R"(,"realm_access":{"roles":["partner"]},"https://x.example/roles":"auditor")"));
        CHECK(judge(keys, token) == "believed");
        const Json claims = read_jwt(token)->claims;
        CHECK(claim_at(claims, "realm_access.roles")->items.at(0).text == "partner");
        CHECK(text_claim(claims, "https://x.example/roles") == "auditor");
        CHECK(claim_at(claims, "realm_access.nothing") == nullptr);
        CHECK(claim_at(claims, "sub.deeper") == nullptr);
        CHECK(looks_like_jwt(token));
        CHECK_FALSE(looks_like_jwt("op_0123456789"));
        // Every byte counts.
        for (std::size_t i = 0; i < token.size(); i += 7) {
            std::string bent = token;
            bent[i] = bent[i] == 'x' ? 'y' : 'x';
            CHECK(judge(keys, bent) != "believed");
        }
    }
}

TEST_CASE("attacks on the header, each refused for what it is") {
    const TokenMaker rsa("RS256", "r");
    const TokenMaker ec("ES256", "e");
    const TokenMaker ed("EdDSA", "d");
    const TokenMaker thief("ES256", "e", 2);
    const JwtKeys keys = JwtKeys::read(key_set(rsa.jwk() + "," + ec.jwk() + "," + ed.jwk())).value();
    const std::string claims = claims_with("");
    const auto signed_by_hmac = [&](const std::string& header, const std::string& secret) {
        const std::string input = text64(header) + "." + text64(claims);
        std::array<std::byte, 32> mac{};
        HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(input.data()), input.size(),
             reinterpret_cast<unsigned char*>(mac.data()), nullptr);
        return input + "." + to_base64url(mac);
    };
    const auto unsigned_token = [&](const std::string& header) { return text64(header) + "." + text64(claims) + "."; };
    const std::string good = ec.token(claims);
    REQUIRE(judge(keys, good) == "believed");

    SUBCASE("no algorithm, in any spelling") {
        for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
            CHECK(judge(keys, unsigned_token(std::string(R"({"typ":"at+jwt","kid":"e","alg":")") + none + "\"}")) == "token.algorithm");
        }
        CHECK(judge(keys, unsigned_token(R"({"typ":"at+jwt","kid":"e"})")) == "token.algorithm");
        CHECK(judge(keys, unsigned_token(R"({"typ":"at+jwt","kid":"e","alg":null})")) == "token.algorithm");
        CHECK(judge(keys, unsigned_token(R"({"typ":"at+jwt","kid":"e","alg":["ES256"]})")) == "token.algorithm");
    }
    SUBCASE("the public key as the secret of an HMAC") {
        for (const char* alg : {"HS256", "HS384", "HS512"}) {
            CHECK(judge(keys, signed_by_hmac(std::string(R"({"typ":"at+jwt","kid":"r","alg":")") + alg + "\"}", rsa.pem())) == "token.algorithm");
        }
        CHECK(judge(keys, signed_by_hmac(R"({"typ":"at+jwt","kid":"r","alg":"RS256"})", rsa.pem())) == "token.signature");
    }
    SUBCASE("other algorithms of the same keys") {
        for (const char* alg : {"PS256", "RS384", "RS512", "ES384", "ES256K", "Ed448", "rs256", "es256", "RS256 "}) {
            CHECK(judge(keys, ec.token(std::string(R"({"typ":"at+jwt","kid":"e","alg":")") + alg + "\"}", claims)) == "token.algorithm");
        }
    }
    SUBCASE("a key of another type under the name of a good one") {
        CHECK(judge(keys, ec.token(R"({"typ":"at+jwt","kid":"r","alg":"ES256"})", claims)) == "no key");
        CHECK(judge(keys, ed.token(R"({"typ":"at+jwt","kid":"e","alg":"EdDSA"})", claims)) == "no key");
        CHECK(judge(keys, ec.token(R"({"typ":"at+jwt","kid":"e","alg":"RS256"})", claims)) == "no key");
        const auto es = read_jwt(good);
        CHECK(verify_jwt(*es, *keys.find("r", JwtAlgorithm::rs256), expected, now_s).error().reason == "token.signature");
    }
    SUBCASE("a thief's key of the right type, in the header or under the same name") {
        CHECK(judge(keys, thief.token(claims)) == "token.signature");
        const std::string own = thief.header(R"(,"typ":"at+jwt","jwk":)" + thief.jwk());
        CHECK(judge(keys, thief.token(own, claims)) == "token.signature");
        CHECK(judge(keys, thief.token(thief.header(R"(,"typ":"at+jwt","jku":"https://thief.example/jwks","x5u":"https://thief.example")"), claims)) == "token.signature");
        CHECK(judge(keys, ec.token(ec.header(R"(,"typ":"at+jwt","jku":"https://thief.example/jwks")"), claims)) == "believed");
    }
    SUBCASE("no key id, or one of nobody") {
        CHECK(judge(keys, ec.token(R"({"typ":"at+jwt","alg":"ES256"})", claims)) == "token.malformed");
        CHECK(judge(keys, ec.token(R"({"typ":"at+jwt","alg":"ES256","kid":"../../x"})", claims)) == "no key");
    }
    SUBCASE("critical extensions") {
        CHECK(judge(keys, ec.token(ec.header(R"(,"typ":"at+jwt","crit":["exp"])"), claims)) == "token.malformed");
        CHECK(judge(keys, ec.token(ec.header(R"(,"typ":"at+jwt","b64":false)"), claims)) == "token.malformed");
    }
    SUBCASE("tokens of another kind") {
        for (const char* typ : {"logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", ""}) {
            CHECK(judge(keys, ec.token(ec.header(std::string(R"(,"typ":")") + typ + "\""), claims)) == "token.type");
        }
        CHECK(judge(keys, ec.token(ec.header(""), claims)) == "token.type");
        CHECK(judge(keys, ec.token(ec.header(R"(,"typ":"JWT")"), claims)) == "believed");
        CHECK(judge(keys, ec.token(ec.header(R"(,"typ":"application/AT+JWT")"), claims)) == "believed");
    }
    SUBCASE("duplicated members") {
        CHECK(judge(keys, ec.token(R"({"typ":"at+jwt","kid":"e","alg":"none","alg":"ES256"})", claims)) == "token.malformed");
        CHECK(judge(keys, ec.token(claims_with(R"(,"aud":"entente-api")"))) == "token.malformed");
    }
    SUBCASE("signatures that are stripped, shortened, doubled or in another form") {
        const std::string body = good.substr(0, good.rfind('.'));
        const Bytes signature = from_base64url(good.substr(good.rfind('.') + 1)).value();
        CHECK(judge(keys, body + ".") == "token.signature");
        CHECK(judge(keys, body) == "token.malformed");
        CHECK(judge(keys, good + ".") == "token.malformed");
        CHECK(judge(keys, good + "." + good) == "token.malformed");
        CHECK(judge(keys, body + "." + to_base64url(ByteView(signature).first(63))) == "token.signature");
        CHECK(judge(keys, body + "." + to_base64url(Bytes(64))) == "token.signature");  // r = s = 0
        Bytes twice = signature;
        twice.insert(twice.end(), signature.begin(), signature.end());
        CHECK(judge(keys, body + "." + to_base64url(twice)) == "token.signature");
        const std::string r = to_base64url(ByteView(signature).first(32));
        CHECK(judge(keys, body + "." + r) == "token.signature");
        CHECK(judge(keys, good + "=") == "token.signature");
        CHECK(judge(keys, body + ".!!") == "token.signature");
    }
    SUBCASE("what is no token at all, and what is too much of one") {
        for (const char* text : {"", ".", "..", "...", "a.b", "a.b.c", "eyJ9.e30.AA", "bm90IGpzb24.bm90IGpzb24.AA", "W10.W10.AA"}) {
            CHECK(judge(keys, text) == "token.malformed");
        }
        CHECK(judge(keys, ec.token(claims_with(R"(,"x":")" + std::string(9000, 'x') + "\""))) == "token.malformed");
        CHECK(judge(keys, std::string(10'000'000, 'e') + ".e.e") == "token.malformed");
        CHECK(judge(keys, ec.token(claims_with(",\"x\":" + std::string(40, '[') + std::string(40, ']')))) == "token.malformed");
    }
}

TEST_CASE("claims that are not good, each refused for what it is") {
    const TokenMaker ec("ES256", "e");
    const JwtKeys keys = JwtKeys::read(key_set(ec.jwk())).value();
    const auto judged = [&](const std::string& claims, std::int64_t at_s = now_s) { return judge(keys, ec.token(claims), at_s); };
    const std::string good = claims_with("");
    const std::string times = R"("exp":1800000300)";
    const auto claims = [&](const std::string& iss, const std::string& aud, const std::string& sub = R"("olga")") {
        return R"({"iss":)" + iss + R"(,"aud":)" + aud + R"(,"sub":)" + sub + "," + times + "}";
    };

    CHECK(judged(claims(R"("https://id.example")", R"(["other","entente-api"])")) == "believed");
    for (const char* iss : {R"("https://id.example/")", R"("https://ID.example")", R"("http://id.example")", R"("")", "null", R"(["https://id.example"])"}) {
        CHECK(judged(claims(iss, R"("entente-api")")) == "token.issuer");
    }
    for (const char* aud : {R"("entente")", R"("entente-api2")", R"("entente-api other")", R"([])", R"(["x",["entente-api"]])", R"({"a":"entente-api"})", "true"}) {
        CHECK(judged(claims(R"("https://id.example")", aud)) == "token.audience");
    }
    for (const char* sub : {R"("")", "7", "null"}) CHECK(judged(claims(R"("https://id.example")", R"("entente-api")", sub)) == "token.subject");

    // A minute of leeway, and not a second more.
    CHECK(judged(good, now_s + 300 + 59) == "believed");
    CHECK(judged(good, now_s + 300 + 60) == "token.expired");
    CHECK(judged(good, now_s - 60) == "believed");
    CHECK(judged(good, now_s - 61) == "token.early");
    CHECK(judged(claims_with("", R"("iat":1800000061,"exp":1800000300)")) == "token.early");
    CHECK(judged(claims_with("", R"("nbf":1800000061,"exp":1800000300)")) == "token.early");
    CHECK(judged(claims_with("", R"("iat":1800000000)")) == "token.expired");
    for (const char* exp : {R"("1800000300")", "1e300", "-1", "null", "true", "1e13"}) {
        CHECK(judged(claims_with("", std::string(R"("exp":)") + exp)) == "token.expired");
    }
    CHECK(judged(claims_with("", R"("exp":1800000300.75)")) == "believed");
    CHECK(judged(claims_with("", R"("nbf":"0","exp":1800000300)")) == "token.malformed");

    for (const char* kind : {"ID", "Refresh", "Offline", "Logout"}) CHECK(judged(claims_with(std::string(R"(,"typ":")") + kind + "\"")) == "token.type");
    CHECK(judged(claims_with(R"(,"typ":"Bearer")")) == "believed");
    CHECK(judged(claims_with(R"(,"cnf":{"jkt":"x"})")) == "token.bound");
}

TEST_CASE("of a provider's key set only what verifies signatures is taken") {
    const TokenMaker ec("ES256", "e");
    const TokenMaker rsa("RS256", "r");
    const TokenMaker ed("EdDSA", "d");
    const auto size_of = [](const std::string& jwks) { return JwtKeys::read(key_set(jwks)).value().size(); };
    CHECK(size_of(ec.jwk() + "," + rsa.jwk(R"(,"use":"sig","alg":"RS256")") + "," + ed.jwk(R"(,"key_ops":["verify"])")) == 3);
    CHECK(size_of("") == 0);
    for (const std::string& passed_over :
         {rsa.jwk(R"(,"use":"enc","alg":"RSA-OAEP")"), rsa.jwk(R"(,"alg":"PS256")"), rsa.jwk(R"(,"alg":"HS256")"), ec.jwk(R"(,"key_ops":["sign"])"),
          ec.jwk(R"(,"use":7)"), std::string(R"({"kty":"oct","kid":"s","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"})"), std::string("7"),
          std::string(R"({"kty":"EC","kid":"e","crv":"P-384","x":"","y":""})"),
          // Not on the curve, and the right point on the wrong curve.
          std::string(R"({"kty":"EC","kid":"e","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})"),
          std::string(R"({"kty":"EC","kid":"e","crv":"secp256k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})"),
          // RSA of 512 bits, and with exponents 1 and 2.
          R"({"kty":"RSA","kid":"r","e":"AQAB","n":")" + to_base64url(Bytes(64, std::byte{0xff})) + "\"}",
          R"({"kty":"RSA","kid":"r","e":"AQ","n":")" + to_base64url(Bytes(256, std::byte{0xff})) + "\"}",
          R"({"kty":"RSA","kid":"r","e":"Ag","n":")" + to_base64url(Bytes(256, std::byte{0xff})) + "\"}",
          R"({"kty":"RSA","kid":"r","e":"AQAB","n":")" + to_base64url(Bytes(4096, std::byte{0xff})) + "\"}",
          std::string(R"({"kty":"OKP","kid":"d","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
          std::string(R"({"kty":"OKP","kid":"d","crv":"Ed25519","x":"11qY"})")}) {
        CAPTURE(passed_over);
        CHECK(size_of(passed_over) == 0);
        CHECK(size_of(passed_over + "," + ec.jwk()) == 1);
    }
    CHECK(TokenMaker("ES256", "").jwk().find("\"kid\":\"\"") != std::string::npos);
    CHECK(size_of(TokenMaker("ES256", "").jwk()) == 0);
    for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[)", "null"}) CHECK_FALSE(JwtKeys::read(text).ok());
    CHECK_FALSE(JwtKeys::read(key_set("\"" + std::string(300'000, 'x') + "\"")).ok());
    std::string many;
    for (int i = 0; i < 100; ++i) many += (i ? "," : "") + ed.jwk();
    CHECK(size_of(many) == 64);
}
