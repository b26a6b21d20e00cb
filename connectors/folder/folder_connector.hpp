// The connector over a shared or hand-carried directory: a network share, a synchronised folder, a USB stick.
//
//   ENTENTE_ASSIGN(Shelf shelf, Shelf::open({.root = "/media/stick", .federation = "digits", .self = "plant-a", ...}));
//   ENTENTE_TRY(shelf.admit("coordinator", coordinator_key));
//   FolderConnector connector(std::move(shelf));
//   connector.negotiate(proposal, options, done);
//   while (!answered) sleep_ms(connector.poll());          // answers others, completes what waits
//
// Everything but negotiate() and wait() completes before the call returns. Those two are completed by poll(), which
// also answers the proposals of others, and says after how many milliseconds it is worth calling again (a back-off:
// notifications do not reach across shares). The owner sleeps; there is no thread in here.
//
// Who may do what is decided by contract::Exchange over what the books in the folder say: by the provider for a
// proposal, by the consumer for a transfer, which needs no answer and therefore works with a stick that travels once.
// Errors beyond the interface's: unavailable "folder.incomplete" (not all of it has arrived) and "folder.damaged" (it
// is not what its provider wrote); both may be repeated. What is passed over while reading: problems().
// Not thread-safe: one strand, and one process per participant.
#pragma once

#include <list>

#include "connectors/folder/shelf.hpp"
#include "entente/contract/exchange.hpp"

namespace entente::folder {

// How old an acceptance may be when its provider reads it: a stick may be days on its way.
inline constexpr std::int64_t longest_journey_ms = 30LL * 24 * 3600 * 1000;
// The clock that an acceptance is judged by: contract::Exchange expects a fresh one, here it may have travelled.
std::int64_t judged_at_ms(const contract::Agreement& proposal, std::int64_t now_ms);

class FolderConnector final : public contract::Connector {
public:
    explicit FolderConnector(Shelf shelf) : shelf_(std::move(shelf)) {}

    Shelf& shelf() noexcept { return shelf_; }
    [[nodiscard]] std::vector<Problem> problems() const { return shelf_.problems(); }

    // Reads the folder, answers proposals, completes what is due. Returns when to call again, in milliseconds.
    std::int64_t poll();
    // All that this participant may see, in one reading.
    Result<contract::HubView> view(const contract::CallOptions& options);

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
    void wait(std::uint64_t cursor, contract::CallOptions options, contract::Completion<std::uint64_t> completion) override;

private:
    struct Negotiation {
        contract::Agreement proposal;
        std::string provider;
        std::int64_t deadline_ms;
        contract::CancelToken cancel;
        contract::Completion<contract::Agreement> completion;
    };
    struct Wait {
        std::uint64_t cursor;
        std::int64_t deadline_ms;
        contract::CancelToken cancel;
        contract::Completion<std::uint64_t> completion;
    };

    // folder_connector.cpp
    Result<contract::Transfer> receive(const contract::TransferRequest& request, contract::ByteSink& sink,
                                       const contract::CallOptions& options);
    Status keep(const std::string& asset, const contract::Version& version, contract::ByteSource& content);
    Status judge(const std::string& transfer, const contract::Outcome& outcome);

    // folder_books.cpp: what the books say, as one exchange, and the provider's answers
    Status refresh();
    const contract::Exchange& books();
    Status answer_proposals();
    [[nodiscard]] Result<std::optional<contract::Agreement>> answer_to(const contract::Agreement& proposal,
                                                                       const std::string& provider) const;
    [[nodiscard]] std::vector<contract::Agreement> agreements_over(const std::string& asset) const;
    Result<std::vector<contract::Transfer>> transfers_of(const contract::Exchange& exchange, const std::string& asset) const;
    [[nodiscard]] contract::HubView view_of(const contract::Exchange& exchange) const;

    Shelf shelf_;
    std::optional<contract::Exchange> books_;  // of
    std::uint64_t revision_ = 0;               // this state of the shelf
    std::list<Negotiation> negotiations_;
    std::list<Wait> waits_;
    std::int64_t pause_ms_ = 0;
};

}  // namespace entente::folder
