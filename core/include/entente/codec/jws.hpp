// JSON Web Signatures with Ed25519, compact (RFC 7515; alg EdDSA of RFC 8037).
//
//   std::string token = sign_jws(key, R"({"alg":"EdDSA","typ":"JWT","kid":"plant-a"})", claims);
//   ENTENTE_ASSIGN(const Jws jws, read_jws(token));       // nothing is true yet
//   if (verify(jws, key_of(jws.kid))) use(jws.payload);
//
// Reading accepts alg EdDSA and nothing else, whatever the token asks for: "jws.malformed", "jws.algorithm". At most
// 8 KiB. Pure.
#pragma once

#include <string>
#include <string_view>

#include "entente/base/json.hpp"
#include "entente/codec/sign.hpp"

namespace entente::codec {

struct Jws {
    std::string kid;  // of the header; empty when there is none
    std::string typ;
    Json payload;     // an object
    std::string signing_input;
    Signature signature;
};

std::string sign_jws(const SigningKey& key, std::string_view header_json, std::string_view payload_json);
Result<Jws> read_jws(std::string_view token);
[[nodiscard]] bool verify(const Jws& jws, const PublicKey& key);

}  // namespace entente::codec
