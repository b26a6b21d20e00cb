// Base64 with the alphabet that URLs and JSON Web Tokens use, without padding (RFC 4648, section 5), and the plain one, padded
// (section 4), which notes and DSSE envelopes use.
//
//   std::string text = to_base64url(bytes);
//   ENTENTE_ASSIGN(Bytes back, from_base64url(text));
//
// Reading accepts exactly what writing gives: "base64.malformed" for padding, other characters, and bits that are left
// over and not zero. Pure.
#pragma once

#include <string>
#include <string_view>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

namespace entente {

std::string to_base64url(ByteView bytes);
Result<Bytes> from_base64url(std::string_view text);
std::string to_base64(ByteView bytes);
Result<Bytes> from_base64(std::string_view text);

}  // namespace entente
