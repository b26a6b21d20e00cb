// DSSE v1.0.2 envelopes: bytes and what they are, signed together.
//
//   DsseEnvelope envelope = sign_dsse("application/vnd.entente.receipt+json", payload, key);
//   std::string json = to_json(envelope);
//   ENTENTE_ASSIGN(DsseEnvelope read, dsse_from_json(json));
//   ENTENTE_TRY(check(read, "application/vnd.entente.receipt+json", public_key));
//
// What is signed is PAE(type, payload) = "DSSEv1" SP length(type) SP type SP length(payload) SP payload, lengths in
// decimal. Errors: invalid_argument "dsse.malformed", "dsse.type"; unauthenticated "dsse.unsigned". Plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/sign.hpp"

namespace entente::proof {

struct DsseSignature {
    std::string key_id;  // of ours: the public key in hexadecimal digits; decides nothing
    Bytes signature;

    friend bool operator==(const DsseSignature&, const DsseSignature&) = default;
};

struct DsseEnvelope {
    std::string type;
    Bytes payload;
    std::vector<DsseSignature> signatures;

    friend bool operator==(const DsseEnvelope&, const DsseEnvelope&) = default;
};

Bytes pae(std::string_view type, ByteView payload);

DsseEnvelope sign_dsse(std::string_view type, ByteView payload, const codec::SigningKey& key);
// Is it of this type, and is one of its signatures this key's?
Status check(const DsseEnvelope& envelope, std::string_view type, const codec::PublicKey& key);

std::string to_json(const DsseEnvelope& envelope);
Result<DsseEnvelope> dsse_from_json(std::string_view json);  // at most 16 MiB; members that it does not know are passed over

}  // namespace entente::proof
