#include "connectors/hub/hub_client.hpp"

#include <algorithm>
#include <optional>

#include "connectors/hub/hub_space.hpp"

namespace entente::hub {

using namespace contract;

namespace {

constexpr const char* binary = "application/octet-stream";
constexpr std::int64_t longest_wait_ms = 30'000;
constexpr std::int64_t answer_margin_ms = 10'000;  // for the answer of a long poll to travel

// Asset ids are URNs of our own: letters, digits, ':' and '-' need no escaping in a path.
std::string asset_path(const std::string& asset) { return "/api/v1/hub/assets/" + asset; }

HttpRequest post(std::string target, Bytes body) {
    HttpRequest request;
    request.method = "POST";
    request.target = std::move(target);
    request.content_type = binary;
    request.body = std::move(body);
    return request;
}

// A guest network or a proxy answers 200 with a page of its own: that acknowledges nothing.
Status check_kind(const HttpResponse& response) {
    const std::string_view type = response.content_type;
    if (response.status == 204 || type.starts_with(binary) || type.starts_with("application/json")) return done();
    return Error{Code::unavailable, "connector.unexpected-answer",
                 "expected an answer of the coordinator, found HTTP status " + std::to_string(response.status) + " with content of type \"" +
                     response.content_type + "\"; is something in between?"};
}

// Gives exactly as many bytes as were announced, or an error: a peer must never wait for bytes that do not come.
class Announced final : public ByteSource {
public:
    Announced(std::shared_ptr<ByteSource> from, std::uint64_t size_bytes) : from_(std::move(from)), size_bytes_(size_bytes) {}

    Result<std::size_t> read(std::span<std::byte> buffer) override {
        ENTENTE_ASSIGN(const std::size_t n, from_->read(buffer));
        total_ += n;
        if (total_ <= size_bytes_ && (n > 0 || total_ == size_bytes_)) return n;
        return Error{Code::invalid_argument, "connector.size",
                     "deliver: expected " + std::to_string(size_bytes_) + " bytes, found " + (n == 0 ? std::to_string(total_) : "more")};
    }

private:
    std::shared_ptr<ByteSource> from_;
    std::uint64_t size_bytes_;
    std::uint64_t total_ = 0;
};

// Passes bytes on and remembers whether it was the sink that refused.
class Watched final : public ByteSink {
public:
    explicit Watched(ByteSink& to) : to_(to) {}
    Status append(ByteView piece) override {
        Status stored = to_.append(piece);
        if (!stored.ok()) refusal = stored.error();
        return stored;
    }
    std::optional<Error> refusal;

private:
    ByteSink& to_;
};

}  // namespace

Result<Bytes> HubClient::ask(HttpRequest request, const CallOptions& options, ByteSink* sink) {
    ENTENTE_TRY(may_start(options));
    ENTENTE_ASSIGN(HttpResponse response, http_->send(request, sink, options));
    ENTENTE_TRY(error_of(response));
    ENTENTE_TRY(check_kind(response));
    return std::move(response.body);
}

Result<HubView> HubClient::watch(std::uint64_t cursor, std::int64_t wait_ms, const CallOptions& options) {
    HttpRequest request;
    request.target = "/api/v1/hub/view?cursor=" + std::to_string(cursor) +
                     "&wait_ms=" + std::to_string(std::clamp<std::int64_t>(wait_ms, 0, longest_wait_ms));
    ENTENTE_ASSIGN(const Bytes body, ask(std::move(request), options));
    return decode_hub_view(body);
}

void HubClient::publish(Asset asset, SignedOffer offer, CallOptions options, Completion<Done> completion) {
    HttpRequest request = post(asset_path(asset.id), encode(Publication{asset, std::move(offer)}));
    request.method = "PUT";
    auto answer = ask(std::move(request), options);
    completion(answer.ok() ? done() : Status(answer.error()));
}

void HubClient::deliver(std::string asset, Version version, std::shared_ptr<ByteSource> content, CallOptions options,
                        Completion<Done> completion) {
    HttpRequest request;
    request.method = "PUT";
    request.target = asset_path(asset) + "/content?round=" + std::to_string(version.round) + "&content=" + to_hex(version.content);
    request.content_type = binary;
    request.content = std::make_shared<Announced>(std::move(content), version.size_bytes);
    request.content_bytes = version.size_bytes;
    auto answer = ask(std::move(request), options);
    completion(answer.ok() ? done() : Status(answer.error()));
}

void HubClient::catalog(CatalogQuery query, CallOptions options, Completion<Catalog> completion) {
    auto view = watch(0, 0, options);
    if (!view.ok()) return completion(view.error());
    Catalog found;
    found.cursor = view->catalog.cursor;
    for (CatalogEntry& entry : view->catalog.entries) {
        if (query.kind && entry.asset.kind != *query.kind) continue;
        if (query.asset && entry.asset.id != *query.asset) continue;
        found.entries.push_back(std::move(entry));
    }
    completion(std::move(found));
}

void HubClient::negotiate(Agreement proposal, CallOptions options, Completion<Agreement> completion) {
    auto answer = ask(post("/api/v1/hub/agreements", encode(proposal)), options);
    completion(answer.ok() ? decode_agreement(*answer) : Result<Agreement>(answer.error()));
}

void HubClient::transfer(TransferRequest wanted, ByteSink& sink, CallOptions options, Completion<Transfer> completion) {
    auto opened = ask(post("/api/v1/hub/transfers", encode(wanted)), options);
    if (!opened.ok()) return completion(opened.error());
    auto transfer = decode_transfer(*opened);
    if (!transfer.ok()) return completion(transfer.error());
    HttpRequest request;
    request.target = "/api/v1/hub/transfers/" + transfer->id + "/content";
    Watched watched(sink);
    auto content = ask(std::move(request), options, &watched);
    if (watched.refusal) {
        // The provider reads why; a lost word is no harm, the transfer ends with the next version.
        const Outcome outcome{false, watched.refusal->reason, watched.refusal->message};
        static_cast<void>(ask(post("/api/v1/hub/transfers/" + transfer->id + "/outcome", encode(outcome)), options));
    }
    if (!content.ok()) return completion(content.error());
    completion(std::move(transfer));
}

void HubClient::conclude(std::string transfer, Outcome outcome, CallOptions options, Completion<Done> completion) {
    auto answer = ask(post("/api/v1/hub/transfers/" + transfer + "/outcome", encode(outcome)), options);
    completion(answer.ok() ? done() : Status(answer.error()));
}

void HubClient::transfers(std::string asset, CallOptions options, Completion<std::vector<Transfer>> completion) {
    auto view = watch(0, 0, options);
    if (!view.ok()) return completion(view.error());
    std::vector<Transfer> found;
    std::copy_if(view->own_transfers.begin(), view->own_transfers.end(), std::back_inserter(found),
                 [&asset](const Transfer& t) { return t.asset == asset; });
    completion(std::move(found));
}

void HubClient::agreements(std::string asset, CallOptions options, Completion<std::vector<Agreement>> completion) {
    auto view = watch(0, 0, options);
    if (!view.ok()) return completion(view.error());
    std::vector<Agreement> found;
    std::copy_if(view->own_agreements.begin(), view->own_agreements.end(), std::back_inserter(found),
                 [&asset](const Agreement& a) { return a.offer.offer.asset == asset; });
    completion(std::move(found));
}

void HubClient::withdraw(std::string asset, CallOptions options, Completion<Done> completion) {
    HttpRequest request;
    request.method = "DELETE";
    request.target = asset_path(asset);
    auto answer = ask(std::move(request), options);
    completion(answer.ok() ? done() : Status(answer.error()));
}

void HubClient::wait(std::uint64_t cursor, CallOptions options, Completion<std::uint64_t> completion) {
    CallOptions with_margin = options;
    with_margin.timeout_ms = options.timeout_ms > 0 ? options.timeout_ms + answer_margin_ms : options.timeout_ms;
    auto view = watch(cursor, options.timeout_ms, with_margin);
    if (!view.ok()) return completion(view.error());
    completion(view->catalog.cursor);
}

}  // namespace entente::hub
