// Is this the head of a request that has exactly one reading? Asked before the HTTP parser sees a byte: Beast 1.81
// accepts several forms of which two servers may understand different things (request smuggling).
//
//   if (Status good = check_head(head); !good.ok()) refuse_and_close(good.error());
//
// Refused, invalid_argument "http.*": a line end other than CR LF, NUL and control characters, folded lines, space
// before a colon, an empty or malformed name, not exactly one Host, a Content-Length that is repeated or not a plain
// number, Content-Length together with Transfer-Encoding, any Transfer-Encoding but a single "chunked" in HTTP/1.1
// (and that one, in a head without other faults, with "http.length-required", 411: some paths accept it), Trailer, an absolute target whose authority is not the Host, a
// version other than 1.0 and 1.1, more than 100 fields. Pure.
#pragma once

#include <string_view>

#include "entente/base/result.hpp"

namespace entente::native::http {

inline constexpr std::size_t max_head_bytes = 16 * 1024;

// `head`: from the request line to the empty line, its CR LF included.
Status check_head(std::string_view head);

// HTTP status of an error of this file.
int status_of(const Error& error) noexcept;

}  // namespace entente::native::http
