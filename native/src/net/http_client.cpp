#include "net/http_client.hpp"

#include <chrono>
#include <optional>
#include <thread>
#include <variant>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "base/files.hpp"

namespace entente::native {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::int64_t cancel_poll_ms = 50;
constexpr std::int64_t longest_retry_s = 60;

// A date instead of a number is for others: ours says seconds.
std::int64_t seconds_of(std::string_view text) {
    const bool digits = !text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string_view::npos;
    return digits ? std::stoll(std::string(text)) : 0;
}

using Tls = asio::ssl::stream<beast::tcp_stream>;

struct Address {
    bool tls = true;
    std::string host;
    std::string port;
};

Result<Address> read_url(const std::string& url) {
    const Error bad{Code::invalid_argument, "config.url",
                    "url: expected https://host[:port] (or http://127.0.0.1:port), found \"" + url + "\""};
    Address address;
    std::string rest;
    if (url.starts_with("https://")) {
        rest = url.substr(8);
    } else if (url.starts_with("http://")) {
        rest = url.substr(7);
        address.tls = false;
    } else {
        return bad;
    }
    rest = rest.substr(0, rest.find('/'));
    const std::size_t bracket = rest.find(']');  // [::1]:8443
    const std::size_t colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
    address.host = rest.substr(0, colon);
    if (address.host.starts_with('[') && bracket != std::string::npos) address.host = rest.substr(1, bracket - 1);
    address.port = colon == std::string::npos ? (address.tls ? "443" : "80") : rest.substr(colon + 1);
    const bool digits = !address.port.empty() && address.port.find_first_not_of("0123456789") == std::string::npos;
    if (address.host.empty() || !digits) return bad;
    return address;
}

class Client final : public hub::HttpClient {
public:
    Client(Address address, std::unique_ptr<asio::ssl::context> context)
        : address_(std::move(address)), context_(std::move(context)) {
        buffer_.reserve(chunk_bytes);  // Beast reads as much at once as there is room for: by itself 512 bytes
    }

    void set_token(std::string token) override { token_ = std::move(token); }

    Result<hub::HttpResponse> send(const hub::HttpRequest& request, contract::ByteSink* sink,
                                   const contract::CallOptions& options) override {
        deadline_ms_ = monotonic_ms() + options.timeout_ms;
        cancel_ = options.cancel;
        ENTENTE_TRY(wait_until(not_before_ms_));
        const bool reused = connected();
        auto response = attempt(request, sink);
        // A kept connection may have been closed by the server in the meantime; a fresh one is tried once.
        const bool stale = !response.ok() && response.error().reason == "connector.stale" && reused;
        if (stale && !request.content) {
            disconnect();
            response = attempt(request, sink);
        }
        if (!response.ok()) {
            disconnect();
            if (response.error().reason == "connector.stale") {
                return Error{Code::unavailable, "connector.unreachable", response.error().message};
            }
            return response;
        }
        not_before_ms_ = monotonic_ms() + 1000 * std::min(response->retry_after_s, longest_retry_s);
        return response;
    }

private:
    Status wait_until(std::int64_t ms) {
        while (monotonic_ms() < ms) {
            if (cancel_.cancelled()) return Error{Code::cancelled, "connector.cancelled", "the call was cancelled"};
            if (monotonic_ms() >= deadline_ms_) {
                return Error{Code::deadline_exceeded, "connector.deadline", address_.host + ":" + address_.port + " wants to be asked later"};
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(cancel_poll_ms));
        }
        return done();
    }
    [[nodiscard]] bool connected() const { return plain_ || tls_; }
    void disconnect() {
        plain_.reset();
        tls_.reset();
        buffer_.clear();
    }
    beast::tcp_stream& lowest() { return tls_ ? tls_->next_layer() : *plain_; }

    Error unreachable(const std::string& why) const {
        return {Code::unavailable, "connector.unreachable",
                "cannot reach " + address_.host + ":" + address_.port + ": " + why};
    }

    // Runs the one operation that was started, until it is done, the deadline passes or the call is cancelled.
    Status run(std::optional<error_code>& result) {
        io_.restart();
        while (!result) {
            const std::int64_t left = deadline_ms_ - monotonic_ms();
            if (cancel_.cancelled() || left <= 0) {
                if (connected()) lowest().cancel();
                resolver_.cancel();
                if (connected()) lowest().close();
                io_.run();
                disconnect();
                if (cancel_.cancelled()) return Error{Code::cancelled, "connector.cancelled", "the call was cancelled"};
                return Error{Code::deadline_exceeded, "connector.deadline",
                             address_.host + ":" + address_.port + " did not answer in time"};
            }
            io_.run_for(std::chrono::milliseconds(std::min(left, cancel_poll_ms)));
            io_.restart();
        }
        return done();
    }

    template <class Start>
    Result<error_code> operate(Start&& start) {
        std::optional<error_code> result;
        start([&result](error_code ec) { result = ec; });
        ENTENTE_TRY(run(result));
        return *result;
    }

    Status connect() {
        if (connected()) return done();
        buffer_.clear();
        tcp::resolver::results_type found;
        ENTENTE_ASSIGN(const error_code resolved, operate([&](auto finish) {
            resolver_.async_resolve(address_.host, address_.port, [finish, &found](error_code ec, tcp::resolver::results_type results) {
                found = std::move(results);
                finish(ec);
            });
        }));
        if (resolved) return unreachable(resolved.message());
        if (address_.tls) {
            tls_.emplace(io_, *context_);
        } else {
            plain_.emplace(io_);
        }
        ENTENTE_ASSIGN(const error_code joined, operate([&](auto finish) {
            lowest().async_connect(found, [finish](error_code ec, const tcp::endpoint&) { finish(ec); });
        }));
        if (joined) return unreachable(joined.message());
        error_code ignored;
        lowest().socket().set_option(tcp::no_delay(true), ignored);
        return address_.tls ? shake_hands() : done();
    }

    Status shake_hands() {
        // SSL_set_tlsext_host_name, without its old-style cast.
        SSL_ctrl(tls_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, address_.host.data());
        tls_->set_verify_mode(asio::ssl::verify_peer);
        tls_->set_verify_callback(asio::ssl::host_name_verification(address_.host));
        ENTENTE_ASSIGN(const error_code shaken, operate([&](auto finish) {
            tls_->async_handshake(asio::ssl::stream_base::client, finish);
        }));
        if (!shaken) return done();
        const long verdict = SSL_get_verify_result(tls_->native_handle());
        if (verdict != X509_V_OK) {
            return Error{Code::unauthenticated, "tls.untrusted",
                         "the certificate of " + address_.host + " is not good: " + X509_verify_cert_error_string(verdict) +
                             "; nothing was sent. Give its authority with --ca if you trust it"};
        }
        return unreachable(shaken.message());
    }

    Status write(asio::const_buffer bytes) {
        ENTENTE_ASSIGN(const error_code ec, operate([&](auto finish) {
            const auto handler = [finish](error_code e, std::size_t) { finish(e); };
            if (tls_) {
                asio::async_write(*tls_, bytes, handler);
            } else {
                asio::async_write(*plain_, bytes, handler);
            }
        }));
        if (ec) return Error{Code::unavailable, "connector.stale", unreachable(ec.message()).message};
        return done();
    }

    template <class Parser>
    Result<error_code> read_some(Parser& parser) {
        return operate([&](auto finish) {
            const auto handler = [finish](error_code e, std::size_t) { finish(e); };
            if (tls_) {
                bhttp::async_read_some(*tls_, buffer_, parser, handler);
            } else {
                bhttp::async_read_some(*plain_, buffer_, parser, handler);
            }
        });
    }

    Status write_request(const hub::HttpRequest& request) {
        std::string head = request.method + " " + request.target + " HTTP/1.1\r\nHost: " + address_.host + ":" + address_.port +
                           "\r\nUser-Agent: entente\r\nAccept: */*\r\n";
        if (request.authorised && !token_.empty()) head += "Authorization: Bearer " + token_ + "\r\n";
        if (!request.content_type.empty()) head += "Content-Type: " + request.content_type + "\r\n";
        const std::uint64_t length = request.content ? request.content_bytes : request.body.size();
        if (length > 0 || request.method != "GET") head += "Content-Length: " + std::to_string(length) + "\r\n";
        head += "\r\n";
        if (!request.content) {
            head.append(reinterpret_cast<const char*>(request.body.data()), request.body.size());
            return write(asio::buffer(head));
        }
        ENTENTE_TRY(write(asio::buffer(head)));
        std::vector<std::byte> chunk(chunk_bytes);
        for (;;) {
            ENTENTE_ASSIGN(const std::size_t n, request.content->read(chunk));
            if (n == 0) return done();
            // A server that refuses early has answered already: its answer counts, not the broken pipe.
            if (!write(asio::buffer(chunk.data(), n)).ok()) return done();
        }
    }

    Result<hub::HttpResponse> attempt(const hub::HttpRequest& request, contract::ByteSink* sink) {
        ENTENTE_TRY(connect());
        ENTENTE_TRY(write_request(request));
        if (!connected()) return Error{Code::unavailable, "connector.stale", unreachable("the connection broke").message};
        bhttp::response_parser<bhttp::buffer_body> parser;
        parser.header_limit(64 * 1024);
        parser.body_limit(boost::none);
        hub::HttpResponse response;
        std::vector<std::byte> chunk(chunk_bytes);
        bool any = false;
        while (!parser.is_done()) {
            parser.get().body().data = chunk.data();
            parser.get().body().size = chunk.size();
            ENTENTE_ASSIGN(const error_code ec, read_some(parser));
            if (ec && ec != bhttp::error::need_buffer) {
                return Error{Code::unavailable, any ? "connector.unreachable" : "connector.stale",
                             unreachable("the connection broke (" + ec.message() + ")").message};
            }
            any = true;
            if (!parser.is_header_done()) continue;
            response.status = static_cast<int>(parser.get().result_int());
            const ByteView piece(chunk.data(), chunk.size() - parser.get().body().size);
            ENTENTE_TRY(take(piece, request, response, sink));
        }
        response.content_type = std::string(parser.get()[bhttp::field::content_type]);
        if (response.status == 429 || response.status == 503) response.retry_after_s = seconds_of(std::string(parser.get()[bhttp::field::retry_after]));
        if (!parser.get().keep_alive()) disconnect();
        return response;
    }

    static Status take(ByteView piece, const hub::HttpRequest& request, hub::HttpResponse& response, contract::ByteSink* sink) {
        if (piece.empty()) return done();
        if (sink != nullptr && response.status >= 200 && response.status < 300) return sink->append(piece);
        if (piece.size() > request.response_limit - response.body.size()) {
            return Error{Code::too_large, "connector.response-too-large",
                         "expected an answer of at most " + std::to_string(request.response_limit) + " bytes, found more"};
        }
        response.body.insert(response.body.end(), piece.begin(), piece.end());
        return done();
    }

    Address address_;
    std::unique_ptr<asio::ssl::context> context_;
    std::string token_;
    asio::io_context io_{1};
    tcp::resolver resolver_{io_};
    std::optional<beast::tcp_stream> plain_;
    std::optional<Tls> tls_;
    beast::flat_buffer buffer_{256 * 1024};
    std::int64_t deadline_ms_ = 0;
    std::int64_t not_before_ms_ = 0;
    contract::CancelToken cancel_;
};

}  // namespace

Result<std::shared_ptr<hub::HttpClient>> make_http_client(const HttpClientOptions& options) {
    ENTENTE_ASSIGN(Address address, read_url(options.url));
    std::unique_ptr<asio::ssl::context> context;
    if (address.tls) {
        context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
        SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
        error_code ec;
        if (options.ca_file.empty()) {
            context->set_default_verify_paths(ec);
        } else {
            context->load_verify_file(options.ca_file, ec);
        }
        if (ec) {
            return Error{Code::invalid_argument, "config.ca",
                         "--ca " + options.ca_file + ": expected PEM certificates, found " + ec.message()};
        }
        if (!options.tls_certificate.empty()) {
            context->use_certificate_chain_file(options.tls_certificate, ec);
            if (!ec) context->use_private_key_file(options.tls_key, asio::ssl::context::pem, ec);
            if (ec) {
                return Error{Code::invalid_argument, "config.certificate",
                             "--tls-cert " + options.tls_certificate + ": expected a PEM certificate chain and its key, found " + ec.message()};
            }
        }
    }
    return std::shared_ptr<hub::HttpClient>(std::make_shared<Client>(std::move(address), std::move(context)));
}

}  // namespace entente::native
