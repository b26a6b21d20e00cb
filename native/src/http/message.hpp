// One request and one response, as plain values: what the API knows of HTTP. No Beast here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "entente/contract/connector.hpp"

namespace entente::native::http {

struct Request {
    std::string method;
    std::string path;                          // decoded, without the query
    std::map<std::string, std::string> query;  // decoded
    std::map<std::string, std::string> headers;  // lower-case names
    std::string bearer;                        // of Authorization, else empty
    std::string remote;                        // address of the peer
    std::string certificate;                   // SHA-256 of the public key in the peer's TLS certificate, when it has shown one
    std::uint64_t content_length = 0;
    std::string body;
    contract::CancelToken gone;                // cancelled when the peer has hung up

    [[nodiscard]] std::string header(const std::string& name) const {
        const auto it = headers.find(name);
        return it == headers.end() ? std::string() : it->second;
    }
};

// Who speaks, before anybody has looked.
struct Caller {
    std::string bearer;
    std::string remote;       // as Request::remote
    std::string certificate;  // as Request::certificate
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string_view fixed;                             // instead of body: bytes that live for ever
    std::shared_ptr<contract::ByteSource> content;      // instead of body: streamed,
    std::uint64_t content_bytes = 0;                    // of this length
    bool close = false;
    // Goes when the answer has been handed to the system whole, or can never be: see when_gone().
    std::shared_ptr<void> after_sent;
};

// For Response::after_sent: `work` runs once, when the last copy of what this returns goes. "Answer first, act afterwards":
//   response.after_sent = http::when_gone([weak] { if (auto node = weak.lock()) node->go_on(); });
// On whichever thread sent the answer, and also when the server is taken down: hold weakly what it needs.
std::shared_ptr<void> when_gone(std::function<void()> work);

using Reply = std::function<void(Response)>;

// application/problem+json with code = reason and detail = message.
Response problem(const Error& error);
Response problem(int status, const std::string& reason, const std::string& message);
Response json(std::string body, int status = 200);
Response binary(ByteView bytes, int status = 200);
Response no_content();

std::string_view title_of(int status) noexcept;

// "/a%20b?x=1" in its parts; false when an escape is malformed or the path holds a NUL.
bool split_target(std::string_view target, Request& request);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7) and back; empty when it is none.
std::string http_date(std::int64_t ms);
std::optional<std::int64_t> read_http_date(std::string_view text);

// The Content-Security-Policy of a page that may also connect to `origin`; empty: to us alone.
std::string page_policy(const std::string& origin);

// From status line to the empty line, with the security headers that every answer bears.
std::string response_head(const Response& response, bool keep_alive, bool secure);

}  // namespace entente::native::http
