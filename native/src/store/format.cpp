#include "store/format.hpp"

#include <iterator>

namespace entente::native {
namespace {

constexpr const char* schema = R"sql(
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
CREATE INDEX ledger_by_kind ON ledger(kind);
CREATE INDEX ledger_by_participant ON ledger(participant);
)sql";

struct Step {
    std::int64_t older;
    const char* up;
    const char* down;
};

constexpr Step steps[] = {
    // Receipts and a participant's evidence are found without reading the whole ledger.
    {3, "CREATE INDEX ledger_by_kind ON ledger(kind); CREATE INDEX ledger_by_participant ON ledger(participant)",
     "DROP INDEX ledger_by_kind; DROP INDEX ledger_by_participant"},
};
static_assert(std::ssize(steps) == newest_format - oldest_format);

Status set_format(Database& database, std::int64_t number) {
    Bytes bytes;
    append_le(bytes, number);
    ENTENTE_ASSIGN(Statement put, database.prepare("INSERT OR REPLACE INTO meta VALUES ('format', ?)"));
    return put.bind(1, ByteView(bytes)).run();
}

}  // namespace

Status make_tables(Database& database) {
    return database.transaction([&]() -> Status {
        ENTENTE_TRY(database.execute(schema));
        return set_format(database, newest_format);
    });
}

Result<std::int64_t> format_of(Database& database, const std::string& path) {
    ENTENTE_ASSIGN(Statement tables, database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'"));
    ENTENTE_TRY(tables.next());
    std::string found = "none";
    if (tables.whole(0) > 0) {
        ENTENTE_ASSIGN(Statement select, database.prepare("SELECT value FROM meta WHERE key = 'format'"));
        ENTENTE_ASSIGN(const bool there, select.next());
        const Bytes value = there ? select.blob(0) : Bytes{};
        if (value.size() == sizeof(std::int64_t)) {
            const auto number = read_le<std::int64_t>(value);
            if (number >= oldest_format && number <= newest_format) return number;
            found = std::to_string(number);
        } else if (there) {
            found = "one that is no number";
        }
    }
    return Error{Code::data_loss, "store.other-version",
                 path + ": expected format " + std::to_string(oldest_format) + " to " + std::to_string(newest_format) + ", found " + found +
                     "; use the release that made it"};
}

Status move_format(Database& database, std::int64_t from, std::int64_t to) {
    while (from != to) {
        const bool up = from < to;
        const Step& step = steps[(up ? from : from - 1) - oldest_format];
        from += up ? 1 : -1;
        const Status moved = database.transaction([&]() -> Status {
            ENTENTE_TRY(database.execute(up ? step.up : step.down));
            return set_format(database, from);
        });
        ENTENTE_TRY(moved);
    }
    return done();
}

}  // namespace entente::native
