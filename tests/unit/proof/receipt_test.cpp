#include "entente/proof/receipt.hpp"

#include <doctest/doctest.h>

#include "entente/proof/log_entry.hpp"
#include "golden/proof_golden.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::proof;
using namespace entente::proof::test;

namespace {

Receipt example() {
    return {"bearings", codec::sha256(as_bytes("plan")), 7, codec::sha256(as_bytes("base")), "fedavg", 3, 4200, 5,
            codec::sha256(as_bytes("updates")), 6, codec::sha256(as_bytes("decisions")), codec::sha256(as_bytes("model"))};
}

}  // namespace

TEST_CASE("DSSE: the encoding that is signed is the specification's, the signature another implementation's") {
    const ByteView body = as_bytes(std::string_view("hello world"));
    const Bytes encoded = pae("http://example.com/HelloWorld", body);
    const ByteView expected = as_bytes(std::string_view("DSSEv1 29 http://example.com/HelloWorld 11 hello world"));
    CHECK(encoded == Bytes(expected.begin(), expected.end()));
    const DsseEnvelope envelope = sign_dsse("http://example.com/HelloWorld", body, golden_key());
    CHECK(to_hex(envelope.signatures.at(0).signature) == golden::dsse_signature);
    const std::string json = to_json(envelope);
    CHECK(json.starts_with("{\"payloadType\":\"http://example.com/HelloWorld\",\"payload\":\"aGVsbG8gd29ybGQ=\",\"signatures\":[{\"keyid\":\"03a107"));
    const DsseEnvelope read = dsse_from_json(json).value();
    CHECK(read == envelope);
    CHECK(check(read, "http://example.com/HelloWorld", golden_key().public_key()).ok());
    CHECK(check(read, "text/plain", golden_key().public_key()).error().reason == "dsse.type");
    CHECK(check(read, "http://example.com/HelloWorld", key_of(1).public_key()).error().reason == "dsse.unsigned");
    DsseEnvelope retyped = read;
    retyped.type = "http://example.com/HelloWorle";
    CHECK(check(retyped, retyped.type, golden_key().public_key()).error().reason == "dsse.unsigned");
}

TEST_CASE("DSSE: what is no envelope is refused") {
    for (const char* text : {"", "[]", "{}", R"({"payloadType":1,"payload":"","signatures":[]})", R"({"payloadType":"a","payload":"*","signatures":[]})",
                             R"({"payloadType":"a","payload":"","signatures":{}})", R"({"payloadType":"a","payload":"","signatures":[{}]})",
                             R"({"payloadType":"a","payload":"","signatures":[{"sig":3}]})"}) {
        CAPTURE(text);
        CHECK_FALSE(dsse_from_json(text).ok());
    }
    CHECK(dsse_from_json(R"({"payloadType":"a","payload":"-_8","signatures":[{"sig":"AAAA"}],"more":1})").value().payload.size() == 2);
}

TEST_CASE("a receipt says the same text each time, and reading takes nothing else") {
    const std::string text = payload_of(example());
    CHECK(text.starts_with("{\"federation\":\"bearings\",\"plan\":\""));
    CHECK(text.ends_with("}"));
    CHECK(receipt_from_payload(as_bytes(std::string_view(text))).value() == example());
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string bad = text;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        const auto read = receipt_from_payload(as_bytes(std::string_view(bad)));
        CHECK_FALSE((read.ok() && *read == example()));
    }
    for (std::string bad : {text + " ", " " + text, text.substr(0, text.size() - 1) + ",\"x\":1}", std::string("{}"), std::string(5000, 'x')}) {
        CHECK_FALSE(receipt_from_payload(as_bytes(std::string_view(bad))).ok());
    }
}

TEST_CASE("a receipt is the coordinator's, or none") {
    const codec::SigningKey key = golden_key();
    const DsseEnvelope envelope = sign(example(), key);
    CHECK(check_receipt(envelope, key.public_key()).value() == example());
    CHECK_FALSE(check_receipt(envelope, key_of(1).public_key()).ok());
    codec::Signature signature;
    std::copy(envelope.signatures[0].signature.begin(), envelope.signatures[0].signature.end(), signature.bytes.begin());
    CHECK(envelope_of(example(), key.public_key(), signature) == envelope);
    Receipt other = example();
    other.weight += 1;
    CHECK(check_receipt(envelope_of(other, key.public_key(), signature), key.public_key()).error().reason == "dsse.unsigned");
}

TEST_CASE("a leaf of the log tells nothing of its record without the coordinator's blinding, and fits no other record") {
    const codec::SigningKey key = golden_key();
    const Digest record = codec::sha256(as_bytes("record"));
    const LogEntry entry = Blinder::of(key, "bearings").entry_of(record);
    CHECK(entry.record == record);
    CHECK(entry == Blinder::of(key, "bearings").entry_of(record));  // again after a restart
    CHECK(entry.blinding != Blinder::of(key, "other").entry_of(record).blinding);
    CHECK(entry.blinding != Blinder::of(key_of(1), "bearings").entry_of(record).blinding);
    CHECK(entry.blinding != Blinder::of(key, "bearings").entry_of(codec::sha256(as_bytes("another"))).blinding);
    CHECK(leaf_of(entry) != codec::merkle_leaf(record.bytes));
    CHECK(leaf_of(entry) == codec::merkle_leaf(encode(entry)));
    CHECK(decode_log_entry(encode(entry)).value() == entry);
    CHECK(decode_log_entry(Bytes(63)).error().reason == "log.entry");
    CHECK(decode_log_entry(Bytes(65)).error().reason == "log.entry");
}
