// A connector that lives on another thread, called from one that waits: each call returns when it has completed.
//
//   BlockingConnector connector([&](auto work) { side.post(std::move(work)); });
//
// Completions run on the caller's thread. A completed call has ended on the other thread too.
#pragma once

#include <future>

#include "entente/contract/connector.hpp"

namespace entente::native {

class BlockingConnector final : public contract::Connector {
public:
    using Post = std::function<void(std::function<void(contract::Connector&)>)>;
    explicit BlockingConnector(Post post) : post_(std::move(post)) {}

    void publish(contract::Asset asset, contract::SignedOffer offer, contract::CallOptions o, contract::Completion<Done> end) override {
        end(ask<Done>([&](auto& c, auto then) { c.publish(asset, offer, o, then); }));
    }
    void deliver(std::string asset, contract::Version version, std::shared_ptr<contract::ByteSource> content, contract::CallOptions o,
                 contract::Completion<Done> end) override {
        end(ask<Done>([&](auto& c, auto then) { c.deliver(asset, version, content, o, then); }));
    }
    void catalog(contract::CatalogQuery query, contract::CallOptions o, contract::Completion<contract::Catalog> end) override {
        end(ask<contract::Catalog>([&](auto& c, auto then) { c.catalog(query, o, then); }));
    }
    void negotiate(contract::Agreement proposal, contract::CallOptions o, contract::Completion<contract::Agreement> end) override {
        end(ask<contract::Agreement>([&](auto& c, auto then) { c.negotiate(proposal, o, then); }));
    }
    void transfer(contract::TransferRequest request, contract::ByteSink& sink, contract::CallOptions o,
                  contract::Completion<contract::Transfer> end) override {
        end(ask<contract::Transfer>([&](auto& c, auto then) { c.transfer(request, sink, o, then); }));
    }
    void conclude(std::string transfer, contract::Outcome outcome, contract::CallOptions o, contract::Completion<Done> end) override {
        end(ask<Done>([&](auto& c, auto then) { c.conclude(transfer, outcome, o, then); }));
    }
    void transfers(std::string asset, contract::CallOptions o, contract::Completion<std::vector<contract::Transfer>> end) override {
        end(ask<std::vector<contract::Transfer>>([&](auto& c, auto then) { c.transfers(asset, o, then); }));
    }
    void agreements(std::string asset, contract::CallOptions o, contract::Completion<std::vector<contract::Agreement>> end) override {
        end(ask<std::vector<contract::Agreement>>([&](auto& c, auto then) { c.agreements(asset, o, then); }));
    }
    void withdraw(std::string asset, contract::CallOptions o, contract::Completion<Done> end) override {
        end(ask<Done>([&](auto& c, auto then) { c.withdraw(asset, o, then); }));
    }
    void wait(std::uint64_t cursor, contract::CallOptions o, contract::Completion<std::uint64_t> end) override {
        end(ask<std::uint64_t>([&](auto& c, auto then) { c.wait(cursor, o, then); }));
    }

private:
    // `call` refers to this frame, which waits until it is over.
    template <class T, class Call>
    Result<T> ask(Call&& call) {
        auto promise = std::make_shared<std::promise<Result<T>>>();
        auto answer = promise->get_future();
        post_([&call, promise](contract::Connector& connector) {
            call(connector, [promise](Result<T> r) { promise->set_value(std::move(r)); });
        });
        return answer.get();
    }

    Post post_;
};

}  // namespace entente::native
