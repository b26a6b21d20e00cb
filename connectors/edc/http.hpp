// What the EDC client needs of its host: one HTTP request at a time, a clock, and a way to pass the time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "entente/contract/connector.hpp"

namespace entente::edc {

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;  // beside Host, Content-Length and Content-Type
    std::string body;                                          // JSON, if any
};

struct HttpResponse {
    int status = 0;
    std::string body;  // empty when it was streamed; at most 1 MiB
};

class Http {
public:
    virtual ~Http() = default;
    // Blocks until the answer is there. A 2xx body goes to `sink` when there is one. No redirect is followed.
    // unavailable "outbound.*" when the peer cannot be reached or breaks off; whatever the sink answers.
    virtual Result<HttpResponse> send(const HttpRequest& request, contract::ByteSink* sink) = 0;
    virtual void pause(std::int64_t ms) = 0;
    [[nodiscard]] virtual std::int64_t now_ms() const = 0;  // since 1970-01-01T00:00Z
};

}  // namespace entente::edc
