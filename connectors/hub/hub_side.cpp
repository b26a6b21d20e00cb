#include "connectors/hub/hub_space.hpp"

namespace entente::hub {

using namespace contract;

namespace {

constexpr std::size_t chunk_bytes = 64 * 1024;

Status pump(ByteSource& from, ByteSink& to, const CallOptions& options) {
    std::vector<std::byte> buffer(chunk_bytes);
    for (;;) {
        ENTENTE_TRY(may_start(options));
        ENTENTE_ASSIGN(const std::size_t n, from.read(buffer));
        if (n == 0) return done();
        ENTENTE_TRY(to.append(ByteView(buffer.data(), n)));
    }
}

// Every call begins the same way: cancelled or late ones end before they change anything.
template <class T, class Work>
void call(const CallOptions& options, const Completion<T>& completion, Work&& work) {
    if (Status started = may_start(options); !started.ok()) return completion(started.error());
    completion(work());
}

}  // namespace

void HubSide::publish(Asset asset, SignedOffer offer, CallOptions options, Completion<Done> completion) {
    call<Done>(options, completion, [&] { return space_.publish(self_, std::move(asset), std::move(offer)); });
}

void HubSide::deliver(std::string asset, Version version, std::shared_ptr<ByteSource> content, CallOptions options,
                      Completion<Done> completion) {
    call<Done>(options, completion, [&]() -> Status {
        ENTENTE_TRY(space_.may_deliver(self_, asset));
        ENTENTE_TRY(space_.storage().keep(asset, version, *content));
        return space_.delivered(self_, asset, version);
    });
}

void HubSide::catalog(CatalogQuery query, CallOptions options, Completion<Catalog> completion) {
    call<Catalog>(options, completion, [&]() -> Result<Catalog> {
        Catalog found = space_.exchange().catalog(self_, query);
        found.cursor = space_.view(self_).catalog.cursor;
        return found;
    });
}

void HubSide::negotiate(Agreement proposal, CallOptions options, Completion<Agreement> completion) {
    call<Agreement>(options, completion, [&] { return space_.negotiate(self_, proposal); });
}

void HubSide::transfer(TransferRequest request, ByteSink& sink, CallOptions options, Completion<Transfer> completion) {
    call<Transfer>(options, completion, [&]() -> Result<Transfer> {
        ENTENTE_ASSIGN(Transfer transfer, space_.open(self_, request));
        ENTENTE_ASSIGN(auto content, space_.storage().open(request.asset, request.version));
        ENTENTE_TRY(pump(*content, sink, options));
        return transfer;
    });
}

void HubSide::conclude(std::string transfer, Outcome outcome, CallOptions options, Completion<Done> completion) {
    call<Done>(options, completion, [&] { return space_.conclude(self_, transfer, outcome); });
}

void HubSide::transfers(std::string asset, CallOptions options, Completion<std::vector<Transfer>> completion) {
    call<std::vector<Transfer>>(options, completion, [&] { return space_.exchange().transfers(self_, asset); });
}

void HubSide::agreements(std::string asset, CallOptions options, Completion<std::vector<Agreement>> completion) {
    call<std::vector<Agreement>>(options, completion, [&] { return space_.exchange().agreements(self_, asset); });
}

void HubSide::withdraw(std::string asset, CallOptions options, Completion<Done> completion) {
    call<Done>(options, completion, [&] { return space_.withdraw(self_, asset); });
}

void HubSide::wait(std::uint64_t cursor, CallOptions options, Completion<std::uint64_t> completion) {
    if (Status started = may_start(options); !started.ok()) return completion(started.error());
    const CancelToken cancel = options.cancel;
    space_.view_when_changed(self_, cursor, space_.now_ms() + options.timeout_ms, cancel,
                             [cancel, completion = std::move(completion)](const HubView& view) {
                                 if (cancel.cancelled()) {
                                     completion(Error{Code::cancelled, "connector.cancelled", "the call was cancelled"});
                                 } else {
                                     completion(view.catalog.cursor);
                                 }
                             });
}

}  // namespace entente::hub
