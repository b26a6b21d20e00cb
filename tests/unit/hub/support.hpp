// One federation with a coordinator and two partners; storage and clock of the test's own.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <optional>
#include <string>

#include "connectors/hub/hub_space.hpp"

namespace hub_test {

using namespace entente;
using namespace entente::contract;

inline constexpr std::int64_t start_ms = 1'800'000'000'000;

inline codec::SigningKey key(std::string_view name) {
    std::array<std::byte, codec::SigningKey::seed_bytes> seed{};
    for (std::size_t i = 0; i < name.size() && i < seed.size(); ++i) seed[i] = static_cast<std::byte>(name[i]);
    return codec::SigningKey{std::span<const std::byte, codec::SigningKey::seed_bytes>(seed)};
}

inline Bytes bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

inline Asset asset_of(const std::string& who) { return {update_stream_asset("demo", who), AssetKind::update_stream, "demo", who}; }

inline SignedOffer offer_of(const std::string& who) {
    return sign({"offer:" + who, update_stream_asset("demo", who), who, "coordinator", policy::federation_policy({})}, key(who));
}

// In memory; fails when told to.
struct FakeStorage final : hub::Storage {
    std::map<std::string, Bytes> contents;
    std::optional<Error> refuse_keep;
    std::optional<Error> refuse_save;
    int saves = 0;
    int urgent_saves = 0;
    Bytes saved;

    Result<std::shared_ptr<ByteSource>> open(const std::string& asset, const Version&) override {
        const auto it = contents.find(asset);
        if (it == contents.end()) return Error{Code::not_found, "connector.no-content", asset};
        return make_source(it->second);
    }
    Status keep(const std::string& asset, const Version&, ByteSource& content) override {
        if (refuse_keep) return *refuse_keep;
        Bytes all;
        std::array<std::byte, 100> piece{};
        for (;;) {
            ENTENTE_ASSIGN(const std::size_t n, content.read(piece));
            if (n == 0) break;
            all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
        }
        contents[asset] = std::move(all);
        return done();
    }
    Status save(const Exchange& exchange, bool urgent) override {
        if (refuse_save) return *refuse_save;
        ++saves;
        urgent_saves += urgent ? 1 : 0;
        saved = exchange.serialize();
        return done();
    }
};

struct World {
    FakeStorage storage;
    std::int64_t now_ms = start_ms;
    hub::HubSpace space{"demo", Exchange("demo"), storage, [this] { return now_ms; }};
    hub::HubSide coordinator{space, "coordinator"};
    hub::HubSide a{space, "plant-a"};
    hub::HubSide b{space, "plant-b"};

    World() {
        for (const char* who : {"coordinator", "plant-a", "plant-b"}) REQUIRE(space.admit(who, key(who).public_key()).ok());
        REQUIRE(space.publish("plant-a", asset_of("plant-a"), offer_of("plant-a")).ok());
    }
    Agreement agree() {
        const CatalogEntry entry = space.view("coordinator").catalog.entries.at(0);
        return space.negotiate("coordinator", conclude(entry.offer, {"op", now_ms}, key("coordinator")).value()).value();
    }
    void deliver(std::uint64_t round, const std::string& text) {
        const Version version{round, {}, text.size()};
        storage.contents[asset_of("plant-a").id] = bytes_of(text);
        REQUIRE(space.delivered("plant-a", asset_of("plant-a").id, version).ok());
    }
    TransferRequest request(const Agreement& agreement) {
        return {agreement.id, asset_of("plant-a").id, *space.exchange().current(asset_of("plant-a").id)};
    }
};

// What a completion was called with, and how often.
template <class T>
struct Called {
    int times = 0;
    std::optional<Result<T>> with;

    Completion<T> completion() {
        return [this](Result<T> result) {
            ++times;
            with.emplace(std::move(result));
        };
    }
    [[nodiscard]] std::string reason() const {
        if (times != 1) return "called " + std::to_string(times) + " times";
        return with->ok() ? "ok" : with->error().reason;
    }
};

}  // namespace hub_test
