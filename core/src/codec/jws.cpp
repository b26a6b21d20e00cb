#include "entente/codec/jws.hpp"

#include <algorithm>

#include "entente/base/base64.hpp"

namespace entente::codec {
namespace {

constexpr std::size_t max_token = 8 * 1024;

Error malformed(const char* expected) {
    return {Code::invalid_argument, "jws.malformed", std::string("token: expected ") + expected};
}

Result<Json> read_part(std::string_view part) {
    ENTENTE_ASSIGN(const Bytes bytes, from_base64url(part));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    ENTENTE_ASSIGN(Json json, read_json(text, {.bytes = max_token, .depth = 8}));
    if (json.kind != Json::Kind::object) return malformed("JSON objects in its first two parts");
    return json;
}

std::string text_of(const Json& object, std::string_view name) {
    const Json* member = object.find(name);
    return member != nullptr && member->kind == Json::Kind::string ? member->text : std::string();
}

}  // namespace

std::string sign_jws(const SigningKey& key, std::string_view header_json, std::string_view payload_json) {
    std::string token = to_base64url(as_bytes(header_json)) + "." + to_base64url(as_bytes(payload_json));
    const Signature signature = key.sign_bare(as_bytes(std::string_view(token)));
    return token + "." + to_base64url(signature.bytes);
}

Result<Jws> read_jws(std::string_view token) {
    if (token.size() > max_token) return malformed("at most 8 KiB");
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return malformed("three parts");
    ENTENTE_ASSIGN(const Json header, read_part(token.substr(0, first)));
    if (text_of(header, "alg") != "EdDSA" || header.find("crit") != nullptr) {
        return Error{Code::invalid_argument, "jws.algorithm", "token: expected the algorithm EdDSA and no critical extension"};
    }
    Jws jws;
    jws.kid = text_of(header, "kid");
    jws.typ = text_of(header, "typ");
    ENTENTE_ASSIGN(jws.payload, read_part(token.substr(first + 1, second - first - 1)));
    ENTENTE_ASSIGN(const Bytes signature, from_base64url(token.substr(second + 1)));
    if (signature.size() != jws.signature.bytes.size()) return malformed("a signature of 64 bytes");
    std::copy(signature.begin(), signature.end(), jws.signature.bytes.begin());
    jws.signing_input = token.substr(0, second);
    return jws;
}

bool verify(const Jws& jws, const PublicKey& key) {
    return verify_bare(key, as_bytes(std::string_view(jws.signing_input)), jws.signature);
}

}  // namespace entente::codec
