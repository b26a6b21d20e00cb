#include "entente/proof/dsse.hpp"

#include <algorithm>

#include "entente/base/base64.hpp"
#include "entente/base/json.hpp"
#include "entente/base/json_text.hpp"

namespace entente::proof {
namespace {

constexpr std::size_t most_bytes = 16 * 1024 * 1024;

Error malformed(std::string_view member) {
    return {Code::invalid_argument, "dsse.malformed", "DSSE envelope: expected payloadType, payload and signatures, found no good " + std::string(member)};
}

void append(Bytes& out, std::string_view text) {
    const ByteView bytes = as_bytes(text);
    out.insert(out.end(), bytes.begin(), bytes.end());
}

// The specification lets either alphabet come in.
Result<Bytes> read_base64(const std::string& text) {
    auto plain = from_base64(text);
    return plain.ok() ? plain : from_base64url(text);
}

}  // namespace

Bytes pae(std::string_view type, ByteView payload) {
    Bytes out;
    append(out, "DSSEv1 " + std::to_string(type.size()) + " ");
    append(out, type);
    append(out, " " + std::to_string(payload.size()) + " ");
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
}

DsseEnvelope sign_dsse(std::string_view type, ByteView payload, const codec::SigningKey& key) {
    const codec::Signature signature = key.sign_bare(pae(type, payload));
    return {std::string(type), Bytes(payload.begin(), payload.end()),
            {{codec::to_hex(key.public_key()), Bytes(signature.bytes.begin(), signature.bytes.end())}}};
}

Status check(const DsseEnvelope& envelope, std::string_view type, const codec::PublicKey& key) {
    if (envelope.type != type) {
        return Error{Code::invalid_argument, "dsse.type", "DSSE envelope: expected " + std::string(type) + ", found " + envelope.type.substr(0, 100)};
    }
    const Bytes message = pae(envelope.type, envelope.payload);
    for (const DsseSignature& s : envelope.signatures) {
        codec::Signature signature;
        if (s.signature.size() != signature.bytes.size()) continue;
        std::copy(s.signature.begin(), s.signature.end(), signature.bytes.begin());
        if (codec::verify_bare(key, message, signature)) return done();
    }
    return Error{Code::unauthenticated, "dsse.unsigned", "DSSE envelope: expected a signature of the key " + codec::to_hex(key).substr(0, 8) + "… over what it says, found none"};
}

std::string to_json(const DsseEnvelope& envelope) {
    std::string signatures;
    for (const DsseSignature& s : envelope.signatures) {
        signatures += (signatures.empty() ? "" : ",") + ("{\"keyid\":" + json_text(s.key_id)) + ",\"sig\":" + json_text(to_base64(s.signature)) + "}";
    }
    return "{\"payloadType\":" + json_text(envelope.type) + ",\"payload\":" + json_text(to_base64(envelope.payload)) + ",\"signatures\":[" + signatures + "]}";
}

Result<DsseEnvelope> dsse_from_json(std::string_view json) {
    ENTENTE_ASSIGN(const Json root, read_json(json, {.bytes = most_bytes, .depth = 8}));
    const auto text_of = [](const Json& object, std::string_view name) -> const std::string* {
        const Json* member = object.find(name);
        return member != nullptr && member->kind == Json::Kind::string ? &member->text : nullptr;
    };
    DsseEnvelope envelope;
    const std::string* type = text_of(root, "payloadType");
    if (type == nullptr) return malformed("payloadType");
    envelope.type = *type;
    const std::string* payload = text_of(root, "payload");
    if (payload == nullptr) return malformed("payload");
    auto bytes = read_base64(*payload);
    if (!bytes.ok()) return malformed("payload");
    envelope.payload = std::move(bytes).value();
    const Json* signatures = root.find("signatures");
    if (signatures == nullptr || signatures->kind != Json::Kind::array) return malformed("signatures");
    for (const Json& item : signatures->items) {
        const std::string* sig = text_of(item, "sig");
        auto signature = sig == nullptr ? Result<Bytes>(malformed("sig")) : read_base64(*sig);
        if (!signature.ok()) return malformed("sig");
        const std::string* key_id = text_of(item, "keyid");
        envelope.signatures.push_back({key_id == nullptr ? std::string() : *key_id, std::move(signature).value()});
    }
    return envelope;
}

}  // namespace entente::proof
