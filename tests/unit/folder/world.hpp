// A folder in a temporary directory, and connectors in it that can be stopped at any step of a write.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "connectors/folder/folder_connector.hpp"
#include "entente/codec/sha256.hpp"

namespace folder_test {

using namespace entente;
using namespace entente::contract;
using folder::FolderConnector;
namespace fs = std::filesystem;

inline constexpr const char* a = "plant-a";
inline constexpr const char* b = "plant-b";

inline codec::SigningKey key_of(const std::string& id) {
    const Digest seed = codec::sha256(as_bytes("folder test " + id));
    return codec::SigningKey(std::span<const std::byte, 32>(seed.bytes));
}

class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "entente-folder-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        root = name;
    }
    Folder(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }

    // A new process of `id`, which knows `peers`.
    std::unique_ptr<FolderConnector> start(const std::string& id, const std::vector<std::string>& peers, folder::CrashHook crash = {}) {
        auto shelf = folder::Shelf::open({.root = root.string(), .federation = "demo", .self = id, .key = key_of(id),
                                          .now_ms = [this] { return now_ms; }, .crash = std::move(crash)});
        REQUIRE_MESSAGE(shelf.ok(), (shelf.ok() ? "" : shelf.error().message));
        for (const std::string& peer : peers) REQUIRE(shelf->admit(peer, key_of(peer).public_key()).ok());
        return std::make_unique<FolderConnector>(std::move(shelf).value());
    }

    [[nodiscard]] std::string read(const fs::path& file) const {
        std::ifstream in(root / file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void write(const fs::path& file, const std::string& bytes) const {
        std::ofstream(root / file, std::ios::binary | std::ios::trunc) << bytes;
    }
    // The one content file that a participant offers.
    [[nodiscard]] fs::path content_of(const std::string& id) const {
        for (const auto& entry : fs::directory_iterator(root / id / "content")) return fs::path(id) / "content" / entry.path().filename();
        return {};
    }

    fs::path root;
    std::int64_t now_ms = 1'800'000'000'000;
};

inline CallOptions soon() { return {}; }

// The answer, if it came at once. It may still come later: the completion owns where it goes.
template <class T, class Begin>
Result<T> ask(Begin&& begin) {
    const auto result = std::make_shared<std::optional<Result<T>>>();
    begin([result](Result<T> r) { result->emplace(std::move(r)); });
    return *result ? std::move(**result) : Result<T>(Error{Code::internal, "test.pending", "not completed yet"});
}

inline Asset asset_of(const std::string& id) { return {update_stream_asset("demo", id), AssetKind::update_stream, "demo", id}; }
inline SignedOffer offer_of(const std::string& id, const std::string& to) {
    return sign({"offer:" + id, update_stream_asset("demo", id), id, to, policy::federation_policy({})}, key_of(id));
}
inline Bytes bytes_of(std::size_t n, std::uint8_t seed) {
    Bytes bytes(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(seed + 7 * i);
    return bytes;
}
inline Version version_of(std::uint64_t round, const Bytes& bytes) { return {round, codec::sha256(bytes), bytes.size()}; }

inline Status publish(FolderConnector& x, const std::string& id, const std::string& to) {
    return ask<Done>([&](auto end) { x.publish(asset_of(id), offer_of(id, to), soon(), end); });
}
inline Status deliver(FolderConnector& x, const std::string& id, std::uint64_t round, const Bytes& bytes) {
    return ask<Done>([&](auto end) { x.deliver(asset_of(id).id, version_of(round, bytes), make_source(bytes), soon(), end); });
}
inline Result<Catalog> catalog(FolderConnector& x) {
    return ask<Catalog>([&](auto end) { x.catalog({}, soon(), end); });
}
inline Result<Agreement> negotiate(FolderConnector& x, const Agreement& proposal) {
    return ask<Agreement>([&](auto end) { x.negotiate(proposal, soon(), end); });
}
inline Result<Transfer> fetch(FolderConnector& x, const std::string& agreement, const std::string& provider, const Version& version, Bytes& into) {
    BoundedSink sink(64 * 1024 * 1024);
    auto transfer = ask<Transfer>([&](auto end) { x.transfer({agreement, asset_of(provider).id, version}, sink, soon(), end); });
    into = sink.take();
    return transfer;
}
inline Status verdict(FolderConnector& x, const std::string& transfer, const Outcome& outcome) {
    return ask<Done>([&](auto end) { x.conclude(transfer, outcome, soon(), end); });
}
inline std::vector<Transfer> transfers(FolderConnector& x, const std::string& id) {
    return ask<std::vector<Transfer>>([&](auto end) { x.transfers(asset_of(id).id, soon(), end); }).value();
}
inline bool complains(const FolderConnector& x, const std::string& path, const std::string& reason) {
    for (const auto& p : x.problems()) {
        if (p.path == path && p.reason == reason) return true;
    }
    for (const auto& p : x.problems()) MESSAGE(p.path << ": " << p.reason << ": " << p.sentence);
    return false;
}

}  // namespace folder_test
