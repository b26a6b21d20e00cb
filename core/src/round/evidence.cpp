#include "entente/round/evidence.hpp"

#include <algorithm>

#include "entente/base/base64.hpp"
#include "entente/base/json.hpp"
#include "entente/codec/sha256.hpp"
#include "entente/proof/log_entry.hpp"
#include "entente/proof/tlog_proof.hpp"
#include "entente/proof/tree.hpp"

namespace entente::round {
namespace {

constexpr std::size_t most_bytes = 256 * 1024 * 1024;

Error malformed(const std::string& member) {
    return {Code::invalid_argument, "evidence.malformed", "evidence: expected a good \"" + member + "\", found none"};
}

Result<std::string> text_of(const Json& object, const char* name) {
    const Json* member = object.find(name);
    if (member == nullptr || member->kind != Json::Kind::string) return malformed(name);
    return member->text;
}

Result<std::uint64_t> whole_of(const Json& object, const char* name) {
    const Json* member = object.find(name);
    const bool good = member != nullptr && member->kind == Json::Kind::number && !member->text.empty() && member->text.size() <= 18 &&
                      std::all_of(member->text.begin(), member->text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!good) return malformed(name);
    std::uint64_t value = 0;
    for (const char c : member->text) value = 10 * value + static_cast<std::uint64_t>(c - '0');
    return value;
}

Result<std::vector<Digest>> hashes_of(const Json& array, const char* name) {
    if (array.kind != Json::Kind::array || array.items.size() > 64) return malformed(name);
    std::vector<Digest> hashes;
    for (const Json& item : array.items) {
        const auto bytes = from_base64(item.kind == Json::Kind::string ? item.text : std::string("?"));
        if (!bytes.ok() || bytes->size() != 32) return malformed(name);
        std::copy(bytes->begin(), bytes->end(), hashes.emplace_back().bytes.begin());
    }
    return hashes;
}

struct Opened {
    Record record;
    Digest leaf;
};

Result<Opened> open_record(const Json& object) {
    ENTENTE_ASSIGN(const std::string text, text_of(object, "record"));
    ENTENTE_ASSIGN(const std::string blinding, text_of(object, "blinding"));
    const auto bytes = from_base64(text);
    const auto nonce = digest_from_hex(blinding);
    if (!bytes.ok()) return malformed("record");
    if (!nonce.ok()) return malformed("blinding");
    ENTENTE_ASSIGN(Record record, decode_record(*bytes));
    return Opened{std::move(record), proof::leaf_of({*nonce, codec::sha256(*bytes)})};
}

// The records of one kind that a receipt commits to, as many of them as are shown.
template <class Body>
Status take_committed(const Json& root, const char* name, std::uint64_t count, const Digest& committed, EvidenceReport& report) {
    const Json* rows = root.find(name);
    if (rows == nullptr || rows->kind != Json::Kind::array) return malformed(name);
    for (const Json& row : rows->items) {
        ENTENTE_ASSIGN(Opened opened, open_record(row));
        if (!std::holds_alternative<Body>(opened.record.body)) return malformed(name);
        ENTENTE_ASSIGN(const std::uint64_t index, whole_of(row, "index"));
        const Json* path = row.find("path");
        if (path == nullptr) return malformed("path");
        ENTENTE_ASSIGN(const auto hashes, hashes_of(*path, "path"));
        ENTENTE_TRY(proof::check_inclusion(opened.leaf, index, count, committed, hashes));
        report.records.push_back(std::move(opened.record));
    }
    return done();
}

Status take_receipt(const Json& root, EvidenceReport& report) {
    ENTENTE_ASSIGN(const auto envelope, proof::dsse_from_json(write_json(*root.find("receipt"))));
    ENTENTE_ASSIGN(report.receipt, proof::check_receipt(envelope, report.coordinator));
    const Json* record = root.find("record");
    if (record == nullptr) return malformed("record");
    ENTENTE_ASSIGN(const Opened opened, open_record(*record));
    const auto* issued = std::get_if<ReceiptIssued>(&opened.record.body);
    if (issued == nullptr || issued->receipt != *report.receipt) {
        return Error{Code::data_loss, "receipt.other", "receipt: its record says another one"};
    }
    if (root.find("proof") != nullptr) {
        ENTENTE_ASSIGN(const std::string text, text_of(root, "proof"));
        ENTENTE_ASSIGN(const auto proof, proof::read_tlog_proof(text));
        ENTENTE_ASSIGN(report.checkpoint, proof::check(proof, opened.leaf, proof::log_origin(report.receipt->federation), report.coordinator));
    } else {
        ++report.unproved;
    }
    ENTENTE_TRY(take_committed<UpdateAccepted>(root, "updates", report.receipt->updates, report.receipt->updates_root, report));
    return take_committed<PolicyDecided>(root, "decisions", report.receipt->decisions, report.receipt->decisions_root, report);
}

Status take_records(const Json& root, EvidenceReport& report) {
    ENTENTE_ASSIGN(report.participant, text_of(root, "participant"));
    ENTENTE_ASSIGN(const std::string origin, text_of(root, "origin"));
    ENTENTE_ASSIGN(const std::string text, text_of(root, "checkpoint"));
    ENTENTE_ASSIGN(const auto note, proof::read_note(text));
    ENTENTE_ASSIGN(report.checkpoint, proof::check_checkpoint(note, origin, report.coordinator));
    const Json* rows = root.find("records");
    if (rows == nullptr || rows->kind != Json::Kind::array) return malformed("records");
    for (const Json& row : rows->items) {
        ENTENTE_ASSIGN(Opened opened, open_record(row));
        ENTENTE_ASSIGN(const std::uint64_t sequence, whole_of(row, "sequence"));
        const Json* path = row.find("proof");
        if (path == nullptr || path->kind == Json::Kind::null) {
            ++report.unproved;
        } else {
            ENTENTE_ASSIGN(const auto hashes, hashes_of(*path, "proof"));
            if (sequence == 0) return malformed("sequence");
            ENTENTE_TRY(proof::check_inclusion(opened.leaf, sequence - 1, report.checkpoint->size, report.checkpoint->root, hashes));
        }
        report.records.push_back(std::move(opened.record));
    }
    return done();
}

}  // namespace

Result<EvidenceReport> check_evidence(std::string_view text, const std::optional<codec::PublicKey>& expected) {
    ENTENTE_ASSIGN(const Json root, read_json(text, {.bytes = most_bytes, .depth = 16}));
    EvidenceReport report;
    ENTENTE_ASSIGN(const std::string key, text_of(root, "coordinator_key"));
    const auto named = codec::public_key_from_hex(key);
    if (!named.ok()) return malformed("coordinator_key");
    report.coordinator = *named;
    if (expected && report.coordinator != *expected) {
        return Error{Code::unauthenticated, "evidence.other-key",
                     "evidence: expected the coordinator's key " + codec::to_hex(*expected).substr(0, 8) + "…, found " + key.substr(0, 8) + "…"};
    }
    const Json* receipt = root.find("receipt");
    ENTENTE_TRY(receipt != nullptr ? take_receipt(root, report) : take_records(root, report));
    return report;
}

}  // namespace entente::round
