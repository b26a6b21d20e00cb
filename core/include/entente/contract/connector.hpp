// The connector: the only way a model crosses a company's border.
//
//   connector.catalog({.kind = AssetKind::global_model}, options, [](Result<Catalog> result) { ... });
//
// Every call is asynchronous, cancellable and has a deadline, and completes exactly once: with its result, with
// `cancelled` after its token was cancelled, or with `deadline_exceeded`. A completion may run before the call
// returns (memory) or later on the connector's own executor (hub); it must not throw. Completion-based, so that it
// compiles for the browser; `native` adapts it to co_await.
//
// Implementations: memory (both targets), folder and hub; the browser's end of hub is fetch in TypeScript around the
// same core. What is said here is tested for each of them in tests/conformance.
//
// Errors are those of the call's comment, or `unavailable` ("connector.unreachable") when the peer cannot be
// reached: nothing is lost then and the call may be repeated; every call is idempotent.
// Thread-safety: calls on one connector come from one thread or strand.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/sink.hpp"
#include "entente/contract/contract.hpp"

namespace entente::contract {

template <class T>
using Completion = std::function<void(Result<T>)>;

// Cancels every call that it was given to. Copies share one state; cancelling is final and thread-safe.
class CancelToken {
public:
    void cancel() noexcept { state_->store(true, std::memory_order_release); }
    [[nodiscard]] bool cancelled() const noexcept { return state_->load(std::memory_order_acquire); }

private:
    std::shared_ptr<std::atomic<bool>> state_ = std::make_shared<std::atomic<bool>>(false);
};

struct CallOptions {
    std::int64_t timeout_ms = 30'000;  // from the call; 0 or less has already passed
    CancelToken cancel;
};

// Bytes pulled by whoever needs them, so that nothing has to lie in memory whole.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    // Fills at most buffer.size() bytes and returns how many; 0 is the end.
    virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;
    // All of it, where it lies in memory whole: for those who would only copy it. Null elsewhere.
    [[nodiscard]] virtual std::shared_ptr<const Bytes> whole() const { return nullptr; }
};

// Bytes pushed as they arrive. An error from append ends the transfer and becomes its error.
using ByteSink = codec::ContentSink;

enum class AssetKind : std::uint8_t { global_model, update_stream };
constexpr bool is_known(AssetKind kind) { return kind <= AssetKind::update_stream; }

struct Asset {
    std::string id;
    AssetKind kind = AssetKind::update_stream;
    std::string federation;
    std::string provider;

    friend bool operator==(const Asset&, const Asset&) = default;
};

struct CatalogEntry {
    Asset asset;
    SignedOffer offer;
    std::optional<Version> version;  // empty until something was published

    friend bool operator==(const CatalogEntry&, const CatalogEntry&) = default;
};

struct Catalog {
    std::vector<CatalogEntry> entries;
    std::uint64_t cursor = 0;  // for wait(): changes whenever anything that the caller may see changes
};

struct CatalogQuery {
    std::optional<AssetKind> kind;
    std::optional<std::string> asset;
};

struct TransferRequest {
    std::string agreement;
    std::string asset;
    Version version;  // exactly this one; "transfer.superseded" when another has taken its place
};

class Connector {
public:
    virtual ~Connector() = default;

    // Offers `asset` under `offer`. Repeating it with the same offer changes nothing.
    // permission_denied "connector.foreign-asset" for another provider's asset, also one that it has withdrawn.
    virtual void publish(Asset asset, SignedOffer offer, CallOptions options, Completion<Done> completion) = 0;

    // Makes `content` (an envelope) what the asset offers now; replaces the version before it. Durable on success.
    // not_found "connector.no-asset", no_space, too_large; invalid_argument "connector.size" when the content has
    // another size than the version says: the version before stays; permission_denied "policy.denied" from a
    // connector that sees that every agreement over the asset has run out.
    virtual void deliver(std::string asset, Version version, std::shared_ptr<ByteSource> content, CallOptions options,
                         Completion<Done> completion) = 0;

    // What others offer to this participant.
    virtual void catalog(CatalogQuery query, CallOptions options, Completion<Catalog> completion) = 0;

    // Concludes an agreement over an offer from the catalogue, which the caller has accepted and signed.
    // permission_denied with the provider's reason: "policy.*", "contract.*". Repeating it returns the first one.
    virtual void negotiate(Agreement proposal, CallOptions options, Completion<Agreement> completion) = 0;

    // Streams one version under an agreement into `sink`, which must outlive the completion. The bytes are not yet
    // judged: conclude() does that. permission_denied "agreement.*"/"policy.*", conflict "transfer.superseded".
    virtual void transfer(TransferRequest request, ByteSink& sink, CallOptions options,
                          Completion<Transfer> completion) = 0;

    // Ends a transfer with the consumer's verdict. Repeating it changes nothing.
    virtual void conclude(std::string transfer, Outcome outcome, CallOptions options, Completion<Done> completion) = 0;

    // The provider's view: what became of the transfers of its asset, oldest first, at least the latest one of each
    // version. Polling this is the truth about a delivery.
    virtual void transfers(std::string asset, CallOptions options, Completion<std::vector<Transfer>> completion) = 0;

    // Agreements over this provider's asset, as their consumers signed them.
    virtual void agreements(std::string asset, CallOptions options, Completion<std::vector<Agreement>> completion) = 0;

    // Takes an asset out of the catalogue; running transfers end, agreements stay on record. Repeating it changes
    // nothing; not_found "connector.no-asset" for one that was never offered.
    virtual void withdraw(std::string asset, CallOptions options, Completion<Done> completion) = 0;

    // Completes when something the caller may see has changed since `cursor`, or at the deadline with the same
    // cursor (that is no error). A hint only: correctness never depends on it. Where time is simulated (memory) it
    // completes at once.
    virtual void wait(std::uint64_t cursor, CallOptions options, Completion<std::uint64_t> completion) = 0;
};

// A ByteSource over bytes that it owns.
std::shared_ptr<ByteSource> make_source(Bytes bytes);
std::shared_ptr<ByteSource> make_source(std::shared_ptr<const Bytes> bytes);  // shares them

// A ByteSink into memory, with a limit that refuses before it grows: too_large "transfer.too-large".
class BoundedSink final : public ByteSink {
public:
    explicit BoundedSink(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}
    Status append(ByteView bytes) override;
    [[nodiscard]] const Bytes& bytes() const noexcept { return bytes_; }
    Bytes take() noexcept { return std::move(bytes_); }

private:
    std::uint64_t limit_bytes_;
    Bytes bytes_;
};

}  // namespace entente::contract
