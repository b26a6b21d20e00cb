// SQLite, RAII and Result: nothing more than what the stores need.
//
//   ENTENTE_ASSIGN(auto db, Database::open("entente.db"));
//   ENTENTE_ASSIGN(auto insert, db.prepare("INSERT INTO meta VALUES (?, ?)"));
//   ENTENTE_TRY(insert.bind(1, "format").bind(2, 1).run());
//
// Errors: data_loss "store.damaged", no_space "disk.full", unavailable "store.locked", internal "store.failed". A failed fsync
// is none: it ends the process (base/files.hpp).
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace entente::native {

class Statement {
public:
    Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    Statement& bind(int index, std::int64_t value);
    Statement& bind(int index, std::string_view value);
    Statement& bind(int index, ByteView value);
    Statement& bind_null(int index);

    // To the end, without rows; then ready to be bound again.
    Status run();
    // True: a row is there. False: no more, and ready to be bound again.
    Result<bool> next();

    [[nodiscard]] std::int64_t whole(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] Bytes blob(int column) const;
    [[nodiscard]] bool is_null(int column) const;

private:
    sqlite3* database_;
    sqlite3_stmt* statement_;
};

class Database {
public:
    // WAL, synchronous=FULL, foreign keys, quick_check. Damaged: data_loss "store.damaged". Belongs to this opener
    // alone until it goes away; another one is refused with "store.locked". `shared`: others may open it as well, to copy it;
    // something else has to see to it that one alone writes.
    static Result<Database> open(const std::string& path, bool shared = false);
    // Into a new file, as it is at one moment, while its owner goes on writing. REQUIRES: opened `shared` by others, or by nobody.
    static Status copy(const std::string& from, const std::string& to);
    // To read it as it lies there: nothing is written, not even beside it. REQUIRES: nobody has it open, no log is left.
    static Result<Database> open_as_it_is(const std::string& path);
    Database(Database&& other) noexcept;
    Database& operator=(Database&&) = delete;
    ~Database();

    Result<Statement> prepare(std::string_view sql);
    Status execute(const char* sql);

    // begin … commit, or rollback when `work` fails.
    template <class Work>
    Status transaction(Work&& work) {
        ENTENTE_TRY(execute("BEGIN IMMEDIATE"));
        Status done_work = work();
        if (done_work.ok()) done_work = execute("COMMIT");
        if (!done_work.ok()) {
            const Status undone = execute("ROLLBACK");
            static_cast<void>(undone);  // the first error is the one that counts
        }
        return done_work;
    }

private:
    static Result<Database> open_once(const std::string& path, bool shared);
    static Status check(Database& database);
    explicit Database(sqlite3* database) : database_(database) {}
    sqlite3* database_;
};

}  // namespace entente::native
