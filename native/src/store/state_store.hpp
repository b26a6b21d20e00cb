// What a coordinator remembers: one SQLite database in the data folder. Bytes of models and updates are not in it
// (blob_store.hpp).
//
//   ENTENTE_ASSIGN(auto store, StateStore::open("data/entente.db"));
//   ENTENTE_TRY(store.append(entries, snapshot));     // one transaction: on return it is on disk
//
// Secrets are kept as SHA-256 only: whoever reads the database can impersonate nobody. One thread (the
// coordinator's strand).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entente/codec/sign.hpp"
#include "entente/contract/contract.hpp"
#include "entente/round/journal.hpp"
#include "store/sqlite.hpp"

namespace entente::native {

struct Account {
    std::string id;    // participant, or the auditor's name
    std::string name;
    std::string role;  // "operator", "partner", "auditor"
    codec::PublicKey key;
    Digest token;      // SHA-256
    std::int64_t joined_at_ms = 0;
    bool expelled = false;
};

struct JoinCode {
    Digest code;  // SHA-256
    std::string participant;
    std::string name;
    std::string role;
    std::int64_t expires_at_ms = 0;
    std::int64_t used_at_ms = 0;  // 0: not yet
    codec::PublicKey used_by;
};

// Which stored envelope an asset offers.
struct ContentRow {
    contract::Version version;
    Digest blob;
};

// The exchange's state and the contents that belong to it; saved together or not at all.
struct Snapshot {
    Bytes exchange;
    std::map<std::string, ContentRow> contents;  // by asset
};

struct LedgerRow {
    std::uint64_t sequence = 0;
    std::int64_t at_ms = 0;
    std::string kind;
    std::string summary;
    std::string participant;
    Digest digest;
};

class StateStore {
public:
    // One in an older format is taken to this release's (store/format.hpp). data_loss "store.damaged" and "store.other-version" with
    // what to do in the message; unavailable "store.locked" while another process has it open. `shared`: as Database::open.
    static Result<StateStore> open(const std::string& path, bool shared = false);
    // To read only, and without a word on its disk (Database::open_as_it_is).
    static Result<StateStore> open_to_verify(const std::string& path);
    // The format that it had before open() took it to this one's.
    [[nodiscard]] std::optional<std::int64_t> upgraded_from() const noexcept { return upgraded_from_; }

    Result<std::optional<Bytes>> meta(std::string_view key);
    Status set_meta(std::string_view key, ByteView value);

    // All records, every link checked: data_loss "ledger.broken", "ledger.malformed".
    Result<std::vector<round::Entry>> ledger();
    Result<std::vector<LedgerRow>> ledger_page(std::uint64_t after, std::uint64_t limit);
    Result<std::optional<round::Entry>> last_entry();
    // From `first` to `last`, both included; of one kind (round::kind_of); those that participant_of() gives to one.
    Result<std::vector<round::Entry>> entries(std::uint64_t first, std::uint64_t last);
    Result<std::vector<round::Entry>> entries_of_kind(std::string_view kind);
    Result<std::vector<round::Entry>> entries_of(std::string_view participant, std::uint64_t after, std::uint64_t limit);
    // Each row with its entry's bytes, as they lie there, nothing checked.
    Status each_row(const std::function<void(const LedgerRow& row, const Bytes& entry)>& visit);
    Status append(const std::vector<round::Entry>& entries, const Snapshot* snapshot);

    Status save(const Snapshot& snapshot);
    Result<std::optional<Snapshot>> snapshot();

    // Redeems a code and creates (or renews) the account in one transaction.
    Status redeem(const JoinCode& code, const Account& account);
    Status put_account(const Account& account);
    Result<std::vector<Account>> accounts();
    Status put_code(const JoinCode& code);
    Result<std::vector<JoinCode>> codes();

    Status put_history(std::uint64_t round, std::string_view json);
    Result<std::map<std::uint64_t, std::string>> history();

private:
    explicit StateStore(Database database) : database_(std::move(database)) {}
    Status settle_format(const std::string& path);
    static Result<std::vector<round::Entry>> read_entries(Statement& select);
    Status save_in_transaction(const Snapshot& snapshot);
    Database database_;
    std::optional<std::int64_t> upgraded_from_;
};

// Whose entry this is; empty for the federation's own.
std::string participant_of(const round::Record& record);

}  // namespace entente::native
