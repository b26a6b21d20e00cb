#include "store/format.hpp"

#include <doctest/doctest.h>

#include "entente/round/journal.hpp"
#include "store/state_store.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::native;

namespace {

// As the releases that had format 3 made a database.
constexpr const char* tables_of_format_3 = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE ledger(sequence INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
    participant TEXT NOT NULL, summary TEXT NOT NULL, digest BLOB NOT NULL, entry BLOB NOT NULL) STRICT;
CREATE TABLE account(id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, key BLOB NOT NULL,
    token BLOB NOT NULL UNIQUE, joined_at_ms INTEGER NOT NULL, expelled INTEGER NOT NULL) STRICT;
CREATE TABLE code(code BLOB PRIMARY KEY, participant TEXT NOT NULL, name TEXT NOT NULL,
    role TEXT NOT NULL, expires_at_ms INTEGER NOT NULL, used_at_ms INTEGER NOT NULL, used_by BLOB NOT NULL) STRICT;
CREATE TABLE content(asset TEXT PRIMARY KEY, round INTEGER NOT NULL, content BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, blob BLOB NOT NULL, lots INTEGER NOT NULL) STRICT;
CREATE TABLE history(round INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES ('format', x'0300000000000000');
)sql";

std::vector<std::string> column(Database& database, const std::string& sql, int number = 0) {
    Statement select = database.prepare(sql).value();
    std::vector<std::string> rows;
    while (select.next().value()) rows.push_back(select.text(number));
    return rows;
}

std::vector<std::string> made_by(Database& database) {
    return column(database, "SELECT name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name");
}

struct Books {
    TemporaryFolder folder;
    std::string path = (folder.path / "entente.db").string();

    explicit Books(const char* tables = tables_of_format_3) {
        Database database = Database::open(path).value();
        REQUIRE(database.execute(tables).ok());
    }
};

}  // namespace

TEST_CASE("a database of format 3 is taken to this release's, with all that is in it") {
    Books books;
    const round::Entry entry = round::chain(std::nullopt, {1, round::ParticipantAdmitted{"plant-a", "P", {}}});
    {
        Database database = Database::open(books.path).value();
        Statement insert = database.prepare("INSERT INTO ledger VALUES (1, 1, 'participant.admitted', 'plant-a', 'said', ?, ?)").value();
        REQUIRE(insert.bind(1, ByteView(round::link_of(entry).bytes)).bind(2, round::encode_entry(entry)).run().ok());
        REQUIRE(database.execute("INSERT INTO history VALUES (7, 'seven')").ok());
    }
    {
        StateStore store = StateStore::open(books.path).value();
        CHECK(store.upgraded_from() == 3);
        CHECK(store.ledger()->size() == 1);
        CHECK(store.entries_of_kind("participant.admitted")->size() == 1);
        CHECK(store.entries_of("plant-a", 0, 10)->size() == 1);
        CHECK(store.history()->at(7) == "seven");
    }
    StateStore again = StateStore::open(books.path).value();
    CHECK_FALSE(again.upgraded_from().has_value());
}

TEST_CASE("taken there and back it has the tables that it had; taken there it has those of a new one") {
    Books books;
    const TemporaryFolder other;
    const std::string fresh = (other.path / "entente.db").string();
    { StateStore store = StateStore::open(fresh).value(); }
    Database made = Database::open(fresh).value();
    Database database = Database::open(books.path).value();
    const auto before = made_by(database);
    REQUIRE(move_format(database, 3, newest_format).ok());
    CHECK(format_of(database, "db").value() == newest_format);
    CHECK(made_by(database) == made_by(made));
    REQUIRE(move_format(database, newest_format, 3).ok());
    CHECK(format_of(database, "db").value() == 3);
    CHECK(made_by(database) == before);
    REQUIRE(move_format(made, newest_format, 3).ok());
    CHECK(made_by(made) == before);
}

TEST_CASE("a step that fails has not happened") {
    Books books;
    Database database = Database::open(books.path).value();
    REQUIRE(database.execute("DROP TABLE ledger").ok());
    const auto before = made_by(database);
    CHECK_FALSE(move_format(database, 3, 4).ok());
    CHECK(made_by(database) == before);
    CHECK(format_of(database, "db").value() == 3);
}

TEST_CASE("formats before and behind those that are known are refused by their number") {
    for (const char* number : {"2", "5", "-1"}) {
        Books books;
        {
            StateStore store = StateStore::open(books.path).value();
            Bytes bytes;
            append_le(bytes, std::int64_t{std::stoll(number)});
            REQUIRE(store.set_meta("format", bytes).ok());
        }
        CAPTURE(number);
        for (const auto& opened : {StateStore::open(books.path).error(), StateStore::open_to_verify(books.path).error()}) {
            CHECK(opened.reason == "store.other-version");
            CHECK(opened.message.find("expected format 3 to 4, found " + std::string(number) + ";") != std::string::npos);
        }
    }
}

TEST_CASE("records of a kind and of a participant are found without reading the whole ledger") {
    const TemporaryFolder folder;
    const std::string path = (folder.path / "entente.db").string();
    { StateStore store = StateStore::open(path).value(); }
    Database database = Database::open(path).value();
    for (const char* by : {"kind", "participant"}) {
        const auto plan = column(database, "EXPLAIN QUERY PLAN SELECT entry FROM ledger WHERE " + std::string(by) + " = 'x' ORDER BY sequence", 3);
        REQUIRE(plan.size() == 1);
        CHECK(plan[0].find("ledger_by_" + std::string(by)) != std::string::npos);
    }
}
