// The connector's negotiations and transfers on disk: a row for each, the whole process in it.
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

private:
    ProcessStore(Database database, Statement put) : database_(std::move(database)), put_(std::move(put)) {}
    Database database_;
    Statement put_;
};

}  // namespace entente::native
