// The books of a data space's exchange: who offers what, which agreements hold, what became of each transfer.
//
// Every connector that keeps both sides in one place (memory, hub) stands on this one implementation of the rules;
// it holds no content and does no I/O. The owner stores bytes first and then calls deliver().
//
//   Exchange exchange("digits-demo");
//   exchange.admit("plant-a", key);
//   exchange.publish("plant-a", asset, offer);
//   auto transfer = exchange.open("coordinator", {.agreement = id, .asset = asset.id, .version = v}, now_ms);
//
// Rules it holds: a participant publishes only its own assets, with offers that bear its key and a policy that this
// software can enforce; sees only offers that are meant for it; concludes only over an offer as it was published;
// transfers only under an agreement of its own that is in force (policy at Point::transfer); and judges only its
// own transfers. Whoever keeps a ledger hears of each decision by on_decision. Errors: the codes of policy/evaluate.hpp and contract.hpp, and connector.unknown-participant,
// connector.foreign-asset, connector.no-asset, connector.no-offer, agreement.unknown, agreement.foreign,
// agreement.mismatch, transfer.superseded, transfer.unknown. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "entente/contract/connector.hpp"
#include "entente/policy/evaluate.hpp"

namespace entente::contract {

// What a policy was asked, and what it said.
struct Decision {
    policy::Point point;
    std::string agreement;    // or the offer, where it is no agreement yet
    std::string participant;  // the coordinator's counterpart
    std::uint64_t round;
    policy::Verdict verdict;
};

class Exchange {
public:
    explicit Exchange(std::string federation) : federation_(std::move(federation)) {}

    [[nodiscard]] const std::string& federation() const noexcept { return federation_; }

    // Makes a participant and its key known; a second key for the same name is a conflict.
    Status admit(std::string_view participant, const codec::PublicKey& key);
    // Its assets leave the catalogue and its running transfers end; agreements stay on record.
    Status expel(std::string_view participant);

    // Whatever the participant asks for is refused until it is resumed, permission_denied "participant.suspended" with this
    // sentence; its running transfers end. No part of a snapshot: the owner says it again.
    void suspend(std::string_view participant, std::string sentence);
    void resume(std::string_view participant);

    Status publish(std::string_view caller, Asset asset, SignedOffer offer);
    Status deliver(std::string_view caller, std::string_view asset, const Version& version);
    // With a time also without offers that policy lets nobody see then (Point::catalog).
    [[nodiscard]] Catalog catalog(std::string_view caller, const CatalogQuery& query,
                                  std::optional<std::int64_t> now_ms = std::nullopt) const;
    Result<Agreement> negotiate(std::string_view caller, const Agreement& proposal, std::int64_t now_ms);
    // What negotiate() would answer, with nothing changed.
    [[nodiscard]] Result<Agreement> judge(std::string_view caller, const Agreement& proposal, std::int64_t now_ms) const;
    // `id`: what the transfer is called on the wire, where the connector gives it a name; else one of our own. Opening
    // it again under the same id changes nothing; another's id is refused, conflict "transfer.duplicate".
    Result<Transfer> open(std::string_view caller, const TransferRequest& request, std::int64_t now_ms, std::string_view id = {});
    Result<Transfer> conclude(std::string_view caller, std::string_view transfer, const Outcome& outcome);
    [[nodiscard]] Result<std::vector<Transfer>> transfers(std::string_view caller, std::string_view asset) const;
    [[nodiscard]] Result<std::vector<Agreement>> agreements(std::string_view caller, std::string_view asset) const;
    Status withdraw(std::string_view caller, std::string_view asset);
    // Would a transfer of this round's version start under the agreement? Policy alone.
    [[nodiscard]] Status may_transfer(std::string_view caller, const Agreement& agreement, std::uint64_t round,
                                      std::int64_t now_ms) const;
    // Does the transfer's agreement still hold? To be asked when its bytes are.
    [[nodiscard]] Status in_force(std::string_view caller, const Transfer& transfer, std::int64_t now_ms) const;
    // What runs under the agreement ends with this outcome.
    void end_agreement(std::string_view agreement, const Outcome& outcome);

    // Called within the call that decides; it must not change the exchange. Copies call it too.
    void on_decision(std::function<void(const Decision&)> callback) { on_decision_ = std::move(callback); }
    // Would anybody still be let to the asset in this round? The answer of the policies when all agreements over it have
    // run out; done when there is none yet.
    [[nodiscard]] Status may_deliver(std::string_view caller, std::string_view asset, std::uint64_t round, std::int64_t now_ms) const;

    // What an asset offers now, for whoever stores the content. Empty when nothing was delivered.
    [[nodiscard]] std::optional<Version> current(std::string_view asset) const;
    // Null when there is none of this id.
    [[nodiscard]] const Agreement* agreement(std::string_view id) const;
    // Is this participant the consumer in this agreement? The offer may have been meant for everybody.
    [[nodiscard]] bool holds(std::string_view participant, std::string_view agreement) const;
    [[nodiscard]] bool knows_transfer(std::string_view id) const { return find_transfer(id) != nullptr; }
    // A transfer that `caller` may still read.
    [[nodiscard]] Result<Transfer> readable(std::string_view caller, std::string_view transfer) const;

    // Grows with every change.
    [[nodiscard]] std::uint64_t cursor() const noexcept { return cursor_; }

    // The whole state, small (no content), for a snapshot; deserialize is bounded and refuses what it does not write.
    [[nodiscard]] Bytes serialize() const;
    static Result<Exchange> deserialize(ByteView bytes);

private:
    struct Listing {
        Asset asset;
        SignedOffer offer;
        std::optional<Version> version;
        bool withdrawn = false;

        template <class Archive>
        void serialize(Archive& archive);
    };
    struct State;

    [[nodiscard]] Status may_act(std::string_view caller) const;
    Result<Listing*> own_listing(std::string_view caller, std::string_view asset);
    void add(const Agreement& agreement);
    void add(const Transfer& transfer);
    [[nodiscard]] const Transfer* find_transfer(std::string_view id) const;
    [[nodiscard]] std::vector<Transfer> in_order(std::string_view asset) const;  // of all assets when empty
    void end_transfers(std::string_view asset, const Outcome& outcome);
    [[nodiscard]] policy::Facts facts(const Agreement& agreement, std::uint64_t round, std::int64_t now_ms) const;
    [[nodiscard]] Status tell(policy::Point point, std::string_view caller, const Agreement& agreement, std::uint64_t round,
                              policy::Verdict verdict) const;
    [[nodiscard]] bool shown(const Listing& listing, std::int64_t now_ms) const;

    std::string federation_;
    std::map<std::string, codec::PublicKey, std::less<>> participants_;
    std::map<std::string, std::string, std::less<>> suspended_;  // the sentence
    std::map<std::string, Listing, std::less<>> listings_;       // by asset
    std::map<std::string, Agreement, std::less<>> agreements_;   // by id
    std::map<std::string, std::set<std::string>, std::less<>> agreements_over_;  // asset -> ids
    std::map<std::string, std::vector<Transfer>, std::less<>> transfers_;        // by agreement, oldest first, bounded
    std::map<std::string, std::string, std::less<>> agreement_of_;               // of a transfer
    std::uint64_t next_transfer_ = 1;
    std::uint64_t cursor_ = 1;
    std::function<void(const Decision&)> on_decision_;  // may be empty; no part of a snapshot
};

}  // namespace entente::contract
