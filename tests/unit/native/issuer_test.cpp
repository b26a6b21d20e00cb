#include <doctest/doctest.h>

#include <deque>

#include "base/files.hpp"
#include "identity/gatekeeper.hpp"
#include "support.hpp"
#include "token_maker.hpp"

using namespace entente;
using namespace entente::native;
using testing::key_set;
using testing::TokenMaker;

namespace {

constexpr const char* name = "https://id.example/realms/entente";
constexpr const char* keys_url = "https://id.example/realms/entente/keys";

// An identity provider that the test plays: it answers at once, or when the test says so.
struct Provider {
    TokenMaker key{"ES256", "first"};
    std::string keys = key_set(key.jwk());
    std::string document = std::string(R"({"issuer":")") + name + R"(","jwks_uri":")" + keys_url + R"(","token_endpoint":"https://id.example/token"})";
    int status = 200;
    bool reachable = true;
    bool slow = false;
    int documents = 0;
    int key_sets = 0;
    std::deque<std::function<void()>> later;
    std::int64_t now_ms = 1'800'000'000'000;
    std::shared_ptr<Issuer> issuer = Issuer::make({.issuer = name,
                                                   .ask = [this](IssuerRequest request, std::function<void(Result<IssuerAnswer>)> completion) {
                                                       if (slow) {
                                                           later.push_back([this, request, completion] { answer(request, completion); });
                                                       } else {
                                                           answer(request, completion);
                                                       }
                                                   },
                                                   .now_ms = [this] { return now_ms; }});

    void answer(const IssuerRequest& request, const std::function<void(Result<IssuerAnswer>)>& completion) {
        CHECK(request.form.empty());
        if (!reachable) return completion(Error{Code::unavailable, "outbound.unreachable", "nobody there"});
        if (request.url == keys_url) {
            ++key_sets;
            return completion(IssuerAnswer{status, keys});
        }
        ++documents;
        CHECK(request.url == std::string(name) + "/.well-known/openid-configuration");
        completion(IssuerAnswer{status, document});
    }

    [[nodiscard]] std::string claims(const std::string& more = R"(,"realm_access":{"roles":["operator"]})") const {
        const std::string now = std::to_string(now_ms / 1000);
        return std::string(R"({"iss":")") + name + R"(","aud":"entente-api","sub":"olga","preferred_username":"Olga","iat":)" + now + ",\"exp\":" +
               std::to_string(now_ms / 1000 + 300) + more + "}";
    }
    [[nodiscard]] std::string token() const { return key.token(claims()); }

    std::string verdict(const std::string& token) {
        std::string said = "nothing yet";
        issuer->verify(token, {"entente-api"}, [&said](Result<Json> got) { said = got.ok() ? "believed" : got.error().reason; });
        return said;
    }
};

}  // namespace

TEST_CASE("the keys are fetched once, and again when they are old") {
    Provider p;
    CHECK(p.verdict(p.token()) == "believed");
    CHECK(p.verdict(p.token()) == "believed");
    CHECK(p.key_sets == 1);
    p.now_ms += 9 * 60'000;
    CHECK(p.verdict(p.token()) == "believed");
    CHECK(p.key_sets == 1);
    p.now_ms += 60'000;
    CHECK(p.verdict(p.token()) == "believed");
    CHECK(p.key_sets == 2);
}

TEST_CASE("rotation: an unknown key is looked for once, and never twice within ten seconds") {
    Provider p;
    REQUIRE(p.verdict(p.token()) == "believed");
    const std::string old = p.token();
    const TokenMaker second("RS256", "second");
    const TokenMaker stranger("ES256", "stranger");
    // A flood of tokens with keys that nobody knows asks the provider no more than once.
    p.now_ms += 10'000;
    for (int i = 0; i < 50; ++i) CHECK(p.verdict(stranger.token(p.claims())) == "token.key");
    CHECK(p.key_sets == 2);
    p.now_ms += 9'999;
    CHECK(p.verdict(second.token(p.claims())) == "token.key");
    CHECK(p.key_sets == 2);
    p.keys = key_set(second.jwk() + "," + p.key.jwk());
    p.now_ms += 1;
    CHECK(p.verdict(second.token(p.claims())) == "believed");
    CHECK(p.verdict(old) == "believed");
    CHECK(p.key_sets == 3);
    // A key that the provider withdraws is not believed for longer than ten minutes.
    p.keys = key_set(second.jwk());
    p.now_ms += 10 * 60'000;
    CHECK(p.verdict(second.token(p.claims())) == "believed");
    CHECK(p.verdict(p.key.token(p.claims())) == "token.key");
}

TEST_CASE("those who come while the keys are being fetched wait for one answer") {
    Provider p;
    p.slow = true;
    std::vector<std::string> said;
    const auto ask = [&](const std::string& token) {
        p.issuer->verify(token, {"entente-api"}, [&said](Result<Json> got) { said.push_back(got.ok() ? "believed" : got.error().reason); });
    };
    for (int i = 0; i < 3; ++i) ask(p.token());
    ask(TokenMaker("ES256", "first", 2).token(p.claims()));
    CHECK(said.empty());
    while (!p.later.empty()) {
        const auto next = std::move(p.later.front());
        p.later.pop_front();
        next();
    }
    CHECK(said == std::vector<std::string>{"believed", "believed", "believed", "token.signature"});
    CHECK(p.documents == 1);
    // No more than a thousand.
    Provider q;
    q.slow = true;
    std::size_t waiting = 0;
    for (int i = 0; i < 1100; ++i) waiting += q.verdict(q.token()) == "nothing yet" ? 1 : 0;
    CHECK(waiting == 1000);
    CHECK(q.verdict(q.token()) == "issuer.busy");
}

TEST_CASE("a provider that is away: its keys are good for an hour, and nobody is believed without any") {
    Provider p;
    p.reachable = false;
    CHECK(p.verdict(p.token()) == "issuer.unreachable");
    CHECK(p.verdict(p.token()) == "issuer.unreachable");  // not asked again within ten seconds
    p.reachable = true;
    CHECK(p.verdict(p.token()) == "issuer.unreachable");
    p.now_ms += 10'000;
    CHECK(p.verdict(p.token()) == "believed");
    p.reachable = false;
    p.now_ms += 59 * 60'000;
    CHECK(p.verdict(p.token()) == "believed");
    p.now_ms += 60'000;
    CHECK(p.verdict(p.token()) == "issuer.unreachable");
    p.reachable = true;
    p.status = 500;
    p.now_ms += 10'000;
    CHECK(p.verdict(p.token()) == "issuer.unreachable");
    p.status = 200;
    p.now_ms += 10'000;
    CHECK(p.verdict(p.token()) == "believed");
}

TEST_CASE("a discovery document that is not the issuer's own, or leads to a weaker place, is not followed") {
    CHECK(read_discovery(Provider().document, name).ok());
    const auto with = [](const std::string& issuer, const std::string& keys) {
        return read_discovery(R"({"issuer":")" + issuer + R"(","jwks_uri":")" + keys + "\"}", name);
    };
    CHECK(with(name, "https://keys.example/set").ok());
    for (const char* other : {"https://id.example/realms/entente/", "https://id.example/realms/other", ""}) {
        CHECK(with(other, keys_url).error().reason == "issuer.malformed");
    }
    for (const char* keys : {"http://id.example/keys", "http://127.0.0.1/keys", "file:///etc/passwd", "", "https://user:password@id.example/keys"}) {
        CHECK(with(name, keys).error().reason == "issuer.malformed");
    }
    for (const char* text : {"", "[]", "{", "null"}) CHECK(read_discovery(text, name).error().reason == "issuer.malformed");
    CHECK(check_issuer_url("http://127.0.0.1:8181").ok());
    CHECK(check_issuer_url("http://localhost:8181").ok());
    CHECK(check_issuer_url("http://[::1]:8181").ok());
    CHECK_FALSE(check_issuer_url("http://10.0.0.1:8181").ok());
    CHECK_FALSE(check_issuer_url("http://localhost.example").ok());
}

TEST_CASE("roles and companies, where issuers write them") {
    const auto judged = [](const std::string& claims, const ClaimNames& names = {}) {
        const auto who = principal_of(read_json(claims).value(), names);
        if (who.ok()) return std::string(to_string(who->role)) + " " + who->id + " " + who->person;
        CHECK(who.error().code == Code::permission_denied);
        return who.error().reason;
    };
    CHECK(judged(R"({"sub":"1","name":"Olga","realm_access":{"roles":["offline_access","operator"]}})") == "operator operator Olga");
    CHECK(judged(R"({"sub":"1","preferred_username":"ada","realm_access":{"roles":["partner","auditor"]}})") == "auditor auditor ada");
    CHECK(judged(R"({"sub":"1","realm_access":{"roles":["partner"]},"participant_id":"urn:entente:plant-a"})") == "partner plant-a 1");
    CHECK(judged(R"({"sub":"1","groups":"x partner y","org":"plant-b"})", {"groups", "org"}) == "partner plant-b 1");
    CHECK(judged(R"({"sub":"1","https://x.example/r":["operator"]})", {"https://x.example/r", "org"}) == "operator operator 1");
    for (const char* roles : {R"([])", R"(["Operator"])", R"(["operators"])", R"("operator,partner")", R"({"operator":true})", "true", R"([["operator"]])"}) {
        CHECK(judged(std::string(R"({"sub":"1","realm_access":{"roles":)") + roles + "}}") == "auth.no-role");
    }
    CHECK(judged(R"({"sub":"1"})") == "auth.no-role");
    for (const char* company : {R"("")", R"("Plant A")", R"("../x")", R"("urn:other:plant-a")", R"(["plant-a"])", "7"}) {
        CHECK(judged(std::string(R"({"sub":"1","realm_access":{"roles":["partner"]},"participant_id":)") + company + "}") == "auth.no-company");
    }
}

TEST_CASE("the gate: our own tokens and the provider's, and what our books say of a partner") {
    TemporaryFolder folder;
    StateStore store = StateStore::open((folder.path / "entente.db").string()).value();
    JoinCodes codes = JoinCodes::open(store).value();
    Provider p;
    std::vector<std::function<void()>> posted;
    Gatekeeper gate({.codes = codes, .issuer = p.issuer, .audience = "entente-api", .claims = {}, .coordinator = "coordinator", .post = [&posted](std::function<void()> work) { posted.push_back(std::move(work)); }});
    const auto who = [&](const std::string& bearer) {
        std::string said = "nothing yet";
        gate.identify({bearer, {}, {}}, [&said](Result<Principal> found) {
            said = found.ok() ? std::string(to_string(found->role)) + " " + found->id + (found->joined ? "" : " not joined") : found.error().reason;
        });
        for (auto& work : posted) work();
        posted.clear();
        return said;
    };
    const std::string own = codes.first_operator_token().value().value();
    CHECK(who(own) == "operator operator");
    CHECK(who("") == "auth.no-token");
    CHECK(who("op_00") == "auth.unknown-token");
    CHECK(who(p.token()) == "operator operator");
    CHECK(who(p.key.token(p.claims(""))) == "auth.no-role");
    const std::string partner = p.key.token(p.claims(R"(,"realm_access":{"roles":["partner"]},"participant_id":"plant-a")"));
    CHECK(who(partner) == "partner plant-a not joined");
    CHECK(who(p.key.token(p.claims(R"(,"realm_access":{"roles":["partner"]},"participant_id":"coordinator")"))) == "auth.no-company");

    std::array<std::byte, codec::SigningKey::seed_bytes> seed{};
    const codec::SigningKey key(seed);
    const codec::Signature over_id = key.sign("join", as_bytes(std::string_view("enrol:plant-a")));
    CHECK(codes.enrol("plant-a", "Plant A", key.public_key(), key.sign("join", as_bytes(std::string_view("plant-a"))), 1).error().reason == "join.bad-signature");
    CHECK(codes.enrol("plant-b", "Plant B", key.public_key(), over_id, 1).error().reason == "join.bad-signature");
    const auto joined = codes.enrol("plant-a", "Plant A", key.public_key(), over_id, now_ms());
    REQUIRE(joined.ok());
    CHECK(who(partner) == "partner plant-a");
    CHECK(who(joined->token) == "partner plant-a");
    // The same key again: a new token, and the old one is none any more. Another key: not without the operator.
    const auto again = codes.enrol("plant-a", "Plant A", key.public_key(), over_id, 2);
    REQUIRE(again.ok());
    CHECK(who(joined->token) == "auth.unknown-token");
    seed[0] = std::byte{1};
    const codec::SigningKey other(seed);
    CHECK(codes.enrol("plant-a", "", other.public_key(), other.sign("join", as_bytes(std::string_view("enrol:plant-a"))), 3).error().reason == "join.other-key");
    // Whom the operator has removed, no identity provider brings back.
    REQUIRE(codes.expel("plant-a").ok());
    CHECK(who(partner) == "join.removed");
    CHECK(codes.enrol("plant-a", "", key.public_key(), over_id, 4).error().reason == "join.removed");
    CHECK(codes.enrol("plant-a", "", other.public_key(), other.sign("join", as_bytes(std::string_view("enrol:plant-a"))), 4).error().reason == "join.removed");

    Gatekeeper alone({.codes = codes, .issuer = nullptr, .audience = {}, .claims = {}, .coordinator = {}, .post = [](const std::function<void()>& work) { work(); }});
    std::string said;
    alone.identify({p.token(), {}, {}}, [&said](Result<Principal> found) { said = found.ok() ? "believed" : found.error().reason; });
    CHECK(said == "auth.unknown-token");
}
