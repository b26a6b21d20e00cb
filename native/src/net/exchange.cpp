#include "net/exchange.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

namespace entente::native {

namespace bhttp = beast::http;
using std::chrono::milliseconds;

namespace {

// g++ 12 destroys a temporary argument of a co_await expression twice: in this file every argument has a name.

constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::uint32_t head_limit = 16 * 1024;
constexpr int max_interim = 8;  // 1xx answers before the real one
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::string head_of(const OutboundRequest& request, const Url& url) {
    std::string head = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.authority() + "\r\nUser-Agent: entente\r\n";
    for (const auto& [name, value] : request.headers) head.append(name).append(": ").append(value).append("\r\n");
    const std::uint64_t length = request.content ? request.content_bytes : request.body.size();
    if (length > 0 && !request.content_type.empty()) head += "Content-Type: " + request.content_type + "\r\n";
    if (length > 0 || request.method != "GET") head += "Content-Length: " + std::to_string(length) + "\r\n";
    return head + "\r\n";
}

template <class Head>
void take_head(const Head& head, OutboundResponse& response) {
    response.status = static_cast<int>(head.result_int());
    for (const auto& field : head) {
        std::string name(field.name_string());
        for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        response.headers.emplace(std::move(name), std::string(field.value()));
    }
}

}  // namespace

void Call::complete(Answer answer) {
    if (!completion) return;
    timer->cancel();
    std::exchange(completion, nullptr)(std::move(answer));
}

Error Call::late(const char* where) const {
    return {Code::deadline_exceeded, "outbound.deadline",
            origin + ": no complete answer within " + std::to_string(request.timeout_ms) + " ms (" + where + ")"};
}

bool Connection::quiet() {
    char byte = 0;
    const auto n = ::recv(lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

asio::awaitable<Answer> Exchange::run() {
    const Status sent = co_await send();
    if (!sent.ok()) co_return sent.error();
    OutboundResponse response;
    for (int interim = 0; interim < max_interim; ++interim) {
        const Status received = co_await receive(response);
        if (!received.ok()) co_return received.error();
        if (response.status >= 200) co_return std::move(response);
        response = OutboundResponse{};
    }
    co_return Error{Code::unavailable, "outbound.broken", call.origin + ": expected an answer, found interim ones without end"};
}

// Until when the next piece has to have moved, when `moved` bytes have since `began`.
void Exchange::expire(Clock::time_point began, std::uint64_t moved) {
    const auto slowest = milliseconds(options.body_grace_ms) + milliseconds(moved * 1000 / options.body_bytes_per_s);
    connection.lowest().expires_at(std::min(call.deadline, began + slowest));
}

Error Exchange::broken(const error_code& ec, const char* where) const {
    if (stopped) return {Code::cancelled, "outbound.closed", "this side is shutting down"};
    if (ec == bhttp::error::header_limit) return {Code::too_large, "outbound.too-large", call.origin + ": expected a head of at most 16 KiB, found more"};
    if (ec != beast::error::timeout) return {Code::unavailable, "outbound.broken", call.origin + ": " + ec.message() + " (" + where + ")"};
    if (Clock::now() >= call.deadline) return call.late(where);
    return {Code::deadline_exceeded, "outbound.slow",
            call.origin + ": expected at least " + std::to_string(options.body_bytes_per_s) + " bytes a second, found fewer (" + where + ")"};
}

Error Exchange::too_large() const {
    return {Code::too_large, "outbound.too-large",
            call.origin + ": expected an answer of at most " + std::to_string(call.request.response_limit) + " bytes, found more"};
}

bool Exchange::streams(const OutboundResponse& response) const {
    return call.request.sink && response.status >= 200 && response.status < 300;
}

asio::awaitable<error_code> Exchange::write(asio::const_buffer bytes) {
    if (connection.tls) {
        auto [ec, n] = co_await asio::async_write(*connection.tls, bytes, as_result);
        co_return ec;
    }
    auto [ec, n] = co_await asio::async_write(*connection.plain, bytes, as_result);
    co_return ec;
}

asio::awaitable<Status> Exchange::send() {
    const auto began = Clock::now();
    expire(began, 0);
    std::string head = head_of(call.request, call.url);
    if (!call.request.content) head += call.request.body;
    const asio::const_buffer first = asio::buffer(head);
    const error_code ec = co_await write(first);
    if (ec) co_return broken(ec, "sending the request");
    if (!call.request.content) co_return done();
    std::vector<std::byte> chunk(chunk_bytes);
    const std::uint64_t total = call.request.content_bytes;
    for (std::uint64_t moved = 0; moved < total;) {
        if (call.request.cancel.cancelled()) co_return Error{Code::cancelled, "outbound.cancelled", "the call was cancelled"};
        const std::span<std::byte> room = std::span(chunk).first(static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), total - moved)));
        const auto got = call.request.content->read(room);
        if (!got.ok()) co_return got.error();
        if (*got == 0) {
            co_return Error{Code::internal, "outbound.content",
                            "expected " + std::to_string(total) + " bytes to send, found " + std::to_string(moved)};
        }
        expire(began, moved);
        const asio::const_buffer piece = asio::buffer(chunk.data(), *got);
        const error_code failed = co_await write(piece);
        if (failed == beast::error::timeout) co_return broken(failed, "sending the body");
        // A peer that refuses early has answered already: its answer counts, not the broken pipe.
        if (failed) co_return done();
        moved += *got;
    }
    co_return done();
}

asio::awaitable<Status> Exchange::receive(OutboundResponse& response) {
    bhttp::response_parser<bhttp::buffer_body> parser;
    parser.header_limit(head_limit);
    parser.body_limit(boost::none);
    std::vector<std::byte> chunk(chunk_bytes);
    auto began = Clock::now();
    std::uint64_t moved = 0;
    bool head_seen = false;
    while (!parser.is_done()) {
        if (call.request.cancel.cancelled()) co_return Error{Code::cancelled, "outbound.cancelled", "the call was cancelled"};
        parser.get().body().data = chunk.data();
        parser.get().body().size = chunk.size();
        if (head_seen) {
            expire(began, moved);
        } else {
            connection.lowest().expires_at(call.deadline);
        }
        error_code ec;
        if (connection.tls) {
            auto [failed, n] = co_await bhttp::async_read_some(*connection.tls, connection.buffer, parser, as_result);
            ec = failed;
        } else {
            auto [failed, n] = co_await bhttp::async_read_some(*connection.plain, connection.buffer, parser, as_result);
            ec = failed;
        }
        answered = answered || parser.got_some();
        if (ec && ec != bhttp::error::need_buffer) co_return broken(ec, head_seen ? "reading its body" : "reading its answer");
        if (!parser.is_header_done()) continue;
        if (!std::exchange(head_seen, true)) {
            began = Clock::now();
            take_head(parser.get(), response);
            const Status good = streams(response) && call.request.on_head ? call.request.on_head(response) : done();
            if (!good.ok()) co_return good.error();
            if (!streams(response) && parser.content_length().value_or(0) > call.request.response_limit) co_return too_large();
        }
        const ByteView piece(chunk.data(), chunk.size() - parser.get().body().size);
        moved += piece.size();
        const Status taken = take(piece, response);
        if (!taken.ok()) co_return taken.error();
    }
    reusable = parser.get().keep_alive() && connection.buffer.size() == 0;
    co_return done();
}

Status Exchange::take(ByteView piece, OutboundResponse& response) {
    if (piece.empty()) return done();
    if (streams(response)) return call.request.sink->append(piece);
    if (piece.size() > call.request.response_limit - response.body.size()) return too_large();
    response.body.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return done();
}

}  // namespace entente::native
