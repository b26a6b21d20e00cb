#include "dsp/process_store.hpp"

#include <algorithm>

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
    ENTENTE_ASSIGN(Database database, Database::open(path, true));  // its folder is locked
    ENTENTE_TRY(settle_format(database, path));
    ENTENTE_TRY(database.execute("CREATE TABLE IF NOT EXISTS process (pid TEXT PRIMARY KEY, kind INTEGER NOT NULL, row BLOB NOT NULL) WITHOUT ROWID"));
    ENTENTE_TRY(database.execute("CREATE TABLE IF NOT EXISTS grant_ (transfer TEXT PRIMARY KEY, way INTEGER NOT NULL, secret BLOB NOT NULL, "
                                 "agreement TEXT NOT NULL, peer TEXT NOT NULL, blob BLOB NOT NULL, size INTEGER NOT NULL, expires INTEGER NOT NULL) "
                                 "WITHOUT ROWID"));
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

Status ProcessStore::put_grant(const Grant& g, const Digest& secret) {
    ENTENTE_ASSIGN(Statement put, database_.prepare("INSERT OR REPLACE INTO grant_ VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
    put.bind(1, std::string_view(g.transfer)).bind(2, static_cast<std::int64_t>(g.way)).bind(3, ByteView(secret.bytes));
    put.bind(4, std::string_view(g.agreement)).bind(5, std::string_view(g.peer)).bind(6, ByteView(g.blob.bytes));
    return put.bind(7, static_cast<std::int64_t>(g.size_bytes)).bind(8, g.expires_at_ms).run();
}

Status ProcessStore::remove_grant(const std::string& transfer) {
    ENTENTE_ASSIGN(Statement remove, database_.prepare("DELETE FROM grant_ WHERE transfer = ?"));
    return remove.bind(1, std::string_view(transfer)).run();
}

Result<std::vector<std::pair<Grant, Digest>>> ProcessStore::grants() {
    ENTENTE_ASSIGN(Statement read, database_.prepare("SELECT transfer, way, secret, agreement, peer, blob, size, expires FROM grant_ ORDER BY transfer"));
    std::vector<std::pair<Grant, Digest>> all;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, read.next());
        if (!more) return all;
        Grant g{static_cast<Grant::Way>(read.whole(1)), read.text(0), read.text(3), read.text(4), {}, static_cast<std::uint64_t>(read.whole(6)), read.whole(7)};
        Digest secret;
        const Bytes secret_bytes = read.blob(2), blob_bytes = read.blob(5);
        if (secret_bytes.size() != secret.bytes.size() || blob_bytes.size() != g.blob.bytes.size()) {
            return Error{Code::data_loss, "store.damaged", "store: the grant of " + g.transfer + " cannot be read"};
        }
        std::copy(secret_bytes.begin(), secret_bytes.end(), secret.bytes.begin());
        std::copy(blob_bytes.begin(), blob_bytes.end(), g.blob.bytes.begin());
        all.emplace_back(std::move(g), secret);
    }
}

}  // namespace entente::native
