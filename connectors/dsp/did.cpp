#include "connectors/dsp/did.hpp"

#include "connectors/dsp/json.hpp"
#include "entente/base/base64.hpp"

namespace entente::dsp {

std::string did_web(std::string_view origin) {
    const std::size_t scheme = origin.find("://");
    std::string did = "did:web:";
    for (const char c : scheme == std::string_view::npos ? origin : origin.substr(scheme + 3)) {
        if (c == ':') did += "%3A";
        else if (c != '[' && c != ']') did += c;
    }
    return did;
}

std::string did_document(std::string_view origin, const codec::PublicKey& key, std::string_view root) {
    const std::string did = did_web(origin);
    const std::string method = did + "#key-1";
    Json verification = json::object({{"id", method}, {"type", "JsonWebKey2020"}, {"controller", did}});
    json::put(verification, "publicKeyJwk", json::object({{"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", method}, {"x", to_base64url(key.bytes)}}));
    Json document = json::object({});
    json::put(document, "@context", json::strings({"https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"}));
    json::put(document, "id", json::string(did));
    json::put(document, "verificationMethod", json::array({std::move(verification)}));
    for (const char* purpose : {"authentication", "assertionMethod", "capabilityInvocation"}) json::put(document, purpose, json::strings({method}));
    json::put(document, "service", json::array({json::object({{"id", did + "#dsp"}, {"type", "DataService"},
                                                              {"serviceEndpoint", std::string(root) + "/.well-known/dspace-version"}})}));
    return write_json(document);
}

}  // namespace entente::dsp
