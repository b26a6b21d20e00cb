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
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/codec/frame.hpp"
#include "entente/contract/contract.hpp"
#include "entente/policy/evaluate.hpp"

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

// A term was weighed. Every decision is on record, permits too.
struct PolicyDecided {
    policy::Point point = policy::Point::negotiation;
    std::string agreement;
    std::string participant;
    std::uint64_t round = 0;
    bool permitted = false;
    std::string code;
    std::string sentence;
};

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

struct UpdateRefused {
    std::uint64_t round = 0;
    std::string participant;
    std::string transfer;
    Digest content;
    std::string code;
    std::string sentence;
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

using Body = std::variant<Activated, ParticipantAdmitted, ParticipantLeft, AgreementConcluded, PolicyDecided,
                          RoundOpened, UpdateAccepted, UpdateRefused, RoundClosed, RoundAbandoned, ModelPublished>;

struct Record {
    std::int64_t at_ms = 0;
    Body body;
};

struct Entry {
    std::uint64_t sequence = 0;  // from 1
    Digest previous;             // link of the entry before; zero for the first
    Record record;
};

std::string_view kind_of(const Record& record) noexcept;  // "update.accepted" and the like, for people and filters
std::string summary_of(const Record& record);             // one line

Digest link_of(const Entry& entry);  // SHA-256 over the canonical bytes
Entry chain(const std::optional<Entry>& previous, Record record);
Status check_link(const std::optional<Entry>& previous, const Entry& entry);

Bytes encode_entry(const Entry& entry);
Result<Entry> decode_entry(ByteView bytes);  // bounded; "ledger.malformed"

}  // namespace entente::round
