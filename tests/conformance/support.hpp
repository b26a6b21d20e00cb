// Every call of the interface as one line, and bytes to send through it.
#pragma once

#include <algorithm>

#include "conformance/space.hpp"

namespace conformance {

inline CallOptions within(std::int64_t ms = 30'000) {
    CallOptions options;
    options.timeout_ms = ms;
    return options;
}

// Bytes that are made while they are read, so that nothing large lies in memory.
class Stream final : public ByteSource {
public:
    Stream(std::uint64_t size, std::uint8_t seed) : left_(size), next_(seed) {}
    Result<std::size_t> read(std::span<std::byte> buffer) override {
        largest_piece = std::max(largest_piece, buffer.size());
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
        for (std::size_t i = 0; i < n; ++i) buffer[i] = static_cast<std::byte>(next_++ * 31u);
        left_ -= n;
        return n;
    }
    std::size_t largest_piece = 0;

private:
    std::uint64_t left_;
    std::uint8_t next_;
};

// Hashes and counts, keeps nothing; may refuse or call back at the first piece.
class Counter final : public ByteSink {
public:
    Status append(ByteView piece) override {
        if (refuse_at && bytes + piece.size() > *refuse_at) return Error{Code::too_large, "test.sink", "the sink has had enough"};
        if (on_piece) on_piece();
        bytes += piece.size();
        largest_piece = std::max(largest_piece, piece.size());
        hash_.update(piece);
        return done();
    }
    Digest digest() { return hash_.finish(); }
    std::uint64_t bytes = 0;
    std::size_t largest_piece = 0;
    std::optional<std::uint64_t> refuse_at;
    std::function<void()> on_piece;

private:
    codec::Sha256 hash_;
};

struct Content {
    std::uint64_t size = 0;
    std::uint8_t seed = 0;

    [[nodiscard]] std::shared_ptr<Stream> source() const { return std::make_shared<Stream>(size, seed); }
    [[nodiscard]] Digest digest() const {
        Counter sink;
        std::vector<std::byte> buffer(4096);
        Stream stream(size, seed);
        for (std::size_t n = 0; (n = stream.read(buffer).value()) > 0;) REQUIRE(sink.append(ByteView(buffer).first(n)).ok());
        return sink.digest();
    }
    [[nodiscard]] Version version(std::uint64_t round) const {
        std::array<std::byte, 9> text{};
        for (std::size_t i = 0; i < 8; ++i) text[i] = static_cast<std::byte>(size >> (8 * i));
        text[8] = static_cast<std::byte>(seed);
        return {round, codec::sha256(text), size};
    }
};

// The space, and what its participants do in most cases.
class Stage {
public:
    Stage() : space(make_space()) {}

    [[nodiscard]] std::string stream_of(const std::string& id) const { return update_stream_asset(space->federation(), id); }
    [[nodiscard]] Asset asset_of(const std::string& id) const {
        return {stream_of(id), AssetKind::update_stream, space->federation(), id};
    }
    SignedOffer offer_of(const std::string& id, const std::string& to, std::vector<policy::Constraint> terms = {}) {
        return sign({"offer:" + id + ":" + to, stream_of(id), id, to, policy::federation_policy(std::move(terms))}, space->key(id));
    }

    Status publish(const std::string& id, Asset asset, SignedOffer offer, CallOptions o = within()) {
        return ask<Done>(*space, id, [=](Connector& x, auto end) { x.publish(asset, offer, o, end); });
    }
    Status deliver(const std::string& id, const std::string& asset, Version version, std::shared_ptr<ByteSource> content, CallOptions o = within()) {
        return ask<Done>(*space, id, [=](Connector& x, auto end) { x.deliver(asset, version, content, o, end); });
    }
    Status deliver(const std::string& id, const Content& content, std::uint64_t round) {
        return deliver(id, stream_of(id), content.version(round), content.source());
    }
    Result<Catalog> catalog(const std::string& id, CatalogQuery query = {}, CallOptions o = within()) {
        return ask<Catalog>(*space, id, [=](Connector& x, auto end) { x.catalog(query, o, end); });
    }
    // What `id` sees of plant-a's stream, if anything.
    std::optional<CatalogEntry> seen_by(const std::string& id) {
        const auto found = catalog(id, {.kind = {}, .asset = stream_of(a)});
        REQUIRE(found.ok());
        REQUIRE(found->entries.size() <= 1);
        return found->entries.empty() ? std::nullopt : std::optional(found->entries[0]);
    }
    Agreement proposal(const std::string& id, const SignedOffer& offer, std::int64_t later_ms = 0) {
        return conclude(offer, {"Ada Novak", space->now_ms() + later_ms}, space->key(id)).value();
    }
    Result<Agreement> negotiate(const std::string& id, Agreement proposed, CallOptions o = within()) {
        return ask<Agreement>(*space, id, [=](Connector& x, auto end) { x.negotiate(proposed, o, end); });
    }
    Result<Transfer> transfer(const std::string& id, TransferRequest request, ByteSink& sink, CallOptions o = within()) {
        return ask<Transfer>(*space, id, [=, &sink](Connector& x, auto end) { x.transfer(request, sink, o, end); });
    }
    Status conclude_transfer(const std::string& id, const std::string& which, Outcome outcome, CallOptions o = within()) {
        return ask<Done>(*space, id, [=](Connector& x, auto end) { x.conclude(which, outcome, o, end); });
    }
    Result<std::vector<Transfer>> transfers(const std::string& id, const std::string& asset, CallOptions o = within()) {
        return ask<std::vector<Transfer>>(*space, id, [=](Connector& x, auto end) { x.transfers(asset, o, end); });
    }
    Result<std::vector<Agreement>> agreements(const std::string& id, const std::string& asset, CallOptions o = within()) {
        return ask<std::vector<Agreement>>(*space, id, [=](Connector& x, auto end) { x.agreements(asset, o, end); });
    }
    Status withdraw(const std::string& id, const std::string& asset, CallOptions o = within()) {
        return ask<Done>(*space, id, [=](Connector& x, auto end) { x.withdraw(asset, o, end); });
    }
    Result<std::uint64_t> wait(const std::string& id, std::uint64_t cursor, CallOptions o) {
        return ask<std::uint64_t>(*space, id, [=](Connector& x, auto end) { x.wait(cursor, o, end); });
    }

    // plant-a offers to plant-b, plant-b accepts.
    void offer(std::vector<policy::Constraint> terms = {}) {
        offered = offer_of(a, b, std::move(terms));
        REQUIRE(publish(a, asset_of(a), offered).ok());
    }
    void agree(std::vector<policy::Constraint> terms = {}) {
        offer(std::move(terms));
        auto concluded = negotiate(b, proposal(b, offered));
        REQUIRE_MESSAGE(concluded.ok(), (concluded.ok() ? "" : concluded.error().message));
        agreement = *concluded;
    }
    TransferRequest request(const Version& version) const { return {agreement.id, stream_of(a), version}; }

    std::unique_ptr<Space> space;
    SignedOffer offered;
    Agreement agreement;
};

template <class T>
bool refused(const Result<T>& result, Code code, std::string_view reason) {
    if (!result.ok() && result.error().code == code && result.error().reason.starts_with(reason)) return true;
    MESSAGE("expected " << std::string(to_string(code)) << " " << std::string(reason) << ", found "
                        << (result.ok() ? std::string("no error") : std::string(to_string(result.error().code)) + " " + result.error().reason + ": " + result.error().message));
    return false;
}

}  // namespace conformance
