#include "identity/join_codes.hpp"

#include <doctest/doctest.h>

#include <set>

#include "base/files.hpp"

#include "support.hpp"

using namespace entente;
using native::JoinCodes;
using native::Role;

namespace {

struct Office {
    TemporaryFolder folder;
    native::StateStore store = native::StateStore::open((folder.path / "entente.db").string()).value();
    JoinCodes codes = JoinCodes::open(store).value();

    std::string invite(const std::string& id, std::int64_t now_ms = 0) {
        return codes.invite(id, "", Role::partner, 60, now_ms).value().code;
    }
    Result<JoinCodes::Joined> redeem(const std::string& code, const codec::SigningKey& key, std::int64_t now_ms = 1,
                                     const std::string& remote = "10.0.0.1") {
        return codes.redeem(code, key.public_key(), key.sign("join", as_bytes(code)), remote, now_ms);
    }
};

codec::SigningKey key_number(unsigned number) {
    std::array<std::byte, codec::SigningKey::seed_bytes> seed{};
    seed[0] = static_cast<std::byte>(number);
    return codec::SigningKey{std::span<const std::byte, codec::SigningKey::seed_bytes>(seed)};
}

std::string reason(const Result<JoinCodes::Joined>& result) { return result.ok() ? "joined" : std::string(result.error().reason); }

}  // namespace

TEST_CASE("a code makes one partner, and its token authenticates it, also after a restart") {
    Office office;
    const std::string code = office.invite("plant-a");
    const auto joined = office.redeem(code, key_number(1));
    REQUIRE(joined.ok());
    REQUIRE(office.codes.authenticate(joined->token, 1).ok());
    CHECK(office.codes.authenticate(joined->token, 1)->id == "plant-a");
    CHECK_FALSE(office.codes.authenticate(joined->token + "x", 1).ok());
    CHECK_FALSE(office.codes.authenticate("", 1).ok());
    JoinCodes again = JoinCodes::open(office.store).value();
    REQUIRE(again.authenticate(joined->token, 1).ok());
    CHECK(again.authenticate(joined->token, 1)->role == Role::partner);
}

TEST_CASE("a used code is refused to another key; the same key gets a new token") {
    Office office;
    const std::string code = office.invite("plant-a");
    const auto first = office.redeem(code, key_number(1));
    REQUIRE(first.ok());
    CHECK(reason(office.redeem(code, key_number(2))) == "join.used");
    const auto repeated = office.redeem(code, key_number(1));
    REQUIRE(repeated.ok());
    CHECK_FALSE(office.codes.authenticate(first->token, 1).ok());
    CHECK(office.codes.authenticate(repeated->token, 1).ok());
}

TEST_CASE("expired and unknown codes and foreign signatures are refused") {
    Office office;
    const std::string code = office.invite("plant-a");
    CHECK(reason(office.redeem(code, key_number(1), 60'000)) == "join.expired");
    CHECK(reason(office.redeem("ABCD-EFGH-JKLM", key_number(1))) == "join.unknown");
    const auto signature = key_number(2).sign("join", as_bytes(code));
    CHECK(reason(office.codes.redeem(code, key_number(1).public_key(), signature, "10.0.0.1", 1)) == "join.bad-signature");
    CHECK(office.redeem(code, key_number(1)).ok());
}

TEST_CASE("a code is read as people type it") {
    Office office;
    std::string code = office.invite("plant-a");
    std::string typed;
    for (const char c : code) typed += c == '-' ? ' ' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    CHECK(office.redeem(typed, key_number(1)).ok());
}

TEST_CASE("guessing is slowed down for one address, and others still come in") {
    Office office;
    const std::string code = office.invite("plant-a");
    for (int i = 0; i < 10; ++i) CHECK(reason(office.redeem("AAAA-AAAA-AAAA", key_number(1), 1)) == "join.unknown");
    CHECK(reason(office.redeem(code, key_number(1), 1)) == "join.too-many-attempts");
    CHECK(office.redeem(code, key_number(1), 1, "10.0.0.2").ok());
}

TEST_CASE("a guesser's minute passes") {
    Office office;
    const std::string code = office.codes.invite("plant-a", "", Role::partner, 3600, 0).value().code;
    for (int i = 0; i < 10; ++i) CHECK_FALSE(office.redeem("AAAA-AAAA-AAAA", key_number(1), 1).ok());
    CHECK(office.redeem(code, key_number(1), 60'002).ok());
}

TEST_CASE("nobody is invited as operator, and no id twice") {
    Office office;
    CHECK_FALSE(office.codes.invite("boss", "", Role::operator_, 60, 0).ok());
    CHECK_FALSE(office.codes.invite("../etc", "", Role::partner, 60, 0).ok());
    REQUIRE(office.redeem(office.invite("plant-a"), key_number(1)).ok());
    CHECK(office.codes.invite("plant-a", "", Role::partner, 60, 0).error().reason == "join.taken");
}

TEST_CASE("who was removed is out at once and does not come back with the same key") {
    Office office;
    const auto joined = office.redeem(office.invite("plant-a"), key_number(1));
    REQUIRE(joined.ok());
    REQUIRE(office.codes.expel("plant-a").ok());
    CHECK_FALSE(office.codes.authenticate(joined->token, 1).ok());
    CHECK(reason(office.redeem(office.invite("plant-a"), key_number(1))) == "join.removed");
    CHECK(office.redeem(office.invite("plant-a"), key_number(2)).ok());
}

TEST_CASE("the operator's token is told once and never kept") {
    Office office;
    const auto token = office.codes.first_operator_token().value();
    REQUIRE(token.has_value());
    CHECK(office.codes.authenticate(*token, 1)->role == Role::operator_);
    CHECK_FALSE(office.codes.first_operator_token().value().has_value());
    const Bytes file = native::read_file(office.folder.path / "entente.db", 10'000'000).value();
    const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
    CHECK(bytes.find(*token) == std::string_view::npos);
}

TEST_CASE("the operator's token is told before it is kept: whoever is killed in between gets another one") {
    Office office;
    std::string told;
    const auto killed = [&told](const std::string& token) -> Status {
        told = token;
        return Error{Code::cancelled, "test.killed", "killed"};
    };
    CHECK(office.codes.first_operator_token(killed).error().reason == "test.killed");
    JoinCodes again = JoinCodes::open(office.store).value();
    CHECK_FALSE(again.authenticate(told, 1).ok());
    const auto token = again.first_operator_token().value();
    REQUIRE(token.has_value());
    CHECK(again.authenticate(*token, 1).ok());
}

TEST_CASE("a code once used does not bring back a partner that was removed, whoever had the id since") {
    Office office;
    const std::string first = office.invite("plant-a");
    REQUIRE(office.redeem(first, key_number(1)).ok());
    REQUIRE(office.codes.expel("plant-a").ok());
    CHECK(reason(office.redeem(first, key_number(1))) == "join.removed");
    REQUIRE(office.redeem(office.invite("plant-a"), key_number(2)).ok());
    CHECK(reason(office.redeem(first, key_number(1))) == "join.used");
    REQUIRE(office.codes.expel("plant-a").ok());
    CHECK(reason(office.redeem(first, key_number(1))) == "join.used");
    CHECK(office.codes.find("plant-a")->expelled);
}

TEST_CASE("two codes for one id make one partner") {
    Office office;
    const std::string first = office.invite("plant-a");
    const std::string second = office.invite("plant-a");
    REQUIRE(office.redeem(first, key_number(1)).ok());
    CHECK(reason(office.redeem(second, key_number(2))) == "join.other-key");
    CHECK(office.redeem(second, key_number(1)).ok());
}

TEST_CASE("codes are unlike each other, readable, and kept only as hashes") {
    Office office;
    std::set<std::string> seen;
    for (int i = 0; i < 40; ++i) seen.insert(office.invite("plant-" + std::to_string(i)));
    CHECK(seen.size() == 40);
    const std::vector<native::JoinCode> kept = office.store.codes().value();
    for (const std::string& code : seen) {
        REQUIRE(code.size() == 14);
        CHECK(code[4] == '-');
        CHECK(code[9] == '-');
        CHECK(code.find_first_not_of("ABCDEFGHJKMNPQRSTUVWXYZ23456789-") == std::string::npos);
        for (const auto& row : kept) CHECK(to_hex(row.code).find(code) == std::string::npos);
    }
}

TEST_CASE("codes, their use and an expulsion are known after a restart") {
    Office office;
    const std::string open = office.invite("plant-a");
    const std::string used = office.invite("plant-b");
    const auto joined = office.redeem(used, key_number(2));
    REQUIRE(joined.ok());
    REQUIRE(office.codes.expel("plant-b").ok());
    JoinCodes again = JoinCodes::open(office.store).value();
    CHECK_FALSE(again.authenticate(joined->token, 1).ok());
    CHECK(again.redeem(used, key_number(3).public_key(), key_number(3).sign("join", as_bytes(used)), "x", 1).error().reason == "join.used");
    CHECK(again.redeem(open, key_number(1).public_key(), key_number(1).sign("join", as_bytes(open)), "x", 1).ok());
    CHECK_FALSE(again.first_operator_token().value() == office.codes.first_operator_token().value());
}

TEST_CASE("guesses are counted in all, so that many addresses are no way round; looking up and bad signatures count") {
    Office office;
    const std::string code = office.invite("plant-a");
    for (int i = 0; i < 200; ++i) {
        const std::string remote = "10.0.1." + std::to_string(i);
        if (i % 2 == 0) {
            CHECK(office.codes.look_up("AAAA-AAAA-AAAA", remote, 1).error().reason == "join.unknown");
        } else {
            const auto foreign = key_number(2).sign("join", as_bytes(code));
            CHECK(reason(office.codes.redeem(code, key_number(1).public_key(), foreign, remote, 1)) == "join.bad-signature");
        }
    }
    const auto refused = office.redeem(code, key_number(1), 1, "10.9.9.9");
    CHECK(reason(refused) == "join.too-many-attempts");
    CHECK(refused.error().code == Code::resource_exhausted);
    CHECK(office.codes.look_up(code, "10.9.9.9", 1).error().reason == "join.too-many-attempts");
    CHECK(office.codes.look_up(code, "10.9.9.9", 60'002).error().reason == "join.expired");
}

TEST_CASE("tokens of any length are looked at without harm, and only the whole one counts") {
    Office office;
    const auto joined = office.redeem(office.invite("plant-a"), key_number(1)).value();
    for (std::size_t size = 0; size < joined.token.size(); ++size) {
        CHECK_FALSE(office.codes.authenticate(joined.token.substr(0, size), 1).ok());
    }
    CHECK_FALSE(office.codes.authenticate(std::string(1'000'000, 'a'), 1).ok());
    CHECK_FALSE(office.codes.authenticate(std::string("\0", 1), 1).ok());
    CHECK(joined.token.starts_with("pt_"));
    CHECK(joined.token.size() == 3 + 48);
}

TEST_CASE("roles are read by their names and by nothing else") {
    for (const Role role : {Role::partner, Role::operator_, Role::auditor}) CHECK(native::role_from(native::to_string(role)) == role);
    for (const char* text : {"", "Partner", "partner ", "admin", "unknown"}) CHECK_FALSE(native::role_from(text).has_value());
}

TEST_CASE("a token that lies unused for its life is good no more, one in use stays good, and a restart forgets neither") {
    constexpr std::int64_t day = 86'400'000;
    Office office;
    const std::string used = office.redeem(office.invite("plant-a"), key_number(1))->token;
    const std::string idle = office.redeem(office.invite("plant-b"), key_number(2))->token;
    for (std::int64_t at = 1; at <= 45; ++at) REQUIRE(office.codes.authenticate(used, at * day).ok());
    JoinCodes again = JoinCodes::open(office.store).value();
    for (JoinCodes* codes : {&office.codes, &again}) {
        CHECK(codes->authenticate(used, 46 * day).ok());
        CHECK(codes->authenticate(idle, 46 * day).error().reason == "auth.expired-token");
        CHECK(codes->authenticate("pt_00", 46 * day).error().reason == "auth.unknown-token");
    }
    CHECK(again.authenticate(used, 46 * day + 31 * day).error().reason == "auth.expired-token");
    // It may be invited again, and takes its place with the key that it has; a stranger does not.
    const std::string code = office.invite("plant-b", 46 * day);
    CHECK(reason(office.redeem(code, key_number(3), 46 * day + 1)) == "join.other-key");
    const auto back = office.redeem(code, key_number(2), 46 * day + 1);
    REQUIRE(back.ok());
    CHECK(office.codes.authenticate(back->token, 47 * day).ok());
    CHECK_FALSE(office.codes.authenticate(idle, 47 * day).ok());
    CHECK(office.codes.invite("plant-b", "", Role::partner, 60, 47 * day).error().reason == "join.taken");
}

TEST_CASE("a key that was rotated is the account's, and the token stays") {
    Office office;
    const auto joined = office.redeem(office.invite("plant-a"), key_number(1));
    REQUIRE(office.codes.rekey("plant-a", key_number(2).public_key()).ok());
    CHECK(office.codes.find("plant-a")->key == key_number(2).public_key());
    JoinCodes again = JoinCodes::open(office.store).value();
    CHECK(again.find("plant-a")->key == key_number(2).public_key());
    CHECK(again.authenticate(joined->token, 2).ok());
    CHECK(office.codes.rekey("plant-z", key_number(2).public_key()).error().reason == "participant.unknown");
}

TEST_CASE("a token that is bound to a client certificate is worth nothing without it, also after a restart") {
    Office office;
    const auto joined = office.redeem(office.invite("plant-a"), key_number(1));
    const std::string ours(64, 'a');
    REQUIRE(office.codes.bind("plant-a", {}).ok());
    CHECK(office.codes.authenticate(joined->token, 2, ours).ok());
    REQUIRE(office.codes.bind("plant-a", ours).ok());
    JoinCodes again = JoinCodes::open(office.store).value();
    for (JoinCodes* codes : {&office.codes, &again}) {
        CHECK(codes->authenticate(joined->token, 2, ours).ok());
        CHECK(codes->authenticate(joined->token, 2).error().reason == "auth.other-certificate");
        CHECK(codes->authenticate(joined->token, 2, std::string(64, 'b')).error().reason == "auth.other-certificate");
        CHECK(codes->check_certificate("plant-a", {}).error().reason == "auth.other-certificate");
        CHECK(codes->check_certificate("plant-b", {}).ok());
    }
    REQUIRE(again.bind("plant-a", {}).ok());
    CHECK(again.authenticate(joined->token, 2).ok());
    CHECK(JoinCodes::open(office.store).value().authenticate(joined->token, 2).ok());
}
