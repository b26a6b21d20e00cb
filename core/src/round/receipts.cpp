#include "entente/round/receipts.hpp"

#include "entente/codec/merkle.hpp"

namespace entente::round {

Receipts::Receipts(const proof::Blinder& blinder)
    : leaf_of_([blinder](const Record& record) { return proof::leaf_of(blinder.entry_of(record_digest(record))); }) {}

void Receipts::see(const Record& record) {
    if (const auto* opened = std::get_if<RoundOpened>(&record.body)) {
        open_ = {};
        open_.round = opened->round;
        open_.base_model = opened->model;
        asked_.clear();
    } else if (const auto* decision = std::get_if<PolicyDecided>(&record.body)) {
        if (decision->point == policy::Point::ingest) asked_[decision->participant] = leaf_of_(record);
        if (decision->point == policy::Point::release) open_.release_leaves[decision->participant] = leaf_of_(record);
    } else if (const auto* update = std::get_if<UpdateAccepted>(&record.body)) {
        open_.updates[update->participant] = *update;
        open_.update_leaves[update->participant] = leaf_of_(record);
        open_.ingest_leaves[update->participant] = asked_[update->participant];
    } else if (const auto* closed = std::get_if<RoundClosed>(&record.body)) {
        closed_ = {open_.round, open_.base_model, closed->population, {}, {}, {}, {}};
        // What a full disk kept off the ledger was seen here as well: the closing record says what is in.
        for (const std::string& id : closed->participants) {
            closed_.updates[id] = open_.updates[id];
            closed_.update_leaves[id] = open_.update_leaves[id];
            closed_.ingest_leaves[id] = open_.ingest_leaves[id];
            closed_.release_leaves[id] = open_.release_leaves[id];
        }
        open_ = {};
        issued_ = false;
    } else if (std::get_if<ReceiptIssued>(&record.body) != nullptr) {
        issued_ = true;
    }
}

proof::Receipt receipt_of(const RoundLeaves& round, const std::string& federation, const Digest& plan, const std::string& rule,
                          const Digest& model) {
    proof::Receipt receipt{federation, plan, round.round, round.base_model, rule, round.updates.size(), 0, round.population, {}, 0, {}, model};
    codec::MerkleFrontier updates;
    codec::MerkleFrontier decisions;
    for (const auto& [id, update] : round.updates) {
        receipt.weight += update.weight;
        updates.add(round.update_leaves.at(id));
        decisions.add(round.ingest_leaves.at(id));
        decisions.add(round.release_leaves.at(id));
    }
    receipt.updates_root = updates.root();
    receipt.decisions = decisions.leaves();
    receipt.decisions_root = decisions.root();
    return receipt;
}

}  // namespace entente::round
