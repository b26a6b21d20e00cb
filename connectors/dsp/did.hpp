// The DID document of a connector (did:web; W3C DID Core 1.0): who it is and which key speaks for it, ready for the
// Decentralized Claims Protocol. Nothing of ours asks for it yet.
//
//   did_web("https://plant-a.example:8444")      ->  "did:web:plant-a.example%3A8444"
//   did_document("https://plant-a.example:8444", key, "https://plant-a.example:8444/dsp")
//
// Served at /.well-known/did.json of the origin. Pure.
#pragma once

#include <string>
#include <string_view>

#include "entente/codec/sign.hpp"

namespace entente::dsp {

std::string did_web(std::string_view origin);
// `root`: where the protocol's version document is served.
std::string did_document(std::string_view origin, const codec::PublicKey& key, std::string_view root);

}  // namespace entente::dsp
