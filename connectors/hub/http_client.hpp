// What the hub's client needs of HTTP: one request at a time to one origin, over a connection that is kept.
// `native` implements it with Beast and TLS; the browser's end of the hub is fetch in TypeScript.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "entente/contract/connector.hpp"

namespace entente::hub {

struct HttpRequest {
    std::string method = "GET";
    std::string target;  // path and query
    std::string content_type;
    Bytes body;                                      // or, for large ones:
    std::shared_ptr<contract::ByteSource> content;   // streamed with
    std::uint64_t content_bytes = 0;                 // this Content-Length
    bool authorised = true;                          // sends the bearer token, if there is one
    std::uint64_t response_limit = 1024 * 1024;      // of a response that is not streamed
};

struct HttpResponse {
    int status = 0;
    std::string content_type;
    Bytes body;  // empty when it was streamed
    std::int64_t retry_after_s = 0;  // 429 or 503: nobody needs to ask before
};

class HttpClient {
public:
    virtual ~HttpClient() = default;
    // Blocks until the response is there, the deadline has passed or the token was cancelled. A 2xx body goes to
    // `sink` when there is one. unavailable "connector.unreachable" when the peer cannot be reached or breaks off,
    // unauthenticated "tls.*" when its certificate is not good. A peer that has said when to come again (429, 503 with
    // Retry-After, a minute at most) is not asked before.
    virtual Result<HttpResponse> send(const HttpRequest& request, contract::ByteSink* sink,
                                      const contract::CallOptions& options) = 0;
    virtual void set_token(std::string token) = 0;
};

// 2xx: done. Anything else: the Error inside the problem document, or one made from the status.
Status error_of(const HttpResponse& response);

}  // namespace entente::hub
