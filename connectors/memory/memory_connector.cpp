#include "connectors/memory/memory_connector.hpp"

#include <algorithm>

#include "entente/codec/merkle.hpp"

namespace entente::memory {

using namespace contract;
using codec::chunk_bytes;

namespace {

// A call that was cancelled, or whose time was over when it came, does nothing.
std::optional<Error> dead(const CallOptions& options) {
    if (options.cancel.cancelled()) return Error{Code::cancelled, "connector.cancelled", "the call was cancelled"};
    if (options.timeout_ms <= 0) return Error{Code::deadline_exceeded, "connector.deadline", "the call's time was over"};
    return std::nullopt;
}

template <class T>
void complete(const CallOptions& options, const Completion<T>& completion, const std::function<Result<T>()>& work) {
    if (auto error = dead(options)) return completion(*std::move(error));
    completion(work());
}

Result<Bytes> drain(ByteSource& source) {
    Bytes bytes;
    std::vector<std::byte> buffer(chunk_bytes);
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, source.read(buffer));
        if (n == 0) return bytes;
        bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
    }
}

}  // namespace

std::shared_ptr<const Bytes> Space::content(const std::string& asset) const {
    const auto it = contents_.find(asset);
    return it == contents_.end() ? nullptr : it->second;
}

void Space::set_content(const std::string& asset, std::shared_ptr<const Bytes> bytes) { contents_[asset] = std::move(bytes); }

void MemoryConnector::publish(Asset asset, SignedOffer offer, CallOptions options, Completion<Done> completion) {
    complete<Done>(options, completion,
                   [&] { return space_->exchange().publish(self_, std::move(asset), std::move(offer)); });
}

void MemoryConnector::deliver(std::string asset, Version version, std::shared_ptr<ByteSource> content,
                              CallOptions options, Completion<Done> completion) {
    complete<Done>(options, completion, [&]() -> Status {
        std::shared_ptr<const Bytes> bytes = content->whole();
        if (!bytes) {
            ENTENTE_ASSIGN(Bytes drained, drain(*content));
            bytes = std::make_shared<const Bytes>(std::move(drained));
        }
        if (bytes->size() != version.size_bytes) {
            return Error{Code::invalid_argument, "connector.size",
                         "deliver: expected " + std::to_string(version.size_bytes) + " bytes, found " +
                             std::to_string(bytes->size())};
        }
        ENTENTE_TRY(space_->exchange().deliver(self_, asset, version));
        space_->set_content(asset, std::move(bytes));
        return done();
    });
}

void MemoryConnector::catalog(CatalogQuery query, CallOptions options, Completion<Catalog> completion) {
    complete<Catalog>(options, completion, [&] { return Result<Catalog>(space_->exchange().catalog(self_, query, space_->now_ms())); });
}

void MemoryConnector::negotiate(Agreement proposal, CallOptions options, Completion<Agreement> completion) {
    complete<Agreement>(options, completion,
                        [&] { return space_->exchange().negotiate(self_, proposal, space_->now_ms()); });
}

void MemoryConnector::transfer(TransferRequest request, ByteSink& sink, CallOptions options,
                               Completion<Transfer> completion) {
    complete<Transfer>(options, completion, [&]() -> Result<Transfer> {
        ENTENTE_ASSIGN(Transfer transfer, space_->exchange().open(self_, request, space_->now_ms()));
        const auto content = space_->content(request.asset);
        if (!content) return Error{Code::internal, "connector.no-content", request.asset + " has a version but no content"};
        for (std::size_t at = 0; at < content->size(); at += chunk_bytes) {
            if (auto error = dead(options)) return *std::move(error);  // the sink may have cancelled
            const std::size_t n = std::min(chunk_bytes, content->size() - at);
            if (auto stored = sink.append(ByteView(*content).subspan(at, n)); !stored.ok()) {
                ENTENTE_TRY(space_->exchange().conclude(self_, transfer.id,
                                                        {false, stored.error().reason, stored.error().message}));
                return stored.error();
            }
        }
        return transfer;
    });
}

void MemoryConnector::conclude(std::string transfer, Outcome outcome, CallOptions options, Completion<Done> completion) {
    complete<Done>(options, completion, [&]() -> Status {
        ENTENTE_TRY(space_->exchange().conclude(self_, transfer, outcome));
        return done();
    });
}

void MemoryConnector::transfers(std::string asset, CallOptions options, Completion<std::vector<Transfer>> completion) {
    complete<std::vector<Transfer>>(options, completion, [&] { return space_->exchange().transfers(self_, asset); });
}

void MemoryConnector::agreements(std::string asset, CallOptions options,
                                 Completion<std::vector<Agreement>> completion) {
    complete<std::vector<Agreement>>(options, completion, [&] { return space_->exchange().agreements(self_, asset); });
}

void MemoryConnector::withdraw(std::string asset, CallOptions options, Completion<Done> completion) {
    complete<Done>(options, completion, [&] { return space_->exchange().withdraw(self_, asset); });
}

void MemoryConnector::wait(std::uint64_t, CallOptions options, Completion<std::uint64_t> completion) {
    complete<std::uint64_t>(options, completion, [&] { return Result<std::uint64_t>(space_->exchange().cursor()); });
}

}  // namespace entente::memory
