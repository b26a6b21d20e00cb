#include <doctest/doctest.h>

#include "entente/base/base64.hpp"
#include "entente/codec/jws.hpp"

using namespace entente;
using namespace entente::codec;

namespace {

// RFC 8037, appendix A.1: d and x of the key.
constexpr const char* rfc_d = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
constexpr const char* rfc_x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
// Appendix A.4: the JWS of "Example of Ed25519 signing".
constexpr const char* rfc_input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
constexpr const char* rfc_signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

SigningKey rfc_key() {
    const Bytes seed = from_base64url(rfc_d).value();
    return SigningKey(std::span<const std::byte, SigningKey::seed_bytes>(seed.data(), SigningKey::seed_bytes));
}

}  // namespace

TEST_CASE("jws: the signature of RFC 8037, appendix A.4") {
    const SigningKey key = rfc_key();
    CHECK(to_base64url(key.public_key().bytes) == rfc_x);
    CHECK(sign_jws(key, R"({"alg":"EdDSA"})", "Example of Ed25519 signing") == std::string(rfc_input) + "." + rfc_signature);
}

TEST_CASE("jws: what was signed is read and verified, and nothing else is") {
    const SigningKey key = rfc_key();
    const std::string token = sign_jws(key, R"({"alg":"EdDSA","typ":"JWT","kid":"plant-a"})", R"({"iss":"plant-a"})");
    const auto jws = read_jws(token);
    REQUIRE(jws.ok());
    CHECK(jws->kid == "plant-a");
    CHECK(jws->payload.find("iss")->text == "plant-a");
    CHECK(verify(*jws, key.public_key()));
    std::array<std::byte, SigningKey::seed_bytes> other{};
    CHECK_FALSE(verify(*jws, SigningKey(other).public_key()));
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        const auto read = read_jws(changed);
        CHECK_FALSE((read.ok() && verify(*read, key.public_key())));
        CHECK_FALSE((read_jws(token.substr(0, i)).ok() && verify(*read_jws(token.substr(0, i)), key.public_key())));
    }
}

TEST_CASE("jws: other algorithms are refused whatever their signature") {
    const SigningKey key = rfc_key();
    for (const char* header : {R"({"alg":"none"})", R"({"alg":"HS256"})", R"({"alg":"ES256"})", R"({"alg":"eddsa"})", R"({})", R"({"alg":["EdDSA"]})",
                               R"({"alg":"EdDSA","crit":["exp"]})", R"({"alg":"EdDSA","alg":"none"})", "[]"}) {
        CAPTURE(header);
        CHECK_FALSE(read_jws(sign_jws(key, header, "{}")).ok());
    }
    for (const std::string& token : {std::string(), std::string("."), std::string(".."), std::string("a.b.c.d"), std::string(10'000, 'A')}) {
        CHECK_FALSE(read_jws(token).ok());
    }
}
