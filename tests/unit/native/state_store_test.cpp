#include "store/state_store.hpp"

#include <doctest/doctest.h>

#include "base/files.hpp"

#include "support.hpp"

using namespace entente;
using native::Account;
using native::JoinCode;
using native::StateStore;

namespace {

Digest digest_with(unsigned first) {
    Digest digest{};
    digest.bytes[0] = static_cast<std::byte>(first);
    return digest;
}

}  // namespace

TEST_CASE("what was saved is there after the store is opened again") {
    const TemporaryFolder folder;
    const std::string path = (folder.path / "entente.db").string();
    {
        StateStore store = StateStore::open(path).value();
        CHECK_FALSE(store.meta("colour").value().has_value());
        REQUIRE(store.set_meta("colour", as_bytes(std::string_view("blue"))).ok());
        native::Snapshot snapshot;
        snapshot.exchange = Bytes(5, std::byte{7});
        snapshot.contents["urn:fl:a:b:updates"] = {{}, digest_with(9)};
        REQUIRE(store.save(snapshot).ok());
        REQUIRE(store.put_history(2, "{\"round\":2}").ok());
    }
    StateStore store = StateStore::open(path).value();
    CHECK(store.meta("colour").value()->size() == 4);
    const auto snapshot = store.snapshot().value();
    REQUIRE(snapshot.has_value());
    CHECK(snapshot->exchange == Bytes(5, std::byte{7}));
    CHECK(snapshot->contents.at("urn:fl:a:b:updates").blob == digest_with(9));
    CHECK(store.history().value().at(2) == "{\"round\":2}");
    CHECK(store.ledger().value().empty());
    CHECK_FALSE(store.last_entry().value().has_value());
}

TEST_CASE("a code is redeemed and its account made in one transaction") {
    const TemporaryFolder folder;
    StateStore store = StateStore::open((folder.path / "entente.db").string()).value();
    JoinCode code;
    code.code = digest_with(1);
    code.participant = "plant-a";
    code.role = "partner";
    code.expires_at_ms = 100;
    REQUIRE(store.put_code(code).ok());
    code.used_at_ms = 50;
    Account account;
    account.id = "plant-a";
    account.role = "partner";
    account.token = digest_with(2);
    account.joined_at_ms = 50;
    REQUIRE(store.redeem(code, account).ok());
    REQUIRE(store.codes().value().size() == 1);
    CHECK(store.codes().value().front().used_at_ms == 50);
    REQUIRE(store.accounts().value().size() == 1);
    CHECK(store.accounts().value().front().token == digest_with(2));
}

TEST_CASE("a damaged database is said to be one, and is left as it was") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder.path / "entente.db";
    const std::string noise(8192, 'x');
    put_text(path, noise);
    const auto opened = StateStore::open(path.string());
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code == Code::data_loss);
    CHECK(opened.error().reason == "store.damaged");
    CHECK(native::read_text_file(path).value() == noise);
}

TEST_CASE("a database whose pages were overwritten is refused, not half read") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder.path / "entente.db";
    {
        StateStore store = StateStore::open(path.string()).value();
        for (std::uint64_t round = 0; round < 400; ++round)
            REQUIRE(store.put_history(round, std::string(200, 'h')).ok());
    }
    {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(8192);
        file << std::string(16384, '\xff');
    }
    const auto opened = StateStore::open(path.string());
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code == Code::data_loss);
}

TEST_CASE("a database of another version is refused with what to do") {
    const TemporaryFolder folder;
    const std::string path = (folder.path / "entente.db").string();
    {
        StateStore store = StateStore::open(path).value();
        REQUIRE(store.set_meta("format", Bytes(8, std::byte{9})).ok());
    }
    const auto opened = StateStore::open(path);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().reason == "store.other-version");
    CHECK(opened.error().message.find("use the release that made it") != std::string::npos);
}
