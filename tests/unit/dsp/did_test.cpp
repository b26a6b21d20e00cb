#include <doctest/doctest.h>

#include "connectors/dsp/did.hpp"
#include "entente/base/base64.hpp"
#include "entente/base/json.hpp"

using namespace entente;

TEST_CASE("did:web names a host, its port percent-encoded") {
    // The did:web method's own examples, section 3.1 and 3.2.
    CHECK(dsp::did_web("https://w3c-ccg.github.io") == "did:web:w3c-ccg.github.io");
    CHECK(dsp::did_web("https://example.com:3000") == "did:web:example.com%3A3000");
}

TEST_CASE("a DID document holds the key that signs, for everything that it signs") {
    codec::PublicKey key;
    key.bytes.fill(std::byte{7});
    const auto document = read_json(dsp::did_document("https://plant-a.example:8444", key, "https://plant-a.example:8444/dsp"));
    REQUIRE(document.ok());
    const std::string did = "did:web:plant-a.example%3A8444";
    CHECK(document->find("id")->text == did);
    const Json& method = document->find("verificationMethod")->items.at(0);
    CHECK(method.find("controller")->text == did);
    const Json* jwk = method.find("publicKeyJwk");
    REQUIRE(jwk != nullptr);
    CHECK(jwk->find("crv")->text == "Ed25519");
    const Bytes x = from_base64url(jwk->find("x")->text).value();
    CHECK(std::equal(x.begin(), x.end(), key.bytes.begin(), key.bytes.end()));
    for (const char* purpose : {"authentication", "assertionMethod", "capabilityInvocation"}) {
        CHECK(document->find(purpose)->items.at(0).text == method.find("id")->text);
    }
    CHECK(document->find("service")->items.at(0).find("serviceEndpoint")->text == "https://plant-a.example:8444/dsp/.well-known/dspace-version");
}
