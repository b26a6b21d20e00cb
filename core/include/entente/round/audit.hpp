// Does a ledger hold together, and do its models follow from its updates? Everything that it says is checked again, with what
// is still stored: links, agreements, receipts, models, and each round folded anew, bit for bit, through the same code that
// the coordinator runs.
//
//   AuditOptions options{.plan = plan, .coordinator = key, .blobs = read_blob, .leaf_of = leaf};
//   options.on_problem = [](const Problem& p) { … };   options.on_round = [](const RoundCheck& c) { … };
//   AuditResult result = audit(ledger, options);
//
// Updates that were deleted, as their agreements ask, are not missing: their round's receipt stays checked, its sum cannot be.
// Never fails: what is wrong is told, and the rest is looked at nevertheless. No I/O but through `blobs`. Memory: one model,
// one fold, and the ledger.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "entente/contract/connector.hpp"
#include "entente/plan/plan.hpp"
#include "entente/round/receipts.hpp"

namespace entente::round {

struct Problem {
    std::uint64_t sequence = 0;  // of the ledger's entry; 0: of none
    std::string subject;         // "round 3: update of plant-a"
    std::string code;
    std::string sentence;
};

enum class Recomputed : std::uint8_t {
    same,     // the updates give the model that was published, bit for bit
    deleted,  // updates are gone, and the ledger says so
    not_asked,
    unreadable,  // updates are stored, but not for who asks
    wrong,    // a problem says why
};
std::string_view to_string(Recomputed outcome) noexcept;  // "not-asked"

struct RoundCheck {
    std::uint64_t round = 0;
    Recomputed outcome = Recomputed::wrong;
    std::vector<std::string> participants;  // whose updates made the model
    std::uint64_t weight = 0;
    Digest base_model;
    Digest model;
    bool receipt = false;  // it has one, and it is right
};

using BlobReader = std::function<Result<std::shared_ptr<contract::ByteSource>>(const Digest&)>;

struct AuditOptions {
    plan::Plan plan;
    codec::PublicKey coordinator;
    BlobReader blobs;
    Receipts::LeafOf leaf_of;                    // what the log has for a record; empty: receipts' roots are not compared
    std::optional<std::uint64_t> only_round = {};  // fold no other one
    bool other_models = true;                    // with only_round: read the models of the other rounds as well
    bool updates = true;                         // may be read here
    std::function<void(const Problem&)> on_problem = {};
    std::function<void(const RoundCheck&)> on_round = {};
    Executor* executor = nullptr;                // null: this thread
};

struct AuditResult {
    std::uint64_t problems = 0;
    std::uint64_t rounds = 0;      // that ended with a model
    std::uint64_t recomputed = 0;  // the same, bit for bit
    std::set<Digest> stored;       // blobs that must be there now
};

AuditResult audit(const std::vector<Entry>& ledger, const AuditOptions& options);

}  // namespace entente::round
