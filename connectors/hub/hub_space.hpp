// The hub's side at the coordinator: the exchange of one federation, the waits of its participants, and the
// connector through which the coordinator itself takes part.
//
//   HubSpace space("digits-demo", exchange, storage, clock);
//   HubSide coordinator(space, "coordinator");              // a contract::Connector, completes before it returns
//   space.view_when_changed("plant-a", cursor, deadline_ms, cancel, answer);    // one long poll
//
// Every change is saved before it is answered; a change that could not be saved did not happen. Storage is the
// owner's: SQLite and files in the server, memory in tests. One strand.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "entente/contract/exchange.hpp"
#include "entente/contract/wire.hpp"

namespace entente::hub {

class Storage {
public:
    virtual ~Storage() = default;
    // The envelope that `asset` offers as `version`. not_found "connector.no-content".
    virtual Result<std::shared_ptr<contract::ByteSource>> open(const std::string& asset, const contract::Version& version) = 0;
    // Durably stores an envelope; it belongs to the asset from the next save() on.
    virtual Status keep(const std::string& asset, const contract::Version& version, contract::ByteSource& content) = 0;
    // Durably stores the exchange together with what was kept. `urgent` false: soon is enough.
    virtual Status save(const contract::Exchange& exchange, bool urgent) = 0;
};

class HubSpace {
public:
    using Clock = std::function<std::int64_t()>;

    HubSpace(std::string federation, contract::Exchange exchange, Storage& storage, Clock now_ms)
        : federation_(std::move(federation)), exchange_(std::move(exchange)), storage_(storage), now_ms_(std::move(now_ms)) {}

    [[nodiscard]] const contract::Exchange& exchange() const noexcept { return exchange_; }
    Storage& storage() noexcept { return storage_; }
    [[nodiscard]] std::int64_t now_ms() const { return now_ms_(); }

    // Of the exchange: its decisions.
    void on_decision(std::function<void(const contract::Decision&)> callback) { exchange_.on_decision(std::move(callback)); }
    Status end_agreement(const std::string& agreement, const contract::Outcome& outcome);

    // Called after every change; may be empty. It must not change the space itself.
    void on_change(std::function<void()> callback) { on_change_ = std::move(callback); }

    Status admit(const std::string& participant, const codec::PublicKey& key);
    Status expel(const std::string& participant);
    // One that is known, with another key: what it offered is gone, what ran has ended.
    Status admit_anew(const std::string& participant, const codec::PublicKey& key);
    Status suspend(const std::string& participant, const std::string& sentence);
    Status resume(const std::string& participant);
    Status publish(const std::string& caller, contract::Asset asset, contract::SignedOffer offer);
    // May `caller` deliver to `asset` now? Asked before its bytes are read.
    [[nodiscard]] Status may_deliver(const std::string& caller, const std::string& asset) const;
    // REQUIRES: the storage has kept the content.
    Status delivered(const std::string& caller, const std::string& asset, const contract::Version& version);
    // `judged_at_ms`: when the acceptance counts as received, if that is not now (it may have travelled in a folder).
    Result<contract::Agreement> negotiate(const std::string& caller, const contract::Agreement& proposal,
                                          std::optional<std::int64_t> judged_at_ms = {});
    Result<contract::Transfer> open(const std::string& caller, const contract::TransferRequest& request, const std::string& id = {});
    Status conclude(const std::string& caller, const std::string& transfer, const contract::Outcome& outcome);
    Status withdraw(const std::string& caller, const std::string& asset);

    // All that the participant may see. Its cursor changes exactly when the rest does.
    contract::HubView view(const std::string& participant);
    // Answers with view() as soon as its cursor is another one than `cursor`, or at the deadline.
    void view_when_changed(const std::string& participant, std::uint64_t cursor, std::int64_t deadline_ms,
                           contract::CancelToken cancel, std::function<void(contract::HubView)> answer);
    // Answers the waits whose deadline has passed and forgets those whose caller has gone.
    void expire(std::int64_t now_ms);
    [[nodiscard]] std::optional<std::int64_t> next_deadline() const;
    // Answers all waits: the server is about to stop.
    void drain();
    // Who waits at this moment: they are there.
    [[nodiscard]] std::vector<std::string> waiting() const;

private:
    struct Wait {
        std::string participant;
        std::uint64_t cursor;
        std::int64_t deadline_ms;
        contract::CancelToken cancel;
        std::function<void(contract::HubView)> answer;
    };
    struct Seen {
        Digest content;
        std::uint64_t cursor = 0;
    };

    template <class Change>
    auto change(bool urgent, Change&& apply) -> decltype(apply());
    void notify();

    std::string federation_;
    contract::Exchange exchange_;
    Storage& storage_;
    Clock now_ms_;
    std::function<void()> on_change_;
    std::list<Wait> waits_;
    std::map<std::string, Seen> seen_;
};

// One participant's view of the space, in the same process.
class HubSide final : public contract::Connector {
public:
    HubSide(HubSpace& space, std::string participant) : space_(space), self_(std::move(participant)) {}

    void publish(contract::Asset asset, contract::SignedOffer offer, contract::CallOptions options,
                 contract::Completion<Done> completion) override;
    void deliver(std::string asset, contract::Version version, std::shared_ptr<contract::ByteSource> content,
                 contract::CallOptions options, contract::Completion<Done> completion) override;
    void catalog(contract::CatalogQuery query, contract::CallOptions options,
                 contract::Completion<contract::Catalog> completion) override;
    void negotiate(contract::Agreement proposal, contract::CallOptions options,
                   contract::Completion<contract::Agreement> completion) override;
    void transfer(contract::TransferRequest request, contract::ByteSink& sink, contract::CallOptions options,
                  contract::Completion<contract::Transfer> completion) override;
    void conclude(std::string transfer, contract::Outcome outcome, contract::CallOptions options,
                  contract::Completion<Done> completion) override;
    void transfers(std::string asset, contract::CallOptions options,
                   contract::Completion<std::vector<contract::Transfer>> completion) override;
    void agreements(std::string asset, contract::CallOptions options,
                    contract::Completion<std::vector<contract::Agreement>> completion) override;
    void withdraw(std::string asset, contract::CallOptions options, contract::Completion<Done> completion) override;
    // Completes later, from HubSpace.
    void wait(std::uint64_t cursor, contract::CallOptions options, contract::Completion<std::uint64_t> completion) override;

private:
    HubSpace& space_;
    std::string self_;
};

// What a call that was cancelled or came too late completes with; done when it may go on.
Status may_start(const contract::CallOptions& options);

}  // namespace entente::hub
