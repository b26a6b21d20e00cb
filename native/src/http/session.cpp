// One connection, from its first request to its last.
#include <sys/socket.h>

#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "base/files.hpp"
#include "entente/codec/sha256.hpp"
#include "http/guard.hpp"
#include "http/streams.hpp"

namespace entente::native::http {

namespace bhttp = beast::http;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

Response Handler::body_refused(const Request&, const Error& error) const { return problem(status_of(error), error.reason, error.message); }

namespace {

// g++ 12 copies a temporary that is an argument of a co_await expression byte by byte and destroys both copies (a
// short std::string inside then frees the coroutine's frame): in this file every argument has a name.

constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::size_t drain_bytes = 1024 * 1024;  // of a refused body, so that the refusal is read

using Parser = bhttp::request_parser<bhttp::buffer_body>;
using Answer = asio::experimental::concurrent_channel<void(error_code, Response)>;

struct Started {
    std::shared_ptr<Upload> upload;
    Response refusal;
};
using Start = asio::experimental::concurrent_channel<void(error_code, Started)>;

// Of the key, not of the certificate: one that is renewed with its key stays the same.
std::string key_digest_of(SSL* connection) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(connection), X509_free);
    if (!certificate) return {};
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
    if (size <= 0) return {};
    const Digest digest = codec::sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
    OPENSSL_free(der);
    return to_hex(digest);
}

template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
public:
    Session(Stream stream, Handler& handler, Limits limits)
        : stream_(std::move(stream)), handler_(handler), limits_(limits), watchdog_(stream_.get_executor()) {}

    asio::awaitable<void> run() {
        if (!co_await handshake()) co_return;
        while (co_await exchange()) {
        }
        error_code ignored;
        beast::get_lowest_layer(stream_).socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    }

private:
    static constexpr bool secure = std::is_same_v<Stream, TlsStream>;

    asio::awaitable<bool> handshake() {
        if constexpr (secure) {
            expire_after(limits_.head);
            auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_result);
            if (!ec) certificate_ = key_digest_of(stream_.native_handle());
            co_return !ec;
        }
        co_return true;
    }

    void expire_after(std::chrono::milliseconds time) { beast::get_lowest_layer(stream_).expires_after(time); }

    // Reading may go on until then. Beast's own timer would close the socket, and 408 could not be said any more.
    void read_until(Clock::time_point until) {
        beast::get_lowest_layer(stream_).expires_never();
        late_ = false;
        const std::uint64_t reading = ++readings_;
        watchdog_.expires_at(until);
        watchdog_.async_wait([weak = this->weak_from_this(), reading](error_code ec) {
            const auto self = weak.lock();
            if (ec || !self || self->readings_ != reading) return;
            self->late_ = true;
            beast::get_lowest_layer(self->stream_).cancel();
        });
    }
    void reading_done() {
        ++readings_;
        watchdog_.cancel();
    }

    // One request and its answer. False: the connection is over.
    asio::awaitable<bool> exchange() {
        const Result<std::size_t> head_size = co_await read_head();
        if (!head_size.ok()) {
            if (head_size.error().reason != "http.closed") co_await refuse(head_size.error());
            co_return false;
        }
        const std::string head(static_cast<const char*>(buffer_.data().data()), *head_size);
        const Status good = check_head(head);
        no_length_ = !good.ok() && good.error().reason == "http.length-required";
        if (!good.ok() && !no_length_) {
            co_await refuse(good.error());
            co_return false;
        }
        Parser parser;
        parser.header_limit(max_head_bytes);
        parser.body_limit(boost::none);
        error_code ec;
        buffer_.consume(parser.put(asio::buffer(head), ec));
        if (ec || !parser.is_header_done()) {
            const Error malformed{Code::invalid_argument, "http.malformed", "request: " + ec.message()};
            co_await refuse(malformed);
            co_return false;
        }
        Request request;
        if (!fill(parser, request)) {
            const Error malformed{Code::invalid_argument, "http.target", "request: its target is malformed"};
            co_await refuse(malformed);
            co_return false;
        }
        if (request.path == "/ws" && !request.header("upgrade").empty()) {
            std::optional<Response> refused = handler_.refuse_socket(request);
            if (refused) {
                co_await write(std::move(*refused), false);
                co_return false;
            }
            std::string upgrade = head;
            Caller caller{{}, request.remote, request.certificate};
            co_await serve_events(std::move(stream_), std::move(upgrade), std::move(caller), handler_, limits_);
            co_return false;
        }
        co_return co_await answer(parser, std::move(request));
    }

    asio::awaitable<Result<std::size_t>> read_head() {
        bool begun = buffer_.size() > 0;
        read_until(Clock::now() + (begun ? limits_.head : limits_.idle));
        for (;;) {
            const std::string_view have(static_cast<const char*>(buffer_.data().data()), buffer_.size());
            if (const std::size_t end = have.find("\r\n\r\n"); end != std::string_view::npos && end + 4 <= max_head_bytes) {
                reading_done();
                co_return end + 4;
            }
            if (have.size() >= max_head_bytes) {
                reading_done();
                co_return Error{Code::too_large, "http.head-too-large", "request: expected at most 16 KiB of header fields"};
            }
            auto [ec, n] = co_await stream_.async_read_some(buffer_.prepare(4096), as_result);
            if (ec) {
                reading_done();
                if (late_ && begun) co_return Error{Code::deadline_exceeded, "http.timeout", "request: its head came too slowly"};
                co_return Error{Code::unavailable, "http.closed", ec.message()};
            }
            buffer_.commit(n);
            if (!begun) {
                begun = true;
                read_until(Clock::now() + limits_.head);
            }
        }
    }

    bool fill(const Parser& parser, Request& request) {
        const auto& message = parser.get();
        request.method = std::string(message.method_string());
        std::string_view target(message.target().data(), message.target().size());
        if (!target.starts_with('/')) {  // absolute form; the guard has compared its host
            const std::size_t slash = target.find('/', target.find("://") + 3);
            target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
        }
        if (!split_target(target, request)) return false;
        for (const auto& field : message) {
            std::string name(field.name_string());
            for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            // A field that comes twice is a list (RFC 9110, section 5.3): a proxy's word stays the last.
            const auto [known, first] = request.headers.emplace(std::move(name), std::string(field.value()));
            if (!first) known->second += ", " + std::string(field.value());
        }
        const std::string authorization = request.header("authorization");
        if (authorization.starts_with("Bearer ")) request.bearer = authorization.substr(7);
        request.content_length = parser.content_length().value_or(0);
        error_code ec;
        const auto remote = beast::get_lowest_layer(stream_).socket().remote_endpoint(ec);
        if (!ec) request.remote = remote.address().to_string();
        request.certificate = certificate_;
        keep_alive_ = message.keep_alive();
        return true;
    }

    asio::awaitable<bool> answer(Parser& parser, Request request) {
        const BodyRule rule = handler_.body_rule(request);
        if (request.content_length > rule.limit_bytes) {
            const Error too_large{Code::too_large, "http.too-large",
                                  "request: expected a body of at most " + std::to_string(rule.limit_bytes) +
                                      " bytes, found " + std::to_string(request.content_length) + "; nothing was read"};
            co_await refuse(handler_.body_refused(request, too_large));
            co_return false;
        }
        if (no_length_ && !(rule.kind == BodyKind::upload && rule.chunked)) {
            const Error no_length{Code::invalid_argument, "http.length-required", "request: expected a Content-Length; chunked bodies are not accepted here"};
            co_await refuse(handler_.body_refused(request, no_length));
            co_return false;
        }
        if (rule.kind == BodyKind::upload) co_return co_await upload(parser, std::move(request), rule.limit_bytes);
        if (request.content_length > 0) {
            co_await go_on(request);
            std::function<Status(ByteView)> take = [&request](ByteView piece) -> Status {
                request.body.append(reinterpret_cast<const char*>(piece.data()), piece.size());
                return done();
            };
            const Status whole = co_await read_body(parser, std::move(take), rule.limit_bytes);
            if (!whole.ok()) {
                co_await refuse(handler_.body_refused(request, whole.error()));
                co_return false;
            }
        }
        const bool head_only = request.method == "HEAD";
        if (head_only) request.method = "GET";
        auto channel = std::make_shared<Answer>(stream_.get_executor(), 1);
        Reply reply = [channel](Response response) { channel->try_send(error_code{}, std::move(response)); };
        if (rule.long_poll) watch_peer(request.gone);
        handler_.handle(std::move(request), std::move(reply));
        auto [ec, response] = co_await channel->async_receive(as_result);
        if (ec) co_return false;
        co_return co_await write(std::move(response), head_only);
    }

    // While an answer takes long, a peer that hangs up is noticed: nobody waits for it then.
    void watch_peer(contract::CancelToken gone) {
        auto& socket = beast::get_lowest_layer(stream_).socket();
        const int fd = socket.native_handle();
        socket.async_wait(asio::ip::tcp::socket::wait_read, [gone, fd](error_code ec) mutable {
            char byte = 0;
            if (!ec && ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) gone.cancel();
        });
    }

    asio::awaitable<bool> upload(Parser& parser, Request request, std::uint64_t limit_bytes) {
        if (parser.content_length() == boost::none && !no_length_) {
            const Error no_length{Code::invalid_argument, "http.length-required", "request: expected a Content-Length"};
            co_await refuse(handler_.body_refused(request, no_length));
            co_return false;
        }
        auto channel = std::make_shared<Start>(stream_.get_executor(), 1);
        Handler::UploadStarted started = [channel](std::shared_ptr<Upload> sink, Response refusal) {
            channel->try_send(error_code{}, Started{std::move(sink), std::move(refusal)});
        };
        const Request copy = request;
        handler_.begin_upload(std::move(request), std::move(started));
        auto [ec, start] = co_await channel->async_receive(as_result);
        if (ec) co_return false;
        if (!start.upload) {
            start.refusal.close = true;  // the body is not read: nothing more can come over this connection
            co_await write(std::move(start.refusal), false);
            co_await drain();
            co_return false;
        }
        co_await go_on(copy);
        Upload* sink = start.upload.get();
        std::function<Status(ByteView)> take = [sink](ByteView piece) { return sink->append(piece); };
        const Status whole = co_await read_body(parser, std::move(take), limit_bytes);
        if (!whole.ok()) {
            start.upload.reset();
            co_await refuse(handler_.body_refused(copy, whole.error()));
            co_return false;
        }
        auto answer_channel = std::make_shared<Answer>(stream_.get_executor(), 1);
        Reply reply = [answer_channel](Response response) { answer_channel->try_send(error_code{}, std::move(response)); };
        sink->finish(std::move(reply));
        auto [ec2, response] = co_await answer_channel->async_receive(as_result);
        if (ec2) co_return false;
        co_return co_await write(std::move(response), false);
    }

    asio::awaitable<void> go_on(const Request& request) {
        if (request.header("expect") != "100-continue") co_return;
        expire_after(limits_.write);
        static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
        auto [ec, n] = co_await asio::async_write(stream_, asio::buffer(text), as_result);
        static_cast<void>(ec);
        static_cast<void>(n);
    }

    // By value: a reference would dangle if the caller's frame went first.
    asio::awaitable<Status> read_body(Parser& parser, std::function<Status(ByteView)> take, std::uint64_t limit_bytes) {
        const auto started = Clock::now();
        std::uint64_t received = 0;
        std::vector<std::byte> chunk(chunk_bytes);
        buffer_.reserve(buffer_.size() + chunk_bytes);  // Beast reads as much at once as there is room for
        while (!parser.is_done()) {
            parser.get().body().data = chunk.data();
            parser.get().body().size = chunk.size();
            const auto allowed = limits_.body_grace + std::chrono::milliseconds(received * 1000 / limits_.body_bytes_per_s);
            read_until(started + allowed);
            auto [ec, n] = co_await bhttp::async_read_some(stream_, buffer_, parser, as_result);
            static_cast<void>(n);
            reading_done();
            if (ec && late_) co_return Error{Code::deadline_exceeded, "http.timeout", "request: its body came too slowly"};
            if (ec && ec != bhttp::error::need_buffer) {
                const bool gone = ec == bhttp::error::partial_message || ec == bhttp::error::end_of_stream;
                const bool malformed = !gone && ec.category() == bhttp::make_error_code(bhttp::error::bad_chunk).category();
                if (malformed) co_return Error{Code::invalid_argument, "http.malformed", "request: its body: " + ec.message()};
                co_return Error{Code::unavailable, "http.closed", ec.message()};
            }
            const std::size_t got = chunk.size() - parser.get().body().size;
            received += got;
            if (got == 0) continue;
            if (received > limit_bytes) {
                co_return Error{Code::too_large, "http.too-large", "request: expected a body of at most " + std::to_string(limit_bytes) + " bytes, found more"};
            }
            if (Status taken = take(ByteView(chunk.data(), got)); !taken.ok()) co_return taken;
        }
        co_return done();
    }

    asio::awaitable<bool> write(Response response, bool head_only) {
        const bool keep = keep_alive_ && !response.close;
        response.headers.emplace_back("Date", http_date(now_ms()));
        const std::string head = response_head(response, keep, secure);
        const std::string_view body = head_only || response.content ? std::string_view()
                                      : response.fixed.empty()      ? std::string_view(response.body)
                                                                    : response.fixed;
        const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(body)};
        expire_after(limits_.write);
        auto [ec, n] = co_await asio::async_write(stream_, buffers, as_result);
        static_cast<void>(n);
        if (ec) co_return false;
        if (response.content && !head_only && !co_await write_content(response)) co_return false;
        co_return keep;
    }

    asio::awaitable<bool> write_content(Response& response) {
        std::vector<std::byte> chunk(chunk_bytes);
        std::uint64_t left = response.content_bytes;
        while (left > 0) {
            const std::span<std::byte> room = std::span(chunk).first(std::min<std::uint64_t>(left, chunk.size()));
            auto got = response.content->read(room);
            if (!got.ok() || *got == 0) co_return false;  // the length is promised: only breaking off is honest
            expire_after(limits_.write);
            auto [ec, n] = co_await asio::async_write(stream_, asio::buffer(chunk.data(), *got), as_result);
            static_cast<void>(n);
            if (ec) co_return false;
            left -= *got;
        }
        co_return true;
    }

    asio::awaitable<void> refuse(const Error& error) { return refuse(problem(status_of(error), error.reason, error.message)); }

    asio::awaitable<void> refuse(Response response) {
        response.close = true;
        co_await write(std::move(response), false);
        co_await drain();
    }

    // A close with unread bytes would reach the peer as a reset before it has read the answer.
    asio::awaitable<void> drain() {
        error_code ec;
        beast::get_lowest_layer(stream_).socket().shutdown(asio::ip::tcp::socket::shutdown_send, ec);
        expire_after(std::chrono::milliseconds(2'000));
        std::vector<std::byte> chunk(chunk_bytes);
        for (std::size_t total = 0; total < drain_bytes;) {
            auto [ec2, n] = co_await beast::get_lowest_layer(stream_).async_read_some(asio::buffer(chunk), as_result);
            if (ec2) co_return;
            total += n;
        }
    }

    Stream stream_;
    Handler& handler_;
    Limits limits_;
    asio::steady_timer watchdog_;
    std::uint64_t readings_ = 0;
    bool late_ = false;
    beast::flat_buffer buffer_{1024 * 1024};
    bool keep_alive_ = true;
    std::string certificate_;  // SHA-256 of its public key
    bool no_length_ = false;  // of the request at hand: its body comes in chunks
};

}  // namespace

asio::awaitable<void> serve(PlainStream stream, Handler& handler, Limits limits) {
    auto session = std::make_shared<Session<PlainStream>>(std::move(stream), handler, limits);
    co_await session->run();
}

asio::awaitable<void> serve(TlsStream stream, Handler& handler, Limits limits) {
    auto session = std::make_shared<Session<TlsStream>>(std::move(stream), handler, limits);
    co_await session->run();
}

}  // namespace entente::native::http
