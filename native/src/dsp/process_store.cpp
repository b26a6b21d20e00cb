#include "dsp/process_store.hpp"

namespace entente::native {
namespace {

constexpr std::int64_t format = 1;

Status settle_format(Database& database, const std::string& path) {
    ENTENTE_ASSIGN(Statement read, database.prepare("PRAGMA user_version"));
    ENTENTE_ASSIGN(const bool row, read.next());
    const std::int64_t found = row ? read.whole(0) : 0;
    ENTENTE_TRY(read.run());
    if (found == 0) return database.execute("PRAGMA user_version = 1");
    if (found == format) return done();
    return Error{Code::data_loss, "store.other-version",
                 path + ": expected format 1, found " + std::to_string(found) + "; use the entente that wrote it"};
}

}  // namespace

Result<ProcessStore> ProcessStore::open(const std::string& path) {
    ENTENTE_ASSIGN(Database database, Database::open(path));
    ENTENTE_TRY(settle_format(database, path));
    ENTENTE_TRY(database.execute("CREATE TABLE IF NOT EXISTS process (pid TEXT PRIMARY KEY, kind INTEGER NOT NULL, row BLOB NOT NULL) WITHOUT ROWID"));
    ENTENTE_ASSIGN(Statement put, database.prepare("INSERT OR REPLACE INTO process VALUES (?, ?, ?)"));
    return ProcessStore(std::move(database), std::move(put));
}

Status ProcessStore::save(const std::map<std::string, Row>& rows) {
    if (rows.empty()) return done();
    return database_.transaction([&]() -> Status {
        for (const auto& [pid, row] : rows) {
            ENTENTE_TRY(put_.bind(1, std::string_view(pid)).bind(2, static_cast<std::int64_t>(row.kind)).bind(3, ByteView(row.process)).run());
        }
        return done();
    });
}

Result<ProcessStore::Processes> ProcessStore::load() {
    ENTENTE_ASSIGN(Statement read, database_.prepare("SELECT pid, kind, row FROM process ORDER BY pid"));
    Processes all;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, read.next());
        if (!more) return all;
        const Bytes bytes = read.blob(2);
        if (read.whole(1) == static_cast<std::int64_t>(Kind::negotiation)) {
            auto negotiation = dsp::decode_negotiation(bytes);
            if (negotiation.ok()) {
                all.negotiations.push_back(std::move(negotiation).value());
                continue;
            }
        } else if (auto transfer = dsp::decode_transfer(bytes); transfer.ok()) {
            all.transfers.push_back(std::move(transfer).value());
            continue;
        }
        return Error{Code::data_loss, "store.damaged", "store: the process " + read.text(0) + " cannot be read"};
    }
}

}  // namespace entente::native
