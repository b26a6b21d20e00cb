#include "store/sqlite.hpp"

#include <sqlite3.h>

#include <utility>

#include "base/files.hpp"

namespace entente::native {
namespace {

constexpr int copy_patience_ms = 10'000;

Error error_of(sqlite3* database, int code) {
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) sync_failed("store");
    const std::string message = std::string("store: ") + (database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
    switch (code & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return {Code::data_loss, "store.damaged", message};
        case SQLITE_FULL: return {Code::no_space, "disk.full", message};
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return {Code::unavailable, "store.locked", message + "; is another entente using this folder?"};
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN: return {Code::permission_denied, "file.unwritable", message};
        default: return {Code::internal, "store.failed", message};
    }
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int index, std::int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
}
Statement& Statement::bind(int index, std::string_view value) {
    // SQLITE_TRANSIENT is a cast of -1 in C; written out, so that no old-style cast is needed.
    const char* text = value.data() == nullptr ? "" : value.data();  // a null pointer would be NULL, not empty
    sqlite3_bind_text64(statement_, index, text, value.size(), reinterpret_cast<sqlite3_destructor_type>(-1), SQLITE_UTF8);
    return *this;
}
Statement& Statement::bind(int index, ByteView value) {
    static constexpr std::byte nothing{};
    sqlite3_bind_blob64(statement_, index, value.empty() ? &nothing : value.data(), value.size(),
                        reinterpret_cast<sqlite3_destructor_type>(-1));
    return *this;
}
Statement& Statement::bind_null(int index) {
    sqlite3_bind_null(statement_, index);
    return *this;
}

Result<bool> Statement::next() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    const Error error = code == SQLITE_DONE ? Error{} : error_of(database_, code);
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    if (code == SQLITE_DONE) return false;
    return error;
}

Status Statement::run() {
    for (;;) {
        ENTENTE_ASSIGN(const bool more, next());
        if (!more) return done();
    }
}

std::int64_t Statement::whole(int column) const { return sqlite3_column_int64(statement_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Bytes Statement::blob(int column) const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? Bytes{} : Bytes(data, data + size);
}

std::string Statement::text(int column) const {
    const unsigned char* data = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string() : std::string(data, data + size);
}

// What a disk fails to read once SQLite may take for damage: it is damage when it is found twice.
Result<Database> Database::open(const std::string& path, bool shared) {
    auto opened = open_once(path, shared);
    if (opened.ok() || opened.error().code != Code::data_loss) return opened;
    return open_once(path, shared);
}

Result<Database> Database::open_once(const std::string& path, bool shared) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(raw);
    if (code != SQLITE_OK) return error_of(raw, code);
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, 2'000);
    if (!shared) ENTENTE_TRY(database.execute("PRAGMA locking_mode=EXCLUSIVE"));
    ENTENTE_TRY(database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"));
    ENTENTE_TRY(check(database));
    return database;
}

Status Database::copy(const std::string& from, const std::string& to) {
    sqlite3* raw = nullptr;
    int code = sqlite3_open_v2(from.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    const Database source(raw);
    if (code != SQLITE_OK) return error_of(raw, code);
    sqlite3_busy_timeout(raw, copy_patience_ms);
    sqlite3* copied = nullptr;
    code = sqlite3_open_v2(to.c_str(), &copied, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    const Database target(copied);
    if (code != SQLITE_OK) return error_of(copied, code);
    sqlite3_backup* const backup = sqlite3_backup_init(copied, "main", raw, "main");
    if (backup == nullptr) return error_of(copied, sqlite3_errcode(copied));
    sqlite3_backup_step(backup, -1);  // all of it in one transaction; what went wrong says finish
    code = sqlite3_backup_finish(backup);
    if (code != SQLITE_OK) return error_of(copied, code);
    return done();
}

Result<Database> Database::open_as_it_is(const std::string& path) {
    std::string uri = "file:";
    for (const char c : path) uri += c == '%' ? std::string("%25") : c == '?' ? std::string("%3f") : c == '#' ? std::string("%23") : std::string(1, c);
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2((uri + "?immutable=1").c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(raw);
    if (code != SQLITE_OK) return error_of(raw, code);
    sqlite3_extended_result_codes(raw, 1);
    ENTENTE_TRY(check(database));
    return database;
}

Status Database::check(Database& database) {
    ENTENTE_ASSIGN(Statement statement, database.prepare("PRAGMA quick_check(1)"));
    ENTENTE_ASSIGN(const bool row, statement.next());
    if (!row || statement.text(0) != "ok") {
        return Error{Code::data_loss, "store.damaged", "store: " + (row ? statement.text(0) : std::string("no answer"))};
    }
    return statement.run();
}

Database::Database(Database&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
Database::~Database() { sqlite3_close_v2(database_); }

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (code != SQLITE_OK) return error_of(database_, code);
    return Statement(database_, statement);
}

Status Database::execute(const char* sql) {
    const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return error_of(database_, code);
    return done();
}

}  // namespace entente::native
