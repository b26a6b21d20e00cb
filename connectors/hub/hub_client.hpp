// The hub's side at a participant: outbound requests only, so it works behind NAT and proxies.
//
//   HubClient connector(http);             // http: any HttpClient, already pointed at the coordinator
//   connector.watch(cursor, 25'000, options, [](Result<HubView> view) { ... });
//
// Every call blocks its thread until it is answered and completes before it returns; give the connector a thread of
// its own. A call whose connection broke is not repeated here: all are idempotent, and the caller knows best when.
// An answer that is not the hub's, such as a guest network's page: unavailable "connector.unexpected-answer".
#pragma once

#include <memory>

#include "connectors/hub/http_client.hpp"
#include "entente/contract/wire.hpp"

namespace entente::hub {

class HubClient final : public contract::Connector {
public:
    explicit HubClient(std::shared_ptr<HttpClient> http) : http_(std::move(http)) {}

    // One long poll: everything that the participant may see, as soon as the cursor is another one.
    Result<contract::HubView> watch(std::uint64_t cursor, std::int64_t wait_ms, const contract::CallOptions& options);

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
    Result<Bytes> ask(HttpRequest request, const contract::CallOptions& options, contract::ByteSink* sink = nullptr);
    std::shared_ptr<HttpClient> http_;
};

}  // namespace entente::hub
