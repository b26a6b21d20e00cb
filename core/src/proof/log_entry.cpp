#include "entente/proof/log_entry.hpp"

#include <algorithm>

#include "entente/codec/merkle.hpp"

namespace entente::proof {

Bytes encode(const LogEntry& entry) {
    Bytes bytes(entry.blinding.bytes.begin(), entry.blinding.bytes.end());
    bytes.insert(bytes.end(), entry.record.bytes.begin(), entry.record.bytes.end());
    return bytes;
}

Result<LogEntry> decode_log_entry(ByteView bytes) {
    LogEntry entry;
    constexpr std::size_t half = 32;
    if (bytes.size() != 2 * half) {
        return Error{Code::invalid_argument, "log.entry", "log entry: expected 64 bytes, found " + std::to_string(bytes.size())};
    }
    std::copy_n(bytes.begin(), half, entry.blinding.bytes.begin());
    std::copy_n(bytes.begin() + half, half, entry.record.bytes.begin());
    return entry;
}

Digest leaf_of(const LogEntry& entry) { return codec::merkle_leaf(encode(entry)); }

Blinder Blinder::of(const codec::SigningKey& coordinator, std::string_view federation) {
    return Blinder(codec::sha256(coordinator.sign("log-blinding", as_bytes(federation)).bytes));
}

LogEntry Blinder::entry_of(const Digest& record) const noexcept {
    codec::Sha256 hash;
    hash.update(secret_.bytes);
    hash.update(record.bytes);
    return {hash.finish(), record};
}

}  // namespace entente::proof
