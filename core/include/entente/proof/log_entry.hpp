// What the log holds for each record of the ledger: a commitment to it that tells nobody anything.
//
//   Blinder blinder = Blinder::of(coordinator_key, "bearings");
//   LogEntry entry = blinder.entry_of(round::record_digest(record));
//   tree.add(leaf_of(entry));
//
// Participants read the tree's hashes, and a record has little in it that another could not guess: a time, a name, a code. So
// a leaf is the hash of 32 bytes that only the coordinator can know, and of the record's digest. It is shown together with
// the record to whom the record concerns, and fits no other record.
//
// The blinding is a function of the coordinator's key and of the record: nothing to store, and after a restart the same tree.
// Pure.
#pragma once

#include <string_view>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/sign.hpp"

namespace entente::proof {

struct LogEntry {
    Digest blinding;
    Digest record;  // SHA-256 of its canonical bytes

    friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

Bytes encode(const LogEntry& entry);              // 64 bytes: blinding, record
Result<LogEntry> decode_log_entry(ByteView bytes);  // invalid_argument "log.entry"
Digest leaf_of(const LogEntry& entry);              // RFC 6962

class Blinder {
public:
    static Blinder of(const codec::SigningKey& coordinator, std::string_view federation);
    [[nodiscard]] LogEntry entry_of(const Digest& record) const noexcept;

private:
    explicit Blinder(const Digest& secret) : secret_(secret) {}
    Digest secret_;
};

}  // namespace entente::proof
