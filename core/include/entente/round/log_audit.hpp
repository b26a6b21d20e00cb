// Is a ledger the one that its transparency log was signed over? The tree is made anew and each of its files compared.
//
//   LogAudit log({.federation = "bearings", .coordinator = key, .read = read_tile, .on_problem = tell});
//   log.read_bundles(ledger.size());                   // without the coordinator's private key
//   AuditOptions audit{…, .leaf_of = log.leaf_of()};   // audit.hpp
//   log.check(ledger, checkpoint);
//
// A leaf follows from its record and the coordinator's private key; where that is not at hand, the bundles of the log open it, and
// a bundle that commits to another record is found by the root that is signed. Never fails: what is wrong is told. No I/O but
// through `read`. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "entente/proof/log_entry.hpp"
#include "entente/proof/note.hpp"
#include "entente/proof/tiles.hpp"
#include "entente/round/audit.hpp"

namespace entente::round {

struct LogAuditOptions {
    std::string federation;
    codec::PublicKey coordinator;
    std::optional<proof::Blinder> blinder = {};  // of the private key
    // What there is of a tile or bundle, asked for as wide as the log has it.
    std::function<Result<Bytes>(const proof::Tile&)> read;
    std::string folder = {};  // before the paths that are told: "log/"
    std::function<void(const Problem&)> on_problem = {};
};

// The tiles and bundles of a log with so many leaves.
std::vector<proof::Tile> tiles_of(std::uint64_t size);

class LogAudit {
public:
    explicit LogAudit(LogAuditOptions options) : o_(std::move(options)) {}

    void read_bundles(std::uint64_t records);
    // Empty when neither key nor bundles are at hand.
    [[nodiscard]] Receipts::LeafOf leaf_of() const;
    // `note` is the text of the checkpoint. How many records it is signed over; 0 when it is none of this log's.
    std::uint64_t check(const std::vector<Entry>& ledger, std::string_view note);
    // The paths that check() has compared.
    [[nodiscard]] const std::set<std::string>& paths() const noexcept { return paths_; }

private:
    void tell(std::string subject, std::string code, std::string sentence);
    [[nodiscard]] std::string name(const proof::Tile& tile) const;
    void check_witnesses(const std::vector<Entry>& ledger, const proof::Note& note, std::string_view text);

    LogAuditOptions o_;
    std::vector<proof::LogEntry> entries_;  // of the bundles
    std::map<Digest, proof::LogEntry> by_record_;
    std::set<std::string> paths_;
};

}  // namespace entente::round
