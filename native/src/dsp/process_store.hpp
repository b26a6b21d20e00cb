// The connector's negotiations and transfers on disk: a row for each, the whole process in it. And who may fetch or bring
// bytes just now.
//
//   ENTENTE_ASSIGN(ProcessStore store, ProcessStore::open("data/dsp.db"));
//   ENTENTE_TRY(store.save(rows));        // one transaction: on return it is on disk
//
// Errors: sqlite.hpp's; data_loss "store.damaged" for a row that cannot be read. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "connectors/dsp/process.hpp"
#include "store/sqlite.hpp"

namespace entente::native {

// What one transfer lets one counter-party do, until it is taken back or runs out.
struct Grant {
    enum class Way : std::int64_t { pull = 1, push = 2 };
    Way way = Way::pull;
    std::string transfer;             // our pid
    std::string agreement;
    std::string peer;
    Digest blob;                      // pull: what is fetched
    std::uint64_t size_bytes = 0;     // pull: of it; push: at most so many are taken
    std::int64_t expires_at_ms = 0;   // 0: when it is taken back

    friend bool operator==(const Grant&, const Grant&) = default;
};

class ProcessStore {
public:
    static Result<ProcessStore> open(const std::string& path);

    enum class Kind : std::int64_t { negotiation = 1, transfer = 2 };
    struct Row {
        Kind kind = Kind::negotiation;
        Bytes process;  // connectors/dsp/process.hpp: encode()
    };
    // By pid. What was there under the same pid is replaced.
    Status save(const std::map<std::string, Row>& rows);

    struct Processes {
        std::vector<dsp::Negotiation> negotiations;
        std::vector<dsp::TransferProcess> transfers;
    };
    Result<Processes> load();

    // At most one for each transfer: the new one replaces the one before. Secrets are kept as SHA-256 only.
    Status put_grant(const Grant& grant, const Digest& secret);
    Status remove_grant(const std::string& transfer);
    Result<std::vector<std::pair<Grant, Digest>>> grants();

private:
    ProcessStore(Database database, Statement put) : database_(std::move(database)), put_(std::move(put)) {}
    Database database_;
    Statement put_;
};

}  // namespace entente::native
