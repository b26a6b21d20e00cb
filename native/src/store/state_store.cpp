#include "store/state_store.hpp"

#include <algorithm>
#include <filesystem>

#include "base/files.hpp"
#include "store/format.hpp"

namespace entente::native {
namespace {

constexpr std::uintmax_t header_bytes = 100;  // of an SQLite file

Error damaged(const std::string& path, const std::string& found) {
    return {Code::data_loss, "store.damaged",
            path + " is damaged (" + found +
                "). Nothing was changed. Stop here, keep a copy of the folder, and restore the newest backup of the whole "
                "folder; without one, start again with an empty --data folder"};
}

template <class Fixed>
bool fill(const Bytes& bytes, Fixed& target) {
    if (bytes.size() != target.bytes.size()) return false;
    std::copy(bytes.begin(), bytes.end(), target.bytes.begin());
    return true;
}

Error bad_row(const char* table) {
    return {Code::data_loss, "store.damaged", std::string("store: a row of ") + table + " is damaged"};
}

struct ParticipantOf {
    std::string operator()(const round::Activated&) const { return {}; }
    std::string operator()(const round::ParticipantAdmitted& r) const { return r.participant; }
    std::string operator()(const round::ParticipantLeft& r) const { return r.participant; }
    std::string operator()(const round::AgreementConcluded& r) const { return r.agreement.offer.offer.assigner; }
    std::string operator()(const round::PolicyDecided& r) const { return r.participant; }
    std::string operator()(const round::RoundOpened&) const { return {}; }
    std::string operator()(const round::WitnessesMissing&) const { return {}; }
    std::string operator()(const round::UpdateAccepted& r) const { return r.participant; }
    std::string operator()(const round::UpdateRefused& r) const { return r.participant; }
    std::string operator()(const round::RoundClosed&) const { return {}; }
    std::string operator()(const round::RoundAbandoned&) const { return {}; }
    std::string operator()(const round::ModelPublished&) const { return {}; }
    std::string operator()(const round::UpdatesDeleted&) const { return {}; }
    std::string operator()(const round::ReceiptIssued&) const { return {}; }
    std::string operator()(const round::KeyRotated& r) const { return r.participant; }
    std::string operator()(const round::SuspensionChanged& r) const { return r.participant; }
};

}  // namespace

std::string participant_of(const round::Record& record) { return std::visit(ParticipantOf{}, record.body); }

Result<StateStore> StateStore::open(const std::string& path, bool shared) {
    // SQLite takes a file that is a stump of its header for a new database, and would write over it.
    std::error_code absent;
    const auto size = std::filesystem::file_size(path, absent);
    if (!absent && size > 0 && size < header_bytes) return damaged(path, "its header is cut short");
    auto opened = [&]() -> Result<StateStore> {
        ENTENTE_ASSIGN(Database database, Database::open(path, shared));
        StateStore store(std::move(database));
        ENTENTE_TRY(store.settle_format(path));
        if (absent) {  // SQLite does not say whether the folder's entry has reached the disk
            const std::filesystem::path folder = std::filesystem::path(path).parent_path();
            ENTENTE_TRY(sync_directory(folder.empty() ? "." : folder));
        }
        return store;
    }();
    if (!opened.ok() && opened.error().reason == "store.damaged") return damaged(path, opened.error().message);
    return opened;
}

Result<StateStore> StateStore::open_to_verify(const std::string& path) {
    ENTENTE_ASSIGN(Database database, Database::open_as_it_is(path));
    ENTENTE_ASSIGN(const std::int64_t found, format_of(database, path));
    static_cast<void>(found);  // what is read is the same in all of them
    return StateStore(std::move(database));
}

Status StateStore::each_row(const std::function<void(const LedgerRow& row, const Bytes& entry)>& visit) {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT sequence, at_ms, kind, summary, participant, digest, entry FROM ledger ORDER BY sequence"));
    for (;;) {
        ENTENTE_ASSIGN(const bool more, select.next());
        if (!more) return done();
        LedgerRow row{static_cast<std::uint64_t>(select.whole(0)), select.whole(1), select.text(2), select.text(3), select.text(4), {}};
        if (!fill(select.blob(5), row.digest)) row.digest = Digest{};
        visit(row, select.blob(6));
    }
}

// A new database gets its tables, and all of them or none; one in an older format is taken to this one; of another it is only said.
Status StateStore::settle_format(const std::string& path) {
    bool fresh = false;
    {
        ENTENTE_ASSIGN(Statement tables, database_.prepare("SELECT count(*) FROM sqlite_schema"));
        ENTENTE_TRY(tables.next());
        fresh = tables.whole(0) == 0;
    }
    if (fresh) return make_tables(database_);
    ENTENTE_ASSIGN(const std::int64_t found, format_of(database_, path));
    if (found == newest_format) return done();
    ENTENTE_TRY(move_format(database_, found, newest_format));
    upgraded_from_ = found;
    return done();
}

Result<std::optional<Bytes>> StateStore::meta(std::string_view key) {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT value FROM meta WHERE key = ?"));
    ENTENTE_ASSIGN(const bool found, select.bind(1, key).next());
    return found ? std::optional<Bytes>(select.blob(0)) : std::optional<Bytes>();
}

Status StateStore::set_meta(std::string_view key, ByteView value) {
    ENTENTE_ASSIGN(Statement put, database_.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)"));
    return put.bind(1, key).bind(2, value).run();
}

Result<std::vector<round::Entry>> StateStore::ledger() {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT entry FROM ledger ORDER BY sequence"));
    std::vector<round::Entry> entries;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, select.next());
        if (!more) return entries;
        ENTENTE_ASSIGN(round::Entry entry, round::decode_entry(select.blob(0)));
        const auto previous = entries.empty() ? std::nullopt : std::optional<round::Entry>(entries.back());
        ENTENTE_TRY(round::check_link(previous, entry));
        entries.push_back(std::move(entry));
    }
}

Result<std::optional<round::Entry>> StateStore::last_entry() {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT entry FROM ledger ORDER BY sequence DESC LIMIT 1"));
    ENTENTE_ASSIGN(const bool found, select.next());
    if (!found) return std::optional<round::Entry>();
    ENTENTE_ASSIGN(round::Entry entry, round::decode_entry(select.blob(0)));
    return std::optional<round::Entry>(std::move(entry));
}

Result<std::vector<round::Entry>> StateStore::read_entries(Statement& select) {
    std::vector<round::Entry> entries;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, select.next());
        if (!more) return entries;
        ENTENTE_ASSIGN(entries.emplace_back(), round::decode_entry(select.blob(0)));
    }
}

Result<std::vector<round::Entry>> StateStore::entries(std::uint64_t first, std::uint64_t last) {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT entry FROM ledger WHERE sequence BETWEEN ? AND ? ORDER BY sequence"));
    select.bind(1, static_cast<std::int64_t>(first)).bind(2, static_cast<std::int64_t>(last));
    return read_entries(select);
}

Result<std::vector<round::Entry>> StateStore::entries_of_kind(std::string_view kind) {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT entry FROM ledger WHERE kind = ? ORDER BY sequence"));
    select.bind(1, kind);
    return read_entries(select);
}

Result<std::vector<round::Entry>> StateStore::entries_of(std::string_view participant, std::uint64_t after, std::uint64_t limit) {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT entry FROM ledger WHERE participant = ? AND sequence > ? ORDER BY sequence LIMIT ?"));
    select.bind(1, participant).bind(2, static_cast<std::int64_t>(after)).bind(3, static_cast<std::int64_t>(limit));
    return read_entries(select);
}

Result<std::vector<LedgerRow>> StateStore::ledger_page(std::uint64_t after, std::uint64_t limit) {
    ENTENTE_ASSIGN(Statement select,
                   database_.prepare("SELECT sequence, at_ms, kind, summary, participant, digest FROM ledger "
                                     "WHERE sequence > ? ORDER BY sequence LIMIT ?"));
    select.bind(1, static_cast<std::int64_t>(after)).bind(2, static_cast<std::int64_t>(limit));
    std::vector<LedgerRow> rows;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, select.next());
        if (!more) return rows;
        LedgerRow row{static_cast<std::uint64_t>(select.whole(0)), select.whole(1), select.text(2), select.text(3),
                      select.text(4), {}};
        if (!fill(select.blob(5), row.digest)) return bad_row("ledger");
        rows.push_back(std::move(row));
    }
}

Status StateStore::append(const std::vector<round::Entry>& entries, const Snapshot* snapshot) {
    ENTENTE_ASSIGN(Statement insert, database_.prepare("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)"));
    return database_.transaction([&]() -> Status {
        for (const round::Entry& entry : entries) {
            insert.bind(1, static_cast<std::int64_t>(entry.sequence)).bind(2, entry.record.at_ms);
            insert.bind(3, round::kind_of(entry.record)).bind(4, participant_of(entry.record));
            insert.bind(5, round::summary_of(entry.record)).bind(6, ByteView(round::link_of(entry).bytes));
            ENTENTE_TRY(insert.bind(7, round::encode_entry(entry)).run());
        }
        return snapshot == nullptr ? done() : save_in_transaction(*snapshot);
    });
}

Status StateStore::save_in_transaction(const Snapshot& snapshot) {
    ENTENTE_TRY(set_meta("exchange", snapshot.exchange));
    ENTENTE_TRY(database_.execute("DELETE FROM content"));
    ENTENTE_ASSIGN(Statement insert, database_.prepare("INSERT INTO content VALUES (?, ?, ?, ?, ?, ?)"));
    for (const auto& [asset, row] : snapshot.contents) {
        insert.bind(1, asset).bind(2, static_cast<std::int64_t>(row.version.round));
        insert.bind(3, ByteView(row.version.content.bytes)).bind(4, static_cast<std::int64_t>(row.version.size_bytes));
        ENTENTE_TRY(insert.bind(5, ByteView(row.blob.bytes)).bind(6, std::int64_t{row.version.lots}).run());
    }
    return done();
}

Status StateStore::save(const Snapshot& snapshot) {
    return database_.transaction([&]() -> Status { return save_in_transaction(snapshot); });
}

Result<std::optional<Snapshot>> StateStore::snapshot() {
    ENTENTE_ASSIGN(auto exchange, meta("exchange"));
    if (!exchange) return std::optional<Snapshot>();
    Snapshot snapshot{std::move(*exchange), {}};
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT asset, round, content, size_bytes, blob, lots FROM content"));
    for (;;) {
        ENTENTE_ASSIGN(const bool more, select.next());
        if (!more) return std::optional<Snapshot>(std::move(snapshot));
        ContentRow row;
        row.version.round = static_cast<std::uint64_t>(select.whole(1));
        row.version.size_bytes = static_cast<std::uint64_t>(select.whole(3));
        row.version.lots = static_cast<std::uint32_t>(select.whole(5));
        if (!fill(select.blob(2), row.version.content) || !fill(select.blob(4), row.blob)) return bad_row("content");
        snapshot.contents.emplace(select.text(0), row);
    }
}

Status StateStore::put_account(const Account& a) {
    ENTENTE_ASSIGN(Statement put, database_.prepare("INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?, ?, ?)"));
    put.bind(1, a.id).bind(2, a.name).bind(3, a.role).bind(4, ByteView(a.key.bytes)).bind(5, ByteView(a.token.bytes));
    return put.bind(6, a.joined_at_ms).bind(7, std::int64_t{a.expelled ? 1 : 0}).run();
}

Status StateStore::put_code(const JoinCode& c) {
    ENTENTE_ASSIGN(Statement put, database_.prepare("INSERT OR REPLACE INTO code VALUES (?, ?, ?, ?, ?, ?, ?)"));
    put.bind(1, ByteView(c.code.bytes)).bind(2, c.participant).bind(3, c.name).bind(4, c.role);
    return put.bind(5, c.expires_at_ms).bind(6, c.used_at_ms).bind(7, ByteView(c.used_by.bytes)).run();
}

Status StateStore::redeem(const JoinCode& code, const Account& account) {
    return database_.transaction([&]() -> Status {
        ENTENTE_TRY(put_code(code));
        return put_account(account);
    });
}

Result<std::vector<Account>> StateStore::accounts() {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT id, name, role, key, token, joined_at_ms, expelled FROM account"));
    std::vector<Account> all;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, select.next());
        if (!more) return all;
        Account a;
        a.id = select.text(0);
        a.name = select.text(1);
        a.role = select.text(2);
        if (!fill(select.blob(3), a.key) || !fill(select.blob(4), a.token)) return bad_row("account");
        a.joined_at_ms = select.whole(5);
        a.expelled = select.whole(6) != 0;
        all.push_back(std::move(a));
    }
}

Result<std::vector<JoinCode>> StateStore::codes() {
    ENTENTE_ASSIGN(Statement select,
                   database_.prepare("SELECT code, participant, name, role, expires_at_ms, used_at_ms, used_by FROM code"));
    std::vector<JoinCode> all;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, select.next());
        if (!more) return all;
        JoinCode c;
        c.participant = select.text(1);
        c.name = select.text(2);
        c.role = select.text(3);
        c.expires_at_ms = select.whole(4);
        c.used_at_ms = select.whole(5);
        if (!fill(select.blob(0), c.code) || !fill(select.blob(6), c.used_by)) return bad_row("code");
        all.push_back(std::move(c));
    }
}

Status StateStore::put_history(std::uint64_t round, std::string_view json) {
    ENTENTE_ASSIGN(Statement put, database_.prepare("INSERT OR REPLACE INTO history VALUES (?, ?)"));
    return put.bind(1, static_cast<std::int64_t>(round)).bind(2, json).run();
}

Result<std::map<std::uint64_t, std::string>> StateStore::history() {
    ENTENTE_ASSIGN(Statement select, database_.prepare("SELECT round, json FROM history ORDER BY round"));
    std::map<std::uint64_t, std::string> all;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, select.next());
        if (!more) return all;
        all.emplace(static_cast<std::uint64_t>(select.whole(0)), select.text(1));
    }
}

}  // namespace entente::native
