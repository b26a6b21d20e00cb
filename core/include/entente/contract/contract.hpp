// Asset, offer, agreement and transfer: what the data space speaks of, and the states they go through.
//
// One agreement per direction and participant: the participant's update stream (provider: participant) and the
// global model (provider: coordinator). All rounds run under these two; each exchange is one transfer.
//
//   SignedOffer offer = sign(Offer{...}, partner_key);
//   Agreement agreement = conclude(offer, {.accepted_by = "Ada Novak", .agreed_at_ms = now}, coordinator_key).value();
//   if (auto ok = verify(agreement, {partner_public, coordinator_public}); !ok) ...
//
// An agreement bears two signatures: the assigner's over the offer and the assignee's over the acceptance. Neither
// side can later show other terms. Plain values; thread-safe like any other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/codec/sign.hpp"
#include "entente/policy/policy.hpp"

namespace entente::contract {

// Our own identifiers: 1 to 64 of [a-z0-9-], neither first nor last a hyphen. "contract.bad-id" otherwise.
Status check_id(std::string_view id);

std::string update_stream_asset(std::string_view federation, std::string_view participant);  // urn:fl:<f>:<p>:updates
std::string global_model_asset(std::string_view federation);                                 // urn:fl:<f>:global

// What an asset offers at the moment, visible in the catalogue without a transfer.
struct Version {
    std::uint64_t round = 0;
    Digest content;                // Merkle root of the canonical content
    std::uint64_t size_bytes = 0;  // of the envelope on the wire
    // A global model: the largest lot (plan::lot_of) that its round asks. All bits set: everybody; 0: nobody, it is the
    // final one.
    std::uint32_t lots = 0xffff'ffff;

    // The round that an agreement's terms count it under: a final model begins none of its own, it came of the one before.
    [[nodiscard]] std::uint64_t contract_round() const noexcept { return lots == 0 && round > 0 ? round - 1 : round; }

    friend bool operator==(const Version&, const Version&) = default;
};

struct Offer {
    std::string id;
    std::string asset;
    std::string assigner;  // provider
    std::string assignee;  // the consumer it is meant for
    policy::Policy policy;

    friend bool operator==(const Offer&, const Offer&) = default;
};

struct SignedOffer {
    Offer offer;
    codec::PublicKey assigner_key;
    codec::Signature assigner_signature;

    friend bool operator==(const SignedOffer&, const SignedOffer&) = default;
};

struct Acceptance {
    std::string accepted_by;        // the person or service that accepted
    std::int64_t agreed_at_ms = 0;  // since 1970-01-01T00:00Z

    friend bool operator==(const Acceptance&, const Acceptance&) = default;
};

struct Agreement {
    std::string id;  // "agr-" and 24 hexadecimal digits of the digest of everything below
    SignedOffer offer;
    Acceptance acceptance;
    codec::PublicKey assignee_key;
    codec::Signature assignee_signature;

    friend bool operator==(const Agreement&, const Agreement&) = default;
};

SignedOffer sign(Offer offer, const codec::SigningKey& assigner);
// "contract.bad-signature"
Status verify(const SignedOffer& offer);
// Verifies the offer, then signs its acceptance. Whether the terms are acceptable is the caller's question to policy.
Result<Agreement> conclude(const SignedOffer& offer, Acceptance acceptance, const codec::SigningKey& assignee);

struct Parties {
    codec::PublicKey assigner;
    codec::PublicKey assignee;
};
// Both signatures, both keys and the id. "contract.bad-signature", "contract.foreign-key", "contract.bad-id".
Status verify(const Agreement& agreement, const Parties& parties);

// States of the Dataspace Protocol 2025-1 (sections 4 and 6 of the handbook's chapter): one table each, total.
enum class NegotiationState : std::uint8_t { requested, offered, accepted, agreed, verified, finalized, terminated };
constexpr bool is_known(NegotiationState state) { return state <= NegotiationState::terminated; }

enum class TransferState : std::uint8_t { requested, started, suspended, completed, terminated };
constexpr bool is_known(TransferState state) { return state <= TransferState::terminated; }
enum class TransferMessage : std::uint8_t { start, suspend, complete, terminate };
// "contract.bad-transition" for a message that the state does not allow.
Result<TransferState> advance(TransferState state, TransferMessage message);

std::string_view to_string(NegotiationState state) noexcept;
std::string_view to_string(TransferState state) noexcept;

// One exchange under an agreement. The consumer's outcome travels back with its end, so that the provider reads
// why an update was refused.
struct Transfer {
    std::string id;
    std::string agreement;
    std::string asset;
    Version version;
    TransferState state = TransferState::requested;
    std::string code;      // terminated: the stable reason
    std::string sentence;  // terminated: for a person

    friend bool operator==(const Transfer&, const Transfer&) = default;
};

// The outcome that a consumer reports when it has looked at what it received.
struct Outcome {
    bool accepted = false;
    std::string code;
    std::string sentence;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

}  // namespace entente::contract
