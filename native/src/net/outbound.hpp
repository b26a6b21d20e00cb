// HTTP to addresses that strangers gave us: callbacks, catalogues, data. Designed so that nobody can use us to reach what
// they cannot reach themselves (server-side request forgery):
//   - https, or http to loopback where `plain_loopback` says so (tests);
//   - the URL's origin is on the caller's list for this participant;
//   - every resolved address is judged, and the connection goes to the address that was judged;
//   - our own address is refused, before a byte is sent; no redirect is followed: 3xx is an answer like others;
//   - heads and bodies are bounded, and so are the time of a whole call and how slowly a body may come or go.
//
//   Outbound out(io, options);
//   OutboundRequest ask{.url = url, .body = text, .allowed_origins = {"https://plant-a.example"}};
//   out.send(std::move(ask), [](Result<OutboundResponse> answer) { … });
//
// Connections are kept, a few for each origin; what is too much at once waits in a queue. Every call completes exactly
// once, on this object's strand, when this object goes with "outbound.closed" (as long as `io` runs). Errors: invalid_argument "url.*"; permission_denied
// "outbound.*" for what the rules refuse; unauthenticated "tls.untrusted"; unavailable "outbound.unreachable" and
// "outbound.broken"; deadline_exceeded "outbound.deadline" and "outbound.slow"; too_large "outbound.too-large";
// resource_exhausted "outbound.busy"; and whatever the sink or `on_head` answers.
// Thread-safety: send() from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "entente/contract/connector.hpp"
#include "net/address.hpp"

namespace boost::asio {
class io_context;
}

namespace entente::native {

struct OutboundOptions {
    bool plain_loopback = false;                  // http:// is accepted, to loopback addresses alone
    std::vector<std::string> opened_networks;     // beside those that are global: "127.0.0.0/8"
    std::vector<std::string> own_origins;         // where we are reached, as others write it
    std::vector<std::uint16_t> own_ports;         // and the ports that we listen on, on this machine
    std::string ca_file;                          // PEM; empty: the system's trust store
    std::size_t connections_per_origin = 8;
    std::size_t queue_limit = 4096;               // calls that wait for a connection
    std::int64_t idle_ms = 30'000;                // how long an unused connection is kept
    std::int64_t connect_ms = 5'000;              // for resolving and connecting, handshake included
    std::int64_t body_grace_ms = 10'000;          // a body may always take so long,
    std::uint64_t body_bytes_per_s = 16 * 1024;   // and longer only while it comes or goes at least so fast
};

struct OutboundResponse {
    int status = 0;
    std::map<std::string, std::string> headers;  // lower-case names; the first of several
    std::string body;                            // empty when it went into the sink

    [[nodiscard]] std::string header(const std::string& name) const {
        const auto it = headers.find(name);
        return it == headers.end() ? std::string() : it->second;
    }
};

struct OutboundRequest {
    std::string method = "POST";
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;  // beside Host, Content-Length, User-Agent
    std::string content_type = "application/json";             // of a body that there is
    std::string body;                                          // or, for large ones:
    std::shared_ptr<contract::ByteSource> content;             // streamed with
    std::uint64_t content_bytes = 0;                           // this Content-Length
    std::vector<std::string> allowed_origins;                  // of the participant; none: nothing is sent
    std::int64_t timeout_ms = 10'000;                          // of the whole call, the wait in the queue included
    std::uint64_t response_limit = 1024 * 1024;
    // For streams: the body of a 2xx goes here instead of into the response, after `on_head` has seen the head.
    std::function<Status(const OutboundResponse&)> on_head;
    std::shared_ptr<contract::ByteSink> sink;
    contract::CancelToken cancel;  // looked at between two pieces
};

class Outbound {
public:
    using Completion = std::function<void(Result<OutboundResponse>)>;

    // invalid_argument "config.network", "config.ca".
    static Result<std::shared_ptr<Outbound>> make(boost::asio::io_context& io, OutboundOptions options);
    ~Outbound();

    void send(OutboundRequest request, Completion completion);
    // Runs `work` on this object's strand after `delay_ms`, or never when this object goes before.
    void after(std::int64_t delay_ms, std::function<void()> work);

private:
    struct State;
    explicit Outbound(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

// Is this URL's origin one of these? permission_denied "outbound.origin" with both sides in the message.
Status check_origin(const Url& url, const std::vector<std::string>& allowed);

}  // namespace entente::native
