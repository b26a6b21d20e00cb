#include "proof/evidence.hpp"

#include <algorithm>

#include "commands/text.hpp"
#include "entente/base/base64.hpp"
#include "entente/base/json_text.hpp"
#include "entente/codec/merkle.hpp"
#include "entente/round/receipts.hpp"

namespace entente::native {
namespace {

using commands::JsonObject;

std::string array_of(const std::vector<Digest>& hashes) {
    std::string out;
    for (const Digest& hash : hashes) out += (out.empty() ? "\"" : ",\"") + to_base64(hash.bytes) + "\"";
    return "[" + out + "]";
}

// The record's canonical bytes and what opens its leaf.
JsonObject opened(const TransparencyLog& log, const round::Entry& entry) {
    JsonObject object;
    object.whole("sequence", entry.sequence).text("kind", round::kind_of(entry.record));
    object.text("record", to_base64(round::encode_record(entry.record)));
    object.text("blinding", to_hex(log.entry_of(entry.record).blinding));
    return object;
}

Result<JsonObject> proved(const TransparencyLog& log, const round::Entry& entry) {
    JsonObject object = opened(log, entry);
    object.whole("at_ms", static_cast<std::uint64_t>(entry.record.at_ms)).text("summary", round::summary_of(entry.record));
    if (entry.sequence > log.checkpoint().size) return object.raw("proof", "null");  // the next checkpoint covers it
    ENTENTE_ASSIGN(const auto path, log.inclusion(entry.sequence - 1));
    return object.raw("proof", array_of(path));
}

struct RoundRecords {
    round::Entry receipt;
    std::vector<round::Entry> before;  // from its opening on
};

Result<RoundRecords> records_of(StateStore& store, std::uint64_t round) {
    ENTENTE_ASSIGN(const auto receipts, store.entries_of_kind("round.receipt"));
    const auto receipt = std::find_if(receipts.begin(), receipts.end(), [round](const round::Entry& e) {
        return std::get<round::ReceiptIssued>(e.record.body).receipt.round == round;
    });
    if (receipt == receipts.end()) return Error{Code::not_found, "receipt.none", "round " + std::to_string(round) + " has no receipt: it is not over, was abandoned, or is not known"};
    ENTENTE_ASSIGN(const auto openings, store.entries_of_kind("round.opened"));
    const auto opening = std::find_if(openings.begin(), openings.end(),
                                      [round](const round::Entry& e) { return std::get<round::RoundOpened>(e.record.body).round == round; });
    const std::uint64_t first = opening == openings.end() ? 1 : opening->sequence;
    ENTENTE_ASSIGN(auto before, store.entries(first, receipt->sequence - 1));
    return RoundRecords{*receipt, std::move(before)};
}

// The records that a receipt commits to, in its order, each with its place there.
struct Committed {
    std::vector<const round::Entry*> entries;
    std::vector<Digest> leaves;

    // Of one participant, or of all.
    Result<std::string> json(const TransparencyLog& log, const std::string& participant) const {
        const proof::Nodes nodes = [this](unsigned level, std::uint64_t index) -> Result<Digest> {
            const auto first = static_cast<std::size_t>(index) << level;
            return codec::merkle_root_of_leaves(std::span(leaves).subspan(first, std::size_t{1} << level));
        };
        std::string out;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (!participant.empty() && participant_of(entries[i]->record) != participant) continue;
            JsonObject object = opened(log, *entries[i]);
            object.text("participant", participant_of(entries[i]->record)).whole("index", i);
            ENTENTE_ASSIGN(const auto path, proof::inclusion_proof(i, leaves.size(), nodes));
            out += (out.empty() ? "" : ",") + object.raw("path", array_of(path)).str();
        }
        return "[" + out + "]";
    }
};

}  // namespace

Result<std::string> receipt_json(StateStore& store, const TransparencyLog& log, const codec::PublicKey& coordinator, std::uint64_t round,
                                 const std::string& participant) {
    ENTENTE_ASSIGN(const RoundRecords records, records_of(store, round));
    std::map<Digest, const round::Entry*> by_leaf;
    round::Receipts receipts([&](const round::Record& record) { return proof::leaf_of(log.entry_of(record)); });
    for (const round::Entry& entry : records.before) {
        receipts.see(entry.record);
        const bool committed = std::holds_alternative<round::UpdateAccepted>(entry.record.body) || std::holds_alternative<round::PolicyDecided>(entry.record.body);
        if (committed) by_leaf[proof::leaf_of(log.entry_of(entry.record))] = &entry;
    }
    Committed updates;
    Committed decisions;
    const auto put = [&by_leaf](Committed& into, const Digest& leaf) {
        const auto it = by_leaf.find(leaf);
        if (it == by_leaf.end()) return false;
        into.entries.push_back(it->second);
        into.leaves.push_back(leaf);
        return true;
    };
    bool whole = true;
    for (const auto& [id, update] : receipts.of_round().updates) {
        whole = whole && put(updates, receipts.of_round().update_leaves.at(id)) && put(decisions, receipts.of_round().ingest_leaves.at(id)) &&
                put(decisions, receipts.of_round().release_leaves.at(id));
    }
    if (!whole) return Error{Code::data_loss, "receipt.records", "round " + std::to_string(round) + ": the ledger lacks a record that its receipt names"};
    const auto& issued = std::get<round::ReceiptIssued>(records.receipt.record.body);
    JsonObject out;
    out.text("federation", issued.receipt.federation).whole("round", round).text("coordinator_key", codec::to_hex(coordinator));
    out.raw("receipt", proof::to_json(proof::envelope_of(issued.receipt, coordinator, issued.signature)));
    out.raw("record", opened(log, records.receipt).str());
    if (records.receipt.sequence <= log.checkpoint().size) {
        ENTENTE_ASSIGN(const proof::TlogProof proof, log.proof_of(records.receipt.sequence - 1));
        out.text("proof", proof::write_tlog_proof(proof));
    }
    ENTENTE_ASSIGN(const std::string its_updates, updates.json(log, participant));
    ENTENTE_ASSIGN(const std::string its_decisions, decisions.json(log, participant));
    return out.raw("updates", its_updates).raw("decisions", its_decisions).str();
}

Result<std::map<std::string, std::string>> owners_of_keys(StateStore& store) {
    std::map<std::string, std::string> owners;
    ENTENTE_ASSIGN(const auto admitted, store.entries_of_kind("participant.admitted"));
    for (const round::Entry& entry : admitted) {
        const auto& who = std::get<round::ParticipantAdmitted>(entry.record.body);
        owners[codec::to_hex(who.key)] = who.participant;
    }
    ENTENTE_ASSIGN(const auto rotated, store.entries_of_kind("participant.key"));
    for (const round::Entry& entry : rotated) {
        const auto& who = std::get<round::KeyRotated>(entry.record.body);
        owners[codec::to_hex(who.key)] = who.participant;
    }
    return owners;
}

Result<std::string> evidence_json(StateStore& store, const TransparencyLog& log, const codec::PublicKey& coordinator,
                                  const std::string& participant, std::uint64_t after, std::uint64_t limit) {
    ENTENTE_ASSIGN(const auto owners, owners_of_keys(store));
    ENTENTE_ASSIGN(auto entries, store.entries_of(participant, after, limit));
    const bool last_page = entries.size() < limit;
    const std::uint64_t until = last_page ? ~std::uint64_t{0} : entries.back().sequence;
    ENTENTE_ASSIGN(const auto agreements, store.entries_of_kind("agreement.concluded"));
    for (const round::Entry& entry : agreements) {
        const contract::Agreement& agreement = std::get<round::AgreementConcluded>(entry.record.body).agreement;
        const auto owner = owners.find(codec::to_hex(agreement.assignee_key));
        const bool its = owner != owners.end() && owner->second == participant && agreement.offer.offer.assigner != participant;
        if (its && entry.sequence > after && entry.sequence <= until) entries.push_back(entry);
    }
    std::sort(entries.begin(), entries.end(), [](const round::Entry& a, const round::Entry& b) { return a.sequence < b.sequence; });
    std::string rows;
    for (const round::Entry& entry : entries) {
        ENTENTE_ASSIGN(const JsonObject row, proved(log, entry));
        rows += (rows.empty() ? "" : ",") + row.str();
    }
    JsonObject out;
    out.text("participant", participant).text("origin", log.origin()).text("coordinator_key", codec::to_hex(coordinator));
    out.text("checkpoint", log.note()).raw("records", "[" + rows + "]");
    return out.whole("next", last_page ? 0 : until).str();
}

}  // namespace entente::native
