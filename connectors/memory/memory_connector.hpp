// The connector inside one process: simulation, tests and the offline demo.
//
//   auto space = std::make_shared<Space>("digits-demo", [] { return now_ms; });
//   space->exchange().admit("plant-a", key);
//   MemoryConnector connector(space, "plant-a");
//
// Completions run before the call returns. wait() completes at once with the present cursor: who simulates time
// moves it himself. Content lives in the Space, one version per asset. Not thread-safe: one thread per Space.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "entente/contract/exchange.hpp"

namespace entente::memory {

class Space {
public:
    using Clock = std::function<std::int64_t()>;

    Space(std::string federation, Clock now_ms) : exchange_(std::move(federation)), now_ms_(std::move(now_ms)) {}

    contract::Exchange& exchange() noexcept { return exchange_; }
    [[nodiscard]] std::int64_t now_ms() const { return now_ms_(); }
    // The envelope that an asset offers now, or null.
    [[nodiscard]] std::shared_ptr<const Bytes> content(const std::string& asset) const;
    void set_content(const std::string& asset, std::shared_ptr<const Bytes> bytes);
    // The owner needs it no longer: whoever was to read it has.
    void drop_content(const std::string& asset) { contents_.erase(asset); }

private:
    contract::Exchange exchange_;
    Clock now_ms_;
    std::map<std::string, std::shared_ptr<const Bytes>> contents_;
};

class MemoryConnector final : public contract::Connector {
public:
    MemoryConnector(std::shared_ptr<Space> space, std::string participant)
        : space_(std::move(space)), self_(std::move(participant)) {}

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
    void wait(std::uint64_t cursor, contract::CallOptions options,
              contract::Completion<std::uint64_t> completion) override;

private:
    std::shared_ptr<Space> space_;
    std::string self_;
};

}  // namespace entente::memory
