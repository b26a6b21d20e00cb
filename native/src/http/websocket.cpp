// /ws: live events. The first frame names who asks; from then on frames only go out.
#include <boost/asio/post.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <deque>

#include "http/streams.hpp"

namespace entente::native::http {

namespace websocket = beast::websocket;
namespace bhttp = beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t max_queue = 256;
constexpr std::size_t max_frames_in = 16;  // behind the first; nothing is to be said
constexpr std::size_t max_message_bytes = 10 * 1024;  // a token of 8 KiB

std::string token_of(std::string_view text) {
    error_code ec;
    const boost::json::value value = boost::json::parse(boost::json::string_view(text.data(), text.size()), ec);
    if (ec || !value.is_object()) return {};
    const boost::json::value* token = value.as_object().if_contains("token");
    if (token == nullptr || !token->is_string()) return {};
    return std::string(token->as_string());
}

template <class Stream>
class Socket final : public Subscriber, public std::enable_shared_from_this<Socket<Stream>> {
public:
    Socket(Stream stream, Caller caller, Handler& handler, Limits limits)
        : socket_(std::move(stream)), caller_(std::move(caller)), handler_(handler), limits_(limits), wake_(socket_.get_executor()) {}

    asio::awaitable<void> run(std::string head) {
        beast::get_lowest_layer(socket_).expires_never();
        socket_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
        socket_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
            response.set(bhttp::field::sec_websocket_protocol, "entente.v1");
        }));
        socket_.read_message_max(max_message_bytes);
        bhttp::request_parser<bhttp::string_body> parser;
        error_code parse_error;
        parser.put(asio::buffer(head), parse_error);
        if (parse_error) co_return;
        auto request = parser.release();
        auto [accepted] = co_await socket_.async_accept(request, as_result);
        if (accepted) co_return;

        // Whoever does not say who it is does not stay.
        wake_.expires_after(limits_.head);
        wake_.async_wait([weak = this->weak_from_this()](error_code late) {
            if (const auto self = weak.lock(); self && !late) beast::get_lowest_layer(self->socket_).cancel();
        });
        beast::flat_buffer buffer;
        auto [ec, n] = co_await socket_.async_read(buffer, as_result);
        wake_.cancel();
        static_cast<void>(n);
        if (ec) co_return;
        const std::string first(static_cast<const char*>(buffer.data().data()), buffer.size());
        std::weak_ptr<Subscriber> self = this->weak_from_this();
        auto keep = this->shared_from_this();
        std::function<void(bool)> answer = [keep](bool welcome) {
            asio::post(keep->socket_.get_executor(), [keep, welcome] {
                if (!welcome) keep->closing_ = true;
                keep->wake_.cancel();
            });
        };
        caller_.bearer = token_of(first);
        handler_.subscribe(std::move(caller_), std::move(self), std::move(answer));
        listen(keep);
        co_await send_all();
    }

    void push(std::shared_ptr<const std::string> frame, bool replaces) override {
        auto keep = this->shared_from_this();
        asio::post(socket_.get_executor(), [keep, frame = std::move(frame), replaces] {
            if (replaces) {
                keep->status_ = frame;
            } else if (keep->queue_.size() < max_queue) {
                keep->queue_.push_back(frame);
            } else {
                keep->closing_ = true;  // too slow: it reconnects and reads the present state
            }
            keep->wake_.cancel();
        });
    }

    void end() override {
        auto keep = this->shared_from_this();
        asio::post(socket_.get_executor(), [keep] {
            keep->closing_ = true;
            keep->wake_.cancel();
        });
    }

private:
    // Reads on, so that pings are answered and a close is noticed; what is said is ignored.
    static void listen(std::shared_ptr<Socket> self) {
        auto buffer = std::make_shared<beast::flat_buffer>();
        self->socket_.async_read(*buffer, [self, buffer](error_code ec, std::size_t) {
            if (!ec && ++self->frames_in_ <= max_frames_in) return listen(self);
            (ec ? self->closed_ : self->closing_) = true;
            self->wake_.cancel();
        });
    }

    asio::awaitable<void> send_all() {
        for (;;) {
            std::shared_ptr<const std::string> frame;
            if (!queue_.empty()) {
                frame = std::move(queue_.front());
                queue_.pop_front();
            } else if (status_) {
                frame = std::move(status_);
                status_ = nullptr;
            }
            if (closed_) co_return;
            if (frame) {
                socket_.text(true);
                auto [ec, n] = co_await socket_.async_write(asio::buffer(*frame), as_result);
                static_cast<void>(n);
                if (ec) co_return;
                continue;
            }
            if (closing_) {
                auto [ec] = co_await socket_.async_close(websocket::close_code::policy_error, as_result);
                static_cast<void>(ec);
                co_return;
            }
            wake_.expires_after(std::chrono::hours(1));
            auto [ec] = co_await wake_.async_wait(as_result);
            static_cast<void>(ec);
        }
    }

    websocket::stream<Stream> socket_;
    Caller caller_;
    Handler& handler_;
    Limits limits_;
    asio::steady_timer wake_;
    std::size_t frames_in_ = 0;
    std::deque<std::shared_ptr<const std::string>> queue_;
    std::shared_ptr<const std::string> status_;
    bool closing_ = false;
    bool closed_ = false;
};

}  // namespace

asio::awaitable<void> serve_events(PlainStream stream, std::string head, Caller caller, Handler& handler, Limits limits) {
    auto socket = std::make_shared<Socket<PlainStream>>(std::move(stream), std::move(caller), handler, limits);
    co_await socket->run(std::move(head));
}

asio::awaitable<void> serve_events(TlsStream stream, std::string head, Caller caller, Handler& handler, Limits limits) {
    auto socket = std::make_shared<Socket<TlsStream>>(std::move(stream), std::move(caller), handler, limits);
    co_await socket->run(std::move(head));
}

}  // namespace entente::native::http
