#include "entente/proof/receipt.hpp"

#include <algorithm>

#include "entente/base/json.hpp"
#include "entente/base/json_text.hpp"

namespace entente::proof {
namespace {

constexpr std::size_t most_bytes = 4 * 1024;

// What the payload says, in its order; reading and writing go through this one list.
template <class R, class Visitor>
void each_member(R& receipt, Visitor&& visit) {
    visit("federation", receipt.federation);
    visit("plan", receipt.plan);
    visit("round", receipt.round);
    visit("baseModel", receipt.base_model);
    visit("rule", receipt.rule);
    visit("updates", receipt.updates);
    visit("weight", receipt.weight);
    visit("population", receipt.population);
    visit("updatesRoot", receipt.updates_root);
    visit("decisions", receipt.decisions);
    visit("decisionsRoot", receipt.decisions_root);
    visit("model", receipt.model);
}

struct Writer {
    std::string out;
    void member(const char* name, const std::string& value) { out += (out.empty() ? "" : ",") + json_text(name) + ":" + value; }
    void operator()(const char* name, const std::string& value) { member(name, json_text(value)); }
    void operator()(const char* name, const Digest& value) { member(name, "\"" + to_hex(value) + "\""); }
    void operator()(const char* name, std::uint64_t value) { member(name, std::to_string(value)); }
};

struct Reader {
    const Json& object;
    bool good = true;

    const std::string* take(const char* name, Json::Kind kind) {
        const Json* member = object.find(name);
        if (member != nullptr && member->kind == kind) return &member->text;
        good = false;
        return nullptr;
    }
    void operator()(const char* name, std::string& value) {
        if (const std::string* text = take(name, Json::Kind::string)) value = *text;
    }
    void operator()(const char* name, Digest& value) {
        const std::string* text = take(name, Json::Kind::string);
        if (text == nullptr) return;
        const auto digest = digest_from_hex(*text);
        if (digest.ok()) {
            value = *digest;
        } else {
            good = false;
        }
    }
    void operator()(const char* name, std::uint64_t& value) {
        const std::string* text = take(name, Json::Kind::number);
        if (text == nullptr) return;
        good = good && text->size() <= 19 && std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '9'; });
        value = 0;
        for (std::size_t i = 0; good && i < text->size(); ++i) value = 10 * value + static_cast<std::uint64_t>((*text)[i] - '0');
    }
};

}  // namespace

std::string payload_of(const Receipt& receipt) {
    Writer writer;
    each_member(receipt, writer);
    return "{" + writer.out + "}";
}

Result<Receipt> receipt_from_payload(ByteView payload) {
    const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
    ENTENTE_ASSIGN(const Json object, read_json(text, {.bytes = most_bytes, .depth = 2}));
    Receipt receipt;
    Reader reader{object};
    each_member(receipt, reader);
    if (reader.good && payload_of(receipt) == text) return receipt;
    return Error{Code::invalid_argument, "receipt.malformed", "receipt: expected the members of a receipt in their order, found something else"};
}

DsseEnvelope sign(const Receipt& receipt, const codec::SigningKey& coordinator) {
    return sign_dsse(receipt_type, as_bytes(std::string_view(payload_of(receipt))), coordinator);
}

DsseEnvelope envelope_of(const Receipt& receipt, const codec::PublicKey& coordinator, const codec::Signature& signature) {
    const std::string payload = payload_of(receipt);
    const ByteView bytes = as_bytes(std::string_view(payload));
    return {receipt_type, Bytes(bytes.begin(), bytes.end()),
            {{codec::to_hex(coordinator), Bytes(signature.bytes.begin(), signature.bytes.end())}}};
}

Result<Receipt> check_receipt(const DsseEnvelope& envelope, const codec::PublicKey& coordinator) {
    ENTENTE_TRY(check(envelope, receipt_type, coordinator));
    return receipt_from_payload(envelope.payload);
}

}  // namespace entente::proof
