#include <doctest/doctest.h>

#include "dsp/signed_identity.hpp"
#include "entente/codec/jws.hpp"

using namespace entente;
using namespace entente::native;

namespace {

constexpr const char* here = "https://coordinator.example/dsp/2025-1";

codec::SigningKey seeded(int n) {
    std::array<std::byte, codec::SigningKey::seed_bytes> bytes{};
    bytes.fill(static_cast<std::byte>(n));
    return codec::SigningKey(bytes);
}

struct Parties {
    codec::SigningKey a = seeded(1);
    codec::SigningKey c = seeded(2);
    std::int64_t now_ms = 1'800'000'000'000;
    std::unique_ptr<IdentityProvider> plant = make(a, "plant-a");
    std::unique_ptr<IdentityProvider> coordinator = make(c, "coordinator");

    std::unique_ptr<IdentityProvider> make(const codec::SigningKey& key, const std::string& who) {
        return make_signed_identity({.participant = who, .key = key,
                                     .key_of = [this](const std::string& id) -> std::optional<codec::PublicKey> {
                                         if (id == "plant-a") return a.public_key();
                                         if (id == "coordinator") return c.public_key();
                                         return std::nullopt;
                                     },
                                     .now_ms = [this] { return now_ms; }, .also_accepted = {}});
    }
    std::string token(IdentityProvider& from, const std::string& audience = here) {
        std::string header;
        from.mint(audience, [&](Result<std::string> made) { header = made.value(); });
        return header;
    }
    std::string seen(const std::string& header) {
        std::string who;
        coordinator->verify(header, here, [&](Result<std::string> id) { who = id.ok() ? *id : id.error().reason; });
        return who;
    }
    std::string claims(const std::string& iss, const std::string& rest) {
        return R"({"iss":")" + iss + R"(","sub":")" + iss + R"(","aud":")" + here + "\"," + rest + "}";
    }
    std::string made(const codec::SigningKey& key, const std::string& kid, const std::string& payload) {
        return "Bearer " + codec::sign_jws(key, R"({"alg":"EdDSA","kid":")" + kid + "\"}", payload);
    }
};

}  // namespace

TEST_CASE("a token says who calls, to the one it is meant for, once") {
    Parties p;
    const std::string token = p.token(*p.plant);
    CHECK(token.starts_with("Bearer "));
    CHECK(p.seen(token) == "plant-a");
    CHECK(p.seen(token) == "identity.replayed");
    CHECK(p.seen(p.token(*p.plant).substr(7)) == "plant-a");
    CHECK(p.seen(p.token(*p.plant, "https://plant-b.example/dsp/2025-1")) == "identity.audience");
    CHECK(p.seen("") == "identity.none");
    CHECK(p.seen("Bearer abc") == "identity.malformed");
    CHECK(p.seen(R"({"region":"eu","audience":"x","clientId":"plant-a"})") == "identity.malformed");
}

TEST_CASE("nobody speaks for another, and a token lives for a minute") {
    Parties p;
    const std::string s = std::to_string(p.now_ms / 1000), e = std::to_string(p.now_ms / 1000 + 60);
    const std::string good = "\"iat\":" + s + ",\"exp\":" + e + ",\"jti\":\"1\"";
    CHECK(p.seen(p.made(p.a, "plant-a", p.claims("plant-a", good))) == "plant-a");
    CHECK(p.seen(p.made(p.c, "plant-a", p.claims("plant-a", good))) == "identity.signature");
    CHECK(p.seen(p.made(p.a, "plant-c", p.claims("plant-c", good))) == "identity.stranger");
    CHECK(p.seen(p.made(p.a, "plant-a", p.claims("coordinator", good))) == "identity.malformed");
    CHECK(p.seen(p.made(p.a, "plant-a", p.claims("plant-a", "\"iat\":" + s + ",\"exp\":" + e))) == "identity.replayed");
    CHECK(p.seen(p.made(p.a, "plant-a", p.claims("plant-a", "\"jti\":\"2\""))) == "identity.expired");
    CHECK(p.seen(p.made(p.a, "plant-a", p.claims("plant-a", "\"iat\":" + s + ",\"exp\":9999999999,\"jti\":\"3\""))) == "identity.expired");

    const std::string early = p.token(*p.plant), late = p.token(*p.plant);
    p.now_ms += 119'000;
    CHECK(p.seen(early) == "plant-a");
    p.now_ms += 3'000;
    CHECK(p.seen(late) == "identity.expired");
    p.now_ms -= 300'000;
    CHECK(p.seen(late) == "identity.expired");
}
