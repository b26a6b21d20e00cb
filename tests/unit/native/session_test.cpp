// HTTP sessions as a client sees them that speaks bytes: what an answer is followed by, and bodies in chunks.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "http/listener.hpp"
#include "scripted_server.hpp"

using namespace entente;
using namespace entente::native;

namespace {

const std::string large(16 * 1024 * 1024, 'L');

struct Body final : http::Upload {
    std::string* into;
    explicit Body(std::string* text) : into(text) {}
    Status append(ByteView piece) override {
        into->append(reinterpret_cast<const char*>(piece.data()), piece.size());
        return done();
    }
    void finish(http::Reply reply) override { reply(http::json("{}", 202)); }
};

struct Stub final : http::Handler {
    std::atomic<int> gone{0};
    std::string uploaded;

    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override {
        if (request.path == "/sink") return {http::BodyKind::upload, 100, false, true};
        if (request.path == "/strict") return {http::BodyKind::upload, 100, false, false};
        return {http::BodyKind::small, 100, false, false};
    }
    void handle(http::Request request, http::Reply reply) override {
        http::Response response = http::json("{}");
        if (request.path == "/large") response.body = large;
        response.after_sent = http::when_gone([this] { ++gone; });
        reply(std::move(response));
    }
    void begin_upload(http::Request, UploadStarted started) override { started(std::make_shared<Body>(&uploaded), {}); }
    void subscribe(http::Caller, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request&) override { return http::problem(404, "http.not-found", "there are no events here"); }
};

struct Server {
    Stub stub;
    boost::asio::io_context io;
    http::Listener listener{io, stub, {}};
    std::thread thread;

    Server() {
        REQUIRE(listener.start().ok());
        thread = std::thread([this] { io.run(); });
    }
    ~Server() {
        io.stop();
        thread.join();
    }
};

struct Socket {
    int fd;
    explicit Socket(std::uint16_t port) : fd(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    ~Socket() { ::close(fd); }
};

// At most a few seconds; whether it became so.
template <class Condition>
bool becomes(Condition&& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return condition();
}

std::string status_line(Peer& peer) {
    const std::string head = peer.read_head();
    return head.substr(0, head.find("\r\n"));
}

}  // namespace

TEST_CASE("what is to follow an answer waits until the answer has left, and follows once") {
    Server server;
    Socket socket(server.listener.port());
    Peer peer(socket.fd);
    peer.say("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(status_line(peer) == "HTTP/1.1 200 OK");
    // Far more is on its way than the system's buffers take: it cannot have left.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK(server.stub.gone == 0);
    CHECK(peer.read_body(large.size()).size() == large.size());
    CHECK(becomes([&] { return server.stub.gone == 1; }));
    peer.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(status_line(peer) == "HTTP/1.1 200 OK");
    CHECK(becomes([&] { return server.stub.gone == 2; }));
}

TEST_CASE("it follows, too, when the peer is gone before its answer") {
    Server server;
    {
        Socket socket(server.listener.port());
        Peer peer(socket.fd);
        peer.say("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(status_line(peer) == "HTTP/1.1 200 OK");
    }
    CHECK(becomes([&] { return server.stub.gone == 1; }));
}

TEST_CASE("a body in chunks is taken where the path says so, within its limit, and nowhere else") {
    Server server;
    const auto ask = [&](const std::string& path, const std::string& body) {
        Socket socket(server.listener.port());
        Peer peer(socket.fd);
        peer.say("POST " + path + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
        return status_line(peer);
    };
    CHECK(ask("/sink", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n") == "HTTP/1.1 202 Accepted");
    CHECK(server.stub.uploaded == "hello!");
    CHECK(ask("/sink", "65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n") == "HTTP/1.1 413 Payload Too Large");
    CHECK(ask("/strict", "0\r\n\r\n") == "HTTP/1.1 411 Length Required");
    CHECK(ask("/other", "0\r\n\r\n") == "HTTP/1.1 411 Length Required");
    CHECK(ask("/sink", "zz\r\n") == "HTTP/1.1 400 Bad Request");
}
