// Asio and Beast for the files of this folder; nobody else includes it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "http/handler.hpp"

namespace entente::native::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

using PlainStream = beast::tcp_stream;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct Limits {
    std::chrono::milliseconds head{15'000};       // from its first byte to its end; of a handshake, and until a WebSocket's first frame, as long
    std::chrono::milliseconds idle{75'000};       // between two requests
    std::chrono::milliseconds body_grace{30'000}; // a body may always take so long,
    std::uint64_t body_bytes_per_s = 16 * 1024;   // and longer only while it comes at least so fast
    std::chrono::milliseconds write{60'000};      // for 64 KiB
};

// Upgrades and serves one WebSocket; `head` is the request as it came.
asio::awaitable<void> serve_events(PlainStream stream, std::string head, Caller caller, Handler& handler, Limits limits);
asio::awaitable<void> serve_events(TlsStream stream, std::string head, Caller caller, Handler& handler, Limits limits);

asio::awaitable<void> serve(PlainStream stream, Handler& handler, Limits limits);
asio::awaitable<void> serve(TlsStream stream, Handler& handler, Limits limits);

}  // namespace entente::native::http
