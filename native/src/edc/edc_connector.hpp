// The connector API through a company's own Eclipse EDC: its owner offers, asks and is answered through the Management API;
// the bytes of its update leave through Entente as EDC's data plane (edc_side.hpp), those of the global model are fetched
// by the end-point data reference that EDC was given.
//
//   EdcConnector connector({.self = "plant-b", .federation = "digits", .coordinator = {"coordinator", address}, …}, *side, http);
//   ENTENTE_TRY(connector.connect());
//   ENTENTE_ASSIGN(const contract::HubView view, connector.watch(cursor, 25'000, options));
//
// EDC has no place for what federations say beside the protocol, so datasets bear it (connectors/dsp/offerings.hpp): ours our
// acceptance, the coordinator's its acceptance and its verdicts. negotiate() goes on when the coordinator shows that it has
// read ours. An EDC transfers what an asset is now: another version than was asked for is "transfer.superseded" by its size,
// and a reader finds it by its digest.
//
// Every call blocks and completes before it returns; a call to EDC that is under way is not cut short. Errors: those of the
// interface, and of edc_client.hpp. One thread.
#pragma once

#include "connectors/edc/edc_client.hpp"
#include "edc/edc_side.hpp"
#include "entente/contract/wire.hpp"

namespace entente::native {

struct EdcConnectorOptions {
    std::string self;
    std::string federation;
    edc::Peer coordinator;
    std::string management;  // of EDC
    std::string key;         // its X-Api-Key
    std::string edc_id;      // what it calls itself; empty: `self`
    policy::Facts facts;     // for Point::negotiation, but the time
    std::function<void(const Error&)> on_problem = {};  // an offer of the coordinator's that cannot be read
    std::function<void()> on_wait = {};                 // negotiate() waits for the coordinator
};

class EdcConnector final : public contract::Connector {
public:
    EdcConnector(EdcConnectorOptions options, EdcSide& side, edc::Http& http);

    // Finds EDC. Called before anything else.
    Status connect();
    // Everything that the partner may see, as soon as the cursor is another one or after wait_ms.
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
    Result<contract::HubView> look();
    Status adopt(const contract::HubView& told);
    Status show();
    Result<contract::Agreement> agree(const contract::Agreement& proposal, const contract::CallOptions& options);
    Result<dsp::Dataset> accepted(const contract::Agreement& proposal, const contract::CallOptions& options);
    [[nodiscard]] Status may_ask(const contract::Agreement& agreement, std::uint64_t round) const;
    Result<contract::Transfer> fetch(const contract::TransferRequest& request, contract::ByteSink& sink);
    Status remember(const contract::Agreement& agreement, const edc::EdcAgreement& known);
    Result<std::optional<contract::Agreement>> remembered();

    EdcConnectorOptions o_;
    EdcSide& side_;
    edc::Http& http_;
    edc::EdcClient edc_;
    std::string updates_;                             // our own asset
    std::map<std::string, dsp::Dataset> offered_;     // as the coordinator's catalogue showed them last
    std::vector<contract::Transfer> told_;            // of our own asset, as the coordinator says
    std::map<std::string, std::string> shown_;        // properties of our own asset in EDC
    std::optional<edc::EdcAgreement> held_;           // over the global model
};

}  // namespace entente::native
