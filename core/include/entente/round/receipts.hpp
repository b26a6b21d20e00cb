// What a round's receipt says, out of the ledger: whoever writes a receipt and whoever checks one ask the same.
//
//   Receipts receipts(proof::Blinder::of(key, federation));      // the coordinator; or with the log's entries (below)
//   for (const Record& record : ledger) receipts.see(record);
//   const RoundLeaves& leaves = receipts.of_round();              // as soon as its RoundClosed has been seen
//
// A receipt commits to the leaves that the log has for two kinds of records (proof/log_entry.hpp): the accepted updates of
// those that the round closed with, in the order of their ids; and for each of them the decision that let it in (the last at
// Point::ingest before it) and the one that let the result out (the last at Point::release before the close). Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "entente/proof/log_entry.hpp"
#include "entente/proof/receipt.hpp"
#include "entente/round/journal.hpp"

namespace entente::round {

struct RoundLeaves {
    std::uint64_t round = 0;
    Digest base_model;
    std::uint64_t population = 0;
    std::map<std::string, UpdateAccepted> updates;      // that it closed with
    std::map<std::string, Digest> update_leaves;        // of the same
    std::map<std::string, Digest> ingest_leaves;
    std::map<std::string, Digest> release_leaves;
};

class Receipts {
public:
    // What the log has for a record.
    using LeafOf = std::function<Digest(const Record&)>;

    explicit Receipts(const proof::Blinder& blinder);
    explicit Receipts(LeafOf leaf_of) : leaf_of_(std::move(leaf_of)) {}

    void see(const Record& record);
    // Of the round that was closed last; the one before is forgotten with the next RoundOpened.
    [[nodiscard]] const RoundLeaves& of_round() const noexcept { return closed_; }
    // A receipt of that round has been seen.
    [[nodiscard]] bool issued() const noexcept { return issued_; }

private:
    LeafOf leaf_of_;
    RoundLeaves open_;
    RoundLeaves closed_;
    std::map<std::string, Digest> asked_;  // the last decision at ingest about each
    bool issued_ = false;
};

// The receipt of that round, whose model is `model`.
proof::Receipt receipt_of(const RoundLeaves& round, const std::string& federation, const Digest& plan, const std::string& rule,
                          const Digest& model);

}  // namespace entente::round
