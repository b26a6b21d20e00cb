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

TEST_CASE("two coordinators cannot use one folder") {
    const TemporaryFolder folder;
    const std::string path = (folder.path / "entente.db").string();
    StateStore first = StateStore::open(path).value();
    const auto second = StateStore::open(path);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().reason == "store.locked");
    CHECK(second.error().message.find("another entente") != std::string::npos);
    CHECK(first.set_meta("still", as_bytes(std::string_view("works"))).ok());
}

TEST_CASE("a database of another version, or of another program, gets no table of ours") {
    for (const bool other_program : {true, false}) {
        const TemporaryFolder folder;
        const std::string path = (folder.path / "entente.db").string();
        {
            native::Database db = native::Database::open(path).value();
            REQUIRE(db.execute(other_program ? "CREATE TABLE songs(title TEXT)"
                                             : "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT; "
                                               "INSERT INTO meta VALUES ('format', x'0900000000000000')")
                        .ok());
        }
        CAPTURE(other_program);
        CHECK(StateStore::open(path).error().reason == "store.other-version");
        native::Database db = native::Database::open(path).value();
        native::Statement select = db.prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").value();
        REQUIRE(select.next().value());
        CHECK(select.whole(0) == 1);
    }
}

TEST_CASE("a format that is missing, short or not a number is another version") {
    for (const char* row : {"", "INSERT INTO meta VALUES ('format', x'')", "INSERT INTO meta VALUES ('format', x'01')",
                            "INSERT INTO meta VALUES ('format', x'020000000000000000')"}) {
        const TemporaryFolder folder;
        const std::string path = (folder.path / "entente.db").string();
        {
            native::Database db = native::Database::open(path).value();
            REQUIRE(db.execute("CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT").ok());
            REQUIRE(db.execute(row).ok());
        }
        CAPTURE(row);
        CHECK(StateStore::open(path).error().reason == "store.other-version");
    }
}

TEST_CASE("a database cut short is refused at every page, and left as it was") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder.path / "entente.db";
    {
        StateStore store = StateStore::open(path.string()).value();
        for (std::uint64_t round = 0; round < 40; ++round) REQUIRE(store.put_history(round, std::string(900, 'h')).ok());
    }
    const std::string whole = native::read_text_file(path).value();
    REQUIRE(whole.size() > 10 * 4096);
    for (std::size_t size = 1; size < whole.size(); size += 4096) {
        put_text(path, whole.substr(0, size));
        const auto opened = StateStore::open(path.string());
        CAPTURE(size);
        REQUIRE_FALSE(opened.ok());
        CHECK(opened.error().code == Code::data_loss);
        CHECK(opened.error().message.find(path.string()) != std::string::npos);
        CHECK(native::read_text_file(path).value() == whole.substr(0, size));
    }
    put_text(path, whole);
    CHECK(StateStore::open(path.string())->history()->size() == 40);
}

TEST_CASE("what was committed is there when the process ended without a word") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder.path / "entente.db";
    const std::filesystem::path copy = folder.path / "copy.db";
    StateStore store = StateStore::open(path.string()).value();
    REQUIRE(store.put_history(7, "seven").ok());
    // The files as they are at this moment, which is what a kill leaves.
    for (const char* suffix : {"", "-wal"}) {
        std::filesystem::copy_file(path.string() + suffix, copy.string() + suffix);
    }
    CHECK(StateStore::open(copy.string())->history()->at(7) == "seven");
}

TEST_CASE("ledger entries come back in order and page by page, and the chain is checked") {
    const TemporaryFolder folder;
    const std::string path = (folder.path / "entente.db").string();
    std::vector<round::Entry> entries;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        const auto previous = entries.empty() ? std::nullopt : std::optional<round::Entry>(entries.back());
        entries.push_back(round::chain(previous, {static_cast<std::int64_t>(1000 * i), round::ParticipantAdmitted{"plant-" + std::to_string(i), "P", {}}}));
    }
    {
        StateStore store = StateStore::open(path).value();
        REQUIRE(store.append({entries[0], entries[1]}, nullptr).ok());
        REQUIRE(store.append({entries[2], entries[3], entries[4]}, nullptr).ok());
        CHECK_FALSE(store.append({entries[4]}, nullptr).ok());  // a sequence number has one entry
        CHECK(store.ledger()->size() == 5);
        CHECK(round::link_of(**store.last_entry()) == round::link_of(entries[4]));
        const auto page = store.ledger_page(2, 2).value();
        REQUIRE(page.size() == 2);
        CHECK(page[0].sequence == 3);
        CHECK(page[0].participant == "plant-3");
        CHECK(page[1].digest == round::link_of(entries[3]));
        CHECK(store.ledger_page(5, 10)->empty());
    }
    {
        native::Database db = native::Database::open(path).value();
        REQUIRE(db.execute("DELETE FROM ledger WHERE sequence = 3").ok());
    }
    {
        StateStore store = StateStore::open(path).value();
        CHECK(store.ledger().error().reason == "ledger.broken");
    }
    {
        native::Database db = native::Database::open(path).value();
        REQUIRE(db.execute("DELETE FROM ledger WHERE sequence > 2; UPDATE ledger SET entry = x'0102' WHERE sequence = 2").ok());
    }
    StateStore store = StateStore::open(path).value();
    CHECK(store.ledger().error().reason == "ledger.malformed");
    CHECK(store.last_entry().error().reason == "ledger.malformed");
}

TEST_CASE("entries and snapshot are one: when an entry is refused, the snapshot before it stays") {
    const TemporaryFolder folder;
    StateStore store = StateStore::open((folder.path / "entente.db").string()).value();
    const round::Entry entry = round::chain(std::nullopt, {1, round::ParticipantAdmitted{"plant-a", "P", {}}});
    native::Snapshot old;
    old.exchange = Bytes(3, std::byte{1});
    REQUIRE(store.append({entry}, &old).ok());
    native::Snapshot next;
    next.exchange = Bytes(3, std::byte{2});
    CHECK_FALSE(store.append({entry}, &next).ok());
    CHECK(store.snapshot().value()->exchange == old.exchange);
}

TEST_CASE("rows with digests of another length are damage, not half a digest") {
    const TemporaryFolder folder;
    const std::string path = (folder.path / "entente.db").string();
    {
        StateStore store = StateStore::open(path).value();
    }
    {
        native::Database db = native::Database::open(path).value();
        REQUIRE(db.execute("INSERT INTO account VALUES ('a', 'A', 'partner', x'00', x'01', 0, 0);"
                           "INSERT INTO code VALUES (x'00', 'a', 'A', 'partner', 0, 0, x'');"
                           "INSERT INTO meta VALUES ('exchange', x'00');"
                           "INSERT INTO content VALUES ('asset', 1, x'00', 1, x'00', 1)")
                    .ok());
    }
    StateStore store = StateStore::open(path).value();
    CHECK(store.accounts().error().reason == "store.damaged");
    CHECK(store.codes().error().reason == "store.damaged");
    CHECK(store.snapshot().error().reason == "store.damaged");
}
