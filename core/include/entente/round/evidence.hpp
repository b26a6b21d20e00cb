// Receipts and evidence as files (what a coordinator answers at /api/v1/receipts/<round> and /api/v1/evidence), checked
// offline: signatures, openings, places in the log.
//
//   ENTENTE_ASSIGN(EvidenceReport report, check_evidence(text, key_hex));
//
// Whatever is in it and does not hold is the error: data_loss or unauthenticated, with the codes of entente/proof, or
// invalid_argument "evidence.malformed". The key in the file is as good as where the file comes from: give the coordinator's
// where you know it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entente/proof/note.hpp"
#include "entente/proof/receipt.hpp"
#include "entente/round/journal.hpp"

namespace entente::round {

struct EvidenceReport {
    codec::PublicKey coordinator;
    std::string participant;                        // whose evidence; empty for a receipt
    std::optional<proof::Receipt> receipt;
    std::optional<proof::Checkpoint> checkpoint;    // that the proofs lead to; none when the log had none yet
    std::vector<Record> records;             // opened, each proved: updates and decisions of a receipt, records of evidence
    std::uint64_t unproved = 0;                     // records that no checkpoint covered yet
};

Result<EvidenceReport> check_evidence(std::string_view text, const std::optional<codec::PublicKey>& expected);

}  // namespace entente::round
