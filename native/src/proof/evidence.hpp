// What somebody may take away from the ledger, with the proofs that it is there: JSON that `entente verify` checks offline.
//
//   ENTENTE_ASSIGN(std::string json, receipt_json(store, log, key, 7, ""));            // all of round 7: operator, auditor
//   ENTENTE_ASSIGN(std::string mine, receipt_json(store, log, key, 7, "plant-a"));     // its own part of it
//   ENTENTE_ASSIGN(std::string page, evidence_json(store, log, key, "plant-a", after, 100)); // records of one participant
//
// A record of somebody else is never in what a participant gets: others' updates are hashes on the way to a root. Errors:
// not_found "receipt.none", and those of the store and the log.
#pragma once

#include <map>

#include "proof/transparency_log.hpp"
#include "store/state_store.hpp"

namespace entente::native {

// `participant`: whose part; empty: all of it.
Result<std::string> receipt_json(StateStore& store, const TransparencyLog& log, const codec::PublicKey& coordinator, std::uint64_t round,
                                 const std::string& participant);

// Whose each key is or was, by the key in hexadecimal, as the ledger has it: the model's agreements bear a key and no name.
Result<std::map<std::string, std::string>> owners_of_keys(StateStore& store);

Result<std::string> evidence_json(StateStore& store, const TransparencyLog& log, const codec::PublicKey& coordinator,
                                  const std::string& participant, std::uint64_t after, std::uint64_t limit);

}  // namespace entente::native
