// One HTTP request and its answer over one connection that is there already. Of net/outbound.cpp alone: it is what knows Beast.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "net/outbound.hpp"

namespace entente::native {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Tls = asio::ssl::stream<beast::tcp_stream>;
using Answer = Result<OutboundResponse>;

struct Call {
    OutboundRequest request;
    Url url;
    std::string origin;
    Outbound::Completion completion;
    Clock::time_point deadline;
    std::unique_ptr<asio::steady_timer> timer;

    void complete(Answer answer);
    [[nodiscard]] Error late(const char* where) const;
};

struct Connection {
    // Beast reads as much at once as the buffer has room for, and by itself that is 512 bytes.
    Connection() { buffer.reserve(64 * 1024); }

    std::unique_ptr<beast::tcp_stream> plain;
    std::unique_ptr<Tls> tls;
    beast::flat_buffer buffer{128 * 1024};
    Clock::time_point idle_since;

    beast::tcp_stream& lowest() { return tls ? tls->next_layer() : *plain; }
    // Nothing has come since the last answer, and the peer has not hung up.
    bool quiet();
};

struct Exchange {
    const OutboundOptions& options;
    const bool& stopped;  // the owner is going: whatever breaks now breaks for that reason
    Call& call;
    Connection& connection;
    bool answered = false;  // a byte of the answer has come
    bool reusable = false;  // the connection is good for another one

    asio::awaitable<Answer> run();

private:
    void expire(Clock::time_point began, std::uint64_t moved);
    [[nodiscard]] Error broken(const error_code& ec, const char* where) const;
    [[nodiscard]] Error too_large() const;
    [[nodiscard]] bool streams(const OutboundResponse& response) const;
    asio::awaitable<error_code> write(asio::const_buffer bytes);
    asio::awaitable<Status> send();
    asio::awaitable<Status> receive(OutboundResponse& response);
    Status take(ByteView piece, OutboundResponse& response);
};

}  // namespace entente::native
