// The calls of an Eclipse EDC's Management API, as values: what is to be asked, without asking it. One implementation for
// each of its versions; answers are read the same way for all (answers.hpp).
//
//   std::unique_ptr<ManagementApi> api = make_management_api("v3");
//   Call call = api->create(Asset{.id = "urn:fl:demo:plant-a", .source = "http://127.0.0.1:9000/updates"});
//   // {"POST", "/v3/assets", R"({"@context":…,"@type":"Asset","@id":…})"}
//
// v3 is measured with EDC 0.14.0 and 0.15.1. v4 (EDC from 0.17 on) is experimental: written after its published schemas,
// never run against an EDC. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "entente/base/json.hpp"
#include "entente/policy/policy.hpp"

namespace entente::edc {

struct Call {
    std::string method;
    std::string path;  // below the management address
    std::string body;  // empty, or JSON

    friend bool operator==(const Call&, const Call&) = default;
};

// The other connector of a negotiation or transfer.
struct Peer {
    std::string id;
    std::string address;  // of its Dataspace Protocol, with the version: "https://plant-a.example/protocol/2025-1"
};

struct Asset {
    std::string id;
    std::map<std::string, std::string> properties;  // absolute IRIs; they appear in the catalogue as they are
    std::string source;                             // where EDC's data plane fetches the bytes
    std::string source_type = "HttpData";           // of the data planes that may do so
};

struct PolicyDefinition {
    std::string id;
    policy::Policy policy;
};

struct ContractDefinition {
    std::string id;
    std::string policy;  // who sees the offer, and its terms
    std::string asset;
};

struct TransferWish {
    std::string agreement;               // its local id, not the one on the wire
    std::string format = "HttpData-PULL";
    std::optional<std::string> push_to;  // with "HttpData-PUSH": where EDC's peer posts the bytes
};

// Kinds of things that have an id, as in the paths.
enum class Thing : std::uint8_t { asset, policy, definition, negotiation, agreement, transfer };

class ManagementApi {
public:
    virtual ~ManagementApi() = default;
    [[nodiscard]] virtual std::string_view version() const = 0;
    // v4 has no call for it: a data plane of the consumer's receives the address.
    [[nodiscard]] virtual bool tells_addresses() const = 0;

    [[nodiscard]] Call probe() const;  // harmless, and 2xx where this version is served
    [[nodiscard]] Call create(const Asset& asset) const;
    [[nodiscard]] Call replace(const Asset& asset) const;
    [[nodiscard]] Call create(const PolicyDefinition& definition) const;
    [[nodiscard]] Call create(const ContractDefinition& definition) const;
    [[nodiscard]] Call read(Thing thing, std::string_view id) const;
    [[nodiscard]] Call remove(Thing thing, std::string_view id) const;
    // At most `limit` datasets from `offset` on.
    [[nodiscard]] Call catalogue(const Peer& peer, std::size_t offset, std::size_t limit) const;
    // `offer`: out of the catalogue, unchanged. invalid_argument "json.*".
    [[nodiscard]] Result<Call> negotiate(const Peer& peer, std::string_view offer, const std::string& dataset) const;
    [[nodiscard]] Call transfer(const Peer& peer, const TransferWish& wish) const;
    [[nodiscard]] Call suspend(std::string_view transfer, const std::string& reason) const;
    [[nodiscard]] Call resume(std::string_view transfer) const;
    [[nodiscard]] Call terminate(std::string_view transfer, const std::string& reason) const;
    [[nodiscard]] Call address(std::string_view transfer) const;

protected:
    [[nodiscard]] virtual Json context() const = 0;
    // Put into a policy inside a body; empty where the body's context explains policies too.
    [[nodiscard]] virtual std::string_view policy_context() const = 0;

private:
    [[nodiscard]] Call post(std::string_view path, const Json& body) const;
    [[nodiscard]] Json begin(std::string_view type) const;
    [[nodiscard]] Json begin(std::string_view type, const Peer& peer) const;
    [[nodiscard]] Json asset_json(const Asset& asset) const;
};

// "v3" or "v4"; null for others.
std::unique_ptr<ManagementApi> make_management_api(std::string_view version);

}  // namespace entente::edc
