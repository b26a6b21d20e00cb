#include "store/sqlite.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support.hpp"

using namespace entente;
using native::Database;
using native::Statement;

namespace {

std::string path_in(const TemporaryFolder& folder) { return (folder.path / "a.db").string(); }

std::int64_t count(Database& db) {
    Statement select = db.prepare("SELECT count(*) FROM t").value();
    REQUIRE(select.next().value());
    return select.whole(0);
}

}  // namespace

TEST_CASE("values come back as they were bound: whole numbers, text and bytes with zeros, nothing") {
    const TemporaryFolder folder;
    Database db = Database::open(path_in(folder)).value();
    REQUIRE(db.execute("CREATE TABLE t(a INTEGER, b TEXT, c BLOB, d TEXT) STRICT").ok());
    const std::string text("a\0b\xff", 4);
    Statement insert = db.prepare("INSERT INTO t VALUES (?, ?, ?, ?)").value();
    for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
        insert.bind(1, n).bind(2, std::string_view(text)).bind(3, as_bytes(std::string_view(text))).bind_null(4);
        REQUIRE(insert.run().ok());
    }
    insert.bind(1, std::int64_t{5}).bind(2, std::string_view()).bind(3, ByteView()).bind(4, std::string_view("x"));
    REQUIRE(insert.run().ok());
    Statement select = db.prepare("SELECT a, b, c, d FROM t ORDER BY rowid").value();
    for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
        REQUIRE(select.next().value());
        CHECK(select.whole(0) == n);
        CHECK(select.text(1) == text);
        const ByteView expected = as_bytes(std::string_view(text));
        CHECK(select.blob(2) == Bytes(expected.begin(), expected.end()));
        CHECK(select.is_null(3));
    }
    REQUIRE(select.next().value());
    CHECK(select.text(1).empty());
    CHECK_FALSE(select.is_null(1));
    CHECK(select.blob(2).empty());
    CHECK_FALSE(select.is_null(2));
    CHECK_FALSE(select.next().value());
    CHECK(select.next().value());  // and once more from the beginning
}

TEST_CASE("a transaction that fails leaves nothing, whatever failed in it") {
    const TemporaryFolder folder;
    Database db = Database::open(path_in(folder)).value();
    REQUIRE(db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY) STRICT").ok());
    CHECK(db.transaction([&]() -> Status {
                ENTENTE_TRY(db.execute("INSERT INTO t VALUES (1)"));
                return Error{Code::conflict, "mine", ""};
            }).error().reason == "mine");
    CHECK(db.transaction([&]() -> Status { return db.execute("INSERT INTO t VALUES (2); INSERT INTO t VALUES (2)"); }).error().reason ==
          "store.failed");
    CHECK(count(db) == 0);
    CHECK(db.transaction([&]() -> Status { return db.execute("INSERT INTO t VALUES (3)"); }).ok());
    CHECK(count(db) == 1);
}

TEST_CASE("a statement that failed is ready again, without its old values") {
    const TemporaryFolder folder;
    Database db = Database::open(path_in(folder)).value();
    REQUIRE(db.execute("CREATE TABLE t(a INTEGER NOT NULL PRIMARY KEY) STRICT").ok());
    Statement insert = db.prepare("INSERT INTO t VALUES (?)").value();
    REQUIRE(insert.bind(1, std::int64_t{1}).run().ok());
    CHECK_FALSE(insert.bind(1, std::int64_t{1}).run().ok());
    CHECK(insert.bind(1, std::int64_t{2}).run().ok());
    CHECK(db.prepare("SELECT nonsense FROM nowhere").error().reason == "store.failed");
    CHECK(db.execute("nonsense").error().reason == "store.failed");
}

TEST_CASE("a second opener is refused while the first is there, and let in afterwards") {
    const TemporaryFolder folder;
    {
        Database first = Database::open(path_in(folder)).value();
        const auto second = Database::open(path_in(folder));
        REQUIRE_FALSE(second.ok());
        CHECK(second.error().code == Code::unavailable);
        CHECK(second.error().reason == "store.locked");
        CHECK(first.execute("CREATE TABLE t(a INTEGER) STRICT").ok());
    }
    Database third = Database::open(path_in(folder)).value();
    CHECK(count(third) == 0);
}

TEST_CASE("a place where no database can be is refused with its reason") {
    const TemporaryFolder folder;
    CHECK(Database::open((folder.path / "none" / "a.db").string()).error().reason == "file.unwritable");
    CHECK_FALSE(Database::open(folder.path.string()).ok());
}

TEST_CASE("the disk's end is told as such, and what was there is whole") {
    const TemporaryFolder folder;
    Database db = Database::open(path_in(folder)).value();
    REQUIRE(db.execute("CREATE TABLE t(a BLOB) STRICT; PRAGMA max_page_count = 20").ok());
    Statement insert = db.prepare("INSERT INTO t VALUES (?)").value();
    REQUIRE(insert.bind(1, ByteView(Bytes(1000))).run().ok());
    const Status full = insert.bind(1, ByteView(Bytes(200'000))).run();
    REQUIRE_FALSE(full.ok());
    CHECK(full.error().code == Code::no_space);
    CHECK(full.error().reason == "disk.full");
    CHECK(count(db) == 1);
}
