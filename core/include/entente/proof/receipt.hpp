// The receipt of a round: which updates, weighed how, under whose decisions, made which model out of which; signed.
//
//   DsseEnvelope signed_receipt = sign(receipt, coordinator_key);
//   ENTENTE_ASSIGN(Receipt read, check_receipt(envelope, coordinator_key.public_key()));
//
// It names nobody. The updates are in it as the RFC 6962 root over their records' leaves in the log (log_entry.hpp), in the
// order of their participants' ids, the policy's decisions about them likewise, in the ledger's order. So an auditor checks
// it against every record, a participant its own update alone, and neither learns more than it may.
//
// The payload is JSON text, always the same for the same receipt. Errors: those of dsse.hpp; invalid_argument
// "receipt.malformed". Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "entente/proof/dsse.hpp"

namespace entente::proof {

inline constexpr const char* receipt_type = "application/vnd.entente.receipt+json";

struct Receipt {
    std::string federation;
    Digest plan;
    std::uint64_t round = 0;
    Digest base_model;              // content digest of the model that the round began with
    std::string rule;               // the strategy's name: "fedavg"
    std::uint64_t updates = 0;      // how many are in
    std::uint64_t weight = 0;       // the sum of theirs
    std::uint64_t population = 0;   // all that had agreed and not left
    Digest updates_root;
    std::uint64_t decisions = 0;
    Digest decisions_root;
    Digest model;                   // content digest of the model that follows

    friend bool operator==(const Receipt&, const Receipt&) = default;
};

std::string payload_of(const Receipt& receipt);
Result<Receipt> receipt_from_payload(ByteView payload);  // accepts exactly what payload_of() writes

DsseEnvelope sign(const Receipt& receipt, const codec::SigningKey& coordinator);
// The envelope again, from its two halves: for who keeps the receipt and its signature.
DsseEnvelope envelope_of(const Receipt& receipt, const codec::PublicKey& coordinator, const codec::Signature& signature);
Result<Receipt> check_receipt(const DsseEnvelope& envelope, const codec::PublicKey& coordinator);

}  // namespace entente::proof
