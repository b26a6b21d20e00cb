// The ledger of a federation: every agreement, update, decision and model, in order, hash-chained.
//
// It is at once what an auditor reads and what a coordinator restarts from: its state is a function of these
// records and of the stored envelopes, nothing else.
//
//   Entry entry = chain(previous, record);      // sequence and link
//   Bytes bytes = encode_entry(entry);
//   Status ok = check_link(previous, entry);    // "ledger.broken"
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/codec/frame.hpp"
#include "entente/contract/contract.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/proof/receipt.hpp"

namespace entente::round {

struct Activated {
    Digest plan;
    Digest schema;
    codec::PublicKey coordinator;
};

struct ParticipantAdmitted {
    std::string participant;
    std::string name;
    codec::PublicKey key;
};

struct ParticipantLeft {
    std::string participant;
    std::string reason;
};

struct AgreementConcluded {
    contract::Agreement agreement;
};

// A policy was asked. Every decision is on record, permits too; the same question with the same answer in the same round
// is one line, and monitor and catalog, which are asked all the time, are a line when they say no.
struct PolicyDecided {
    policy::Point point = policy::Point::negotiation;
    std::string agreement;  // of an offer that did not become one, the offer
    std::string participant;
    std::uint64_t round = 0;
    bool permitted = false;
    std::string code;
    std::string sentence;
    std::string term;   // the operand that denied
    std::string input;  // what was looked at (policy::Verdict::input)

    friend bool operator==(const PolicyDecided&, const PolicyDecided&) = default;
};
PolicyDecided decided(policy::Point point, std::string agreement, std::string participant, std::uint64_t round,
                      const policy::Verdict& verdict);

struct RoundOpened {
    std::uint64_t round = 0;
    Digest model;  // content digest of the base model
    std::int64_t deadline_ms = 0;
    std::uint32_t lots = 0xffff'ffff;  // the largest lot that is asked (plan::lot_of)
    std::uint32_t goal = 0;            // updates that close it; 0: those of all who are asked
};

struct UpdateAccepted {
    std::uint64_t round = 0;
    std::string participant;
    std::string agreement;
    std::string transfer;
    Digest content;  // of the integers
    Digest blob;     // SHA-256 of the envelope as stored
    std::uint64_t weight = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t base_round = 0;  // the round whose model it was trained on; smaller than `round` when it came late
    std::uint32_t factor = 0;      // what it counts for (aggregate/fold.hpp)
    std::vector<codec::Measure> measures;
};

// It is deleted with this.
struct UpdateRefused {
    std::uint64_t round = 0;
    std::string participant;
    std::string transfer;
    Digest content;
    std::string code;
    std::string sentence;
    std::uint64_t base_round = 0;  // as it was announced
    std::uint64_t size_bytes = 0;
};

// Which updates are in. From here the next model follows, bit for bit.
struct RoundClosed {
    std::uint64_t round = 0;
    std::vector<std::string> participants;  // sorted
    std::uint32_t population = 0;           // N: all that had agreed and not left
};

struct RoundAbandoned {
    std::uint64_t round = 0;
    std::string reason;
};

struct ModelPublished {
    std::uint64_t round = 0;  // the round that trains on it
    bool final = false;       // the result; nobody trains on it
    Digest content;
    Digest blob;
    std::uint64_t size_bytes = 0;
    Digest memory;  // SHA-256 of what the strategy remembers (Strategy::save); zero for one without memory
};

// The updates that the round had counted are no longer stored: their agreements' duty to delete.
struct UpdatesDeleted {
    std::uint64_t round = 0;
    std::vector<std::string> participants;  // whose they were, sorted
};

// What made the model that is published next, signed (round/receipts.hpp).
struct ReceiptIssued {
    proof::Receipt receipt;
    codec::Signature signature;  // over the receipt as DSSE has it
};

// A participant has taken a new key; its agreements end with the former one. Both have signed rotation_text().
struct KeyRotated {
    std::string participant;
    codec::PublicKey key;
    codec::PublicKey former;
    codec::Signature by_key;
    codec::Signature by_former;
};
// What is signed, under the context "rotate".
std::string rotation_text(const std::string& federation, const std::string& participant, const codec::PublicKey& former,
                          const codec::PublicKey& key);
// Are both signatures good? unauthenticated "key.bad-signature". Whose `former` is, the caller knows.
Status check_rotation(const std::string& federation, const KeyRotated& rotation);

// The operator bars a participant for a time, or lets it in again. What was counted before stays counted.
struct SuspensionChanged {
    std::string participant;
    bool suspended = false;
    std::string reason;
};

// The round opens although fewer than the plan wants have cosigned the log with the receipt of the one before: they had as long as a
// round may last.
struct WitnessesMissing {
    std::uint64_t round = 0;
    std::uint32_t cosigned = 0;
    std::uint32_t wanted = 0;
};

using Body = std::variant<Activated, ParticipantAdmitted, ParticipantLeft, AgreementConcluded, PolicyDecided, RoundOpened,
                          UpdateAccepted, UpdateRefused, RoundClosed, RoundAbandoned, ModelPublished, UpdatesDeleted, ReceiptIssued,
                          KeyRotated, SuspensionChanged, WitnessesMissing>;

struct Record {
    std::int64_t at_ms = 0;
    Body body;
};

struct Entry {
    std::uint64_t sequence = 0;  // from 1
    Digest previous;             // link of the entry before; zero for the first
    Record record;
};

// Which decisions are lines of their own: those that differ from the last one of their agreement at their point.
class DecisionLog {
public:
    bool is_news(const PolicyDecided& decision);  // and remembers it

private:
    std::map<std::pair<std::string, policy::Point>, std::pair<std::uint64_t, std::string>> last_;  // round, code
};

std::string_view kind_of(const Record& record) noexcept;  // "update.accepted" and the like, for people and filters
std::string summary_of(const Record& record);             // one line

Bytes encode_record(const Record& record);
Result<Record> decode_record(ByteView bytes);  // bounded; "ledger.malformed"
Digest record_digest(const Record& record);    // SHA-256 over its canonical bytes: what the log commits to
Digest link_of(const Entry& entry);  // SHA-256 over the canonical bytes
Entry chain(const std::optional<Entry>& previous, Record record);
Status check_link(const std::optional<Entry>& previous, const Entry& entry);

Bytes encode_entry(const Entry& entry);
Result<Entry> decode_entry(ByteView bytes);  // bounded; "ledger.malformed"
// Several, each behind four bytes of its length, little-endian.
void append_entry(Bytes& page, const Entry& entry);
Result<std::vector<Entry>> decode_entries(ByteView page);  // "ledger.malformed"

}  // namespace entente::round
