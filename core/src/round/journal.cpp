#include "entente/round/journal.hpp"

#include <utility>

#include "entente/codec/archive.hpp"
#include "entente/codec/sha256.hpp"
#include "serial.hpp"

namespace entente::round {
namespace {

struct Kind {
    std::string_view operator()(const Activated&) const { return "federation.activated"; }
    std::string_view operator()(const ParticipantAdmitted&) const { return "participant.admitted"; }
    std::string_view operator()(const ParticipantLeft&) const { return "participant.left"; }
    std::string_view operator()(const AgreementConcluded&) const { return "agreement.concluded"; }
    std::string_view operator()(const PolicyDecided& r) const { return r.permitted ? "policy.permitted" : "policy.denied"; }
    std::string_view operator()(const RoundOpened&) const { return "round.opened"; }
    std::string_view operator()(const UpdateAccepted&) const { return "update.accepted"; }
    std::string_view operator()(const UpdateRefused&) const { return "update.refused"; }
    std::string_view operator()(const RoundClosed&) const { return "round.closed"; }
    std::string_view operator()(const RoundAbandoned&) const { return "round.abandoned"; }
    std::string_view operator()(const ModelPublished&) const { return "model.published"; }
    std::string_view operator()(const UpdatesDeleted&) const { return "updates.deleted"; }
    std::string_view operator()(const ReceiptIssued&) const { return "round.receipt"; }
    std::string_view operator()(const KeyRotated&) const { return "participant.key"; }
    std::string_view operator()(const SuspensionChanged& r) const { return r.suspended ? "participant.suspended" : "participant.resumed"; }
    std::string_view operator()(const WitnessesMissing&) const { return "round.unwitnessed"; }
};

std::string in_round(std::uint64_t round) { return "Round " + std::to_string(round) + ": "; }

struct Summary {
    std::string operator()(const Activated& r) const { return "Federation activated with plan " + short_hex(r.plan); }
    std::string operator()(const ParticipantAdmitted& r) const { return r.name + " (" + r.participant + ") admitted"; }
    std::string operator()(const ParticipantLeft& r) const { return r.participant + " left: " + r.reason; }
    std::string operator()(const AgreementConcluded& r) const {
        const contract::Offer& offer = r.agreement.offer.offer;
        // An offer to whoever may see it names nobody; who accepted it is known by name.
        return r.agreement.id + " between " + offer.assigner + " and " + (offer.assignee.empty() ? r.agreement.acceptance.accepted_by : offer.assignee) +
               " over " + offer.asset;
    }
    std::string operator()(const PolicyDecided& r) const {
        return std::string(policy::to_string(r.point)) + " for " + r.participant + ": " +
               (r.permitted ? "permitted" : "denied, " + r.sentence + " (" + r.code + ")") +
               (r.input.empty() ? std::string() : ", from " + r.input);
    }
    std::string operator()(const RoundOpened& r) const { return in_round(r.round) + "opened on model " + short_hex(r.model); }
    std::string operator()(const UpdateAccepted& r) const {
        return in_round(r.round) + "update of " + r.participant + " accepted, weight " + std::to_string(r.weight) +
               (r.base_round < r.round ? ", trained on the model of round " + std::to_string(r.base_round) : std::string()) +
               ", content " + short_hex(r.content);
    }
    std::string operator()(const UpdateRefused& r) const {
        return in_round(r.round) + "update of " + r.participant + " refused: " + r.sentence + " (" + r.code + ")";
    }
    std::string operator()(const RoundClosed& r) const {
        std::string names;
        for (const std::string& name : r.participants) names += (names.empty() ? "" : ", ") + name;
        return in_round(r.round) + "closed with " + names;
    }
    std::string operator()(const UpdatesDeleted& r) const {
        constexpr std::size_t most = 8;  // by name
        std::string names;
        for (const std::string& name : r.participants) names += (names.empty() ? " of " : ", ") + name;
        return in_round(r.round) + std::to_string(r.participants.size()) + (r.participants.size() == 1 ? " update" : " updates") +
               (r.participants.size() <= most ? names : std::string()) + " deleted";
    }
    std::string operator()(const ReceiptIssued& r) const {
        return in_round(r.receipt.round) + "receipt: " + std::to_string(r.receipt.updates) + " updates made the model " + short_hex(r.receipt.model) +
               " of " + short_hex(r.receipt.base_model);
    }
    std::string operator()(const KeyRotated& r) const {
        return r.participant + " has taken the key " + codec::to_hex(r.key).substr(0, 8) + " in place of " + codec::to_hex(r.former).substr(0, 8);
    }
    std::string operator()(const SuspensionChanged& r) const {
        return r.participant + (r.suspended ? " suspended: " + r.reason : " takes part again");
    }
    std::string operator()(const WitnessesMissing& r) const {
        return in_round(r.round) + "opens although only " + std::to_string(r.cosigned) + " of " + std::to_string(r.wanted) +
               " witnesses have cosigned the log with the receipt before it";
    }
    std::string operator()(const RoundAbandoned& r) const { return in_round(r.round) + "abandoned: " + r.reason; }
    std::string operator()(const ModelPublished& r) const {
        return (r.final ? std::string("Final model ") : "Model for round " + std::to_string(r.round) + ": ") + short_hex(r.content);
    }
};

}  // namespace

PolicyDecided decided(policy::Point point, std::string agreement, std::string participant, std::uint64_t round,
                      const policy::Verdict& verdict) {
    return {point, std::move(agreement), std::move(participant), round, verdict.permitted, verdict.code, verdict.sentence,
            verdict.operand, verdict.input};
}

std::string rotation_text(const std::string& federation, const std::string& participant, const codec::PublicKey& former,
                          const codec::PublicKey& key) {
    return federation + ":" + participant + ":" + codec::to_hex(former) + ":" + codec::to_hex(key);
}

Status check_rotation(const std::string& federation, const KeyRotated& rotation) {
    const std::string text = rotation_text(federation, rotation.participant, rotation.former, rotation.key);
    const ByteView bytes = as_bytes(std::string_view(text));
    const bool good = rotation.former != rotation.key && codec::verify(rotation.former, "rotate", bytes, rotation.by_former) &&
                      codec::verify(rotation.key, "rotate", bytes, rotation.by_key);
    if (good) return done();
    return Error{Code::unauthenticated, "key.bad-signature", "key: expected a new key, signed by the former one and by itself"};
}

bool DecisionLog::is_news(const PolicyDecided& decision) {
    const std::pair<std::uint64_t, std::string> answer{decision.round, decision.code};
    const auto [it, first] = last_.try_emplace({decision.agreement, decision.point}, answer);
    return first || std::exchange(it->second, answer) != answer;
}

std::string_view kind_of(const Record& record) noexcept { return std::visit(Kind{}, record.body); }
std::string summary_of(const Record& record) { return std::visit(Summary{}, record.body); }

Bytes encode_record(const Record& record) { return codec::encode(record); }

Result<Record> decode_record(ByteView bytes) {
    auto record = codec::decode<Record>(bytes, codec::ArchiveLimits{});
    if (record.ok()) return record;
    return Error{Code::data_loss, "ledger.malformed", "ledger: a record cannot be read: " + record.error().message};
}

Digest record_digest(const Record& record) { return codec::sha256(encode_record(record)); }

Digest link_of(const Entry& entry) { return codec::sha256(encode_entry(entry)); }

Entry chain(const std::optional<Entry>& previous, Record record) {
    if (!previous) return Entry{1, Digest{}, std::move(record)};
    return Entry{previous->sequence + 1, link_of(*previous), std::move(record)};
}

Status check_link(const std::optional<Entry>& previous, const Entry& entry) {
    const std::uint64_t sequence = previous ? previous->sequence + 1 : 1;
    const Digest link = previous ? link_of(*previous) : Digest{};
    if (entry.sequence == sequence && entry.previous == link) return done();
    return Error{Code::data_loss, "ledger.broken",
                 "ledger: expected entry " + std::to_string(sequence) + " after " + short_hex(link) + ", found entry " +
                     std::to_string(entry.sequence) + " after " + short_hex(entry.previous)};
}

Bytes encode_entry(const Entry& entry) { return codec::encode(entry); }

Result<Entry> decode_entry(ByteView bytes) {
    auto entry = codec::decode<Entry>(bytes, codec::ArchiveLimits{});
    if (entry.ok()) return entry;
    return Error{Code::data_loss, "ledger.malformed", "ledger: an entry cannot be read: " + entry.error().message};
}

void append_entry(Bytes& page, const Entry& entry) {
    const Bytes bytes = encode_entry(entry);
    append_le(page, static_cast<std::uint32_t>(bytes.size()));
    page.insert(page.end(), bytes.begin(), bytes.end());
}

Result<std::vector<Entry>> decode_entries(ByteView page) {
    const Error broken_off{Code::data_loss, "ledger.malformed", "ledger: a page of entries breaks off in one of them"};
    std::vector<Entry> entries;
    while (!page.empty()) {
        if (page.size() < 4) return broken_off;
        const auto size = static_cast<std::size_t>(read_le<std::uint32_t>(page));
        page = page.subspan(4);
        if (page.size() < size) return broken_off;
        ENTENTE_ASSIGN(Entry entry, decode_entry(page.first(size)));
        entries.push_back(std::move(entry));
        page = page.subspan(size);
    }
    return entries;
}

}  // namespace entente::round
