#include "net/outbound.hpp"

#include <doctest/doctest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "scripted_server.hpp"

using namespace entente;
using namespace entente::native;

namespace {

OutboundOptions loopback() {
    OutboundOptions options;
    options.plain_loopback = true;
    options.opened_networks = {"127.0.0.0/8"};
    return options;
}

// An outbound client and the loop it runs in.
struct Client {
    boost::asio::io_context io;
    std::shared_ptr<Outbound> out;

    explicit Client(OutboundOptions options = loopback()) { out = Outbound::make(io, std::move(options)).value(); }
    ~Client() {
        out.reset();
        io.restart();
        io.run();
    }

    // Runs until `count` answers have come.
    void run_until(const std::size_t& answers, std::size_t count) {
        io.restart();
        while (answers < count && io.run_one_for(std::chrono::seconds(20)) > 0) {
        }
    }
    Result<OutboundResponse> ask(OutboundRequest request) {
        std::vector<Result<OutboundResponse>> answers;
        std::size_t count = 0;
        out->send(std::move(request), [&](Result<OutboundResponse> answer) {
            answers.push_back(std::move(answer));
            ++count;
        });
        run_until(count, 1);
        REQUIRE(count == 1);
        return std::move(answers.front());
    }
};

OutboundRequest get(const ScriptedServer& server, const std::string& target = "/") {
    OutboundRequest request;
    request.method = "GET";
    request.url = server.origin() + target;
    request.allowed_origins = {server.origin()};
    return request;
}

OutboundRequest post(const ScriptedServer& server, std::string body) {
    OutboundRequest request = get(server, "/callback");
    request.method = "POST";
    request.body = std::move(body);
    return request;
}

std::string reason_of(const Result<OutboundResponse>& answer) { return answer.ok() ? "answered " + std::to_string(answer->status) : answer.error().reason; }

// Answers each request with its own body.
void echo(Peer& peer) {
    for (;;) {
        const std::string head = peer.read_head();
        if (head.empty()) return;
        const std::size_t at = head.find("Content-Length: ");
        const std::size_t length = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
        if (!peer.answer(200, peer.read_body(length), "ETag: \"e\"\r\n")) return;
    }
}

struct Collector final : contract::ByteSink {
    std::string bytes;
    std::size_t limit = 1u << 30;
    Status append(ByteView piece) override {
        if (bytes.size() + piece.size() > limit) return Error{Code::too_large, "sink.full", "the sink is full"};
        bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        return done();
    }
};

}  // namespace

TEST_CASE("a message goes out and its answer comes back, over one connection that is kept") {
    ScriptedServer server(echo);
    Client client;
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.ask(post(server, "{\"n\":" + std::to_string(i) + "}"));
        REQUIRE(answer.ok());
        CHECK(answer->status == 200);
        CHECK(answer->body == "{\"n\":" + std::to_string(i) + "}");
        CHECK(answer->header("etag") == "\"e\"");
    }
    CHECK(server.connections() == 1);
}

TEST_CASE("what is sent says who is asked and how long it is, and nobody can smuggle a line into it") {
    std::string head;
    ScriptedServer server([&head](Peer& peer) {
        head = peer.read_head();
        peer.answer(200, "");
        peer.wait();
    });
    {
        Client client;
        OutboundRequest request = post(server, "{}");
        request.headers = {{"Authorization", "raw-token"}};
        REQUIRE(client.ask(std::move(request)).ok());
        for (const char* bad : {"a\r\nX: y", "a\nb", "a\x7f"}) {
            OutboundRequest smuggler = post(server, "{}");
            smuggler.headers = {{"Authorization", bad}};
            CHECK(reason_of(client.ask(std::move(smuggler))) == "outbound.header");
        }
    }
    CHECK(head == "POST /callback HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                      "\r\nUser-Agent: entente\r\nAuthorization: raw-token\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n");
}

TEST_CASE("a redirect is an answer: it is not followed") {
    ScriptedServer elsewhere(echo);
    ScriptedServer server([&](Peer& peer) {
        peer.read_head();
        peer.answer(302, "", "Location: " + elsewhere.origin() + "/\r\n");
        peer.wait();
    });
    Client client;
    OutboundRequest request = get(server);
    request.allowed_origins.push_back(elsewhere.origin());
    const auto answer = client.ask(std::move(request));
    REQUIRE(answer.ok());
    CHECK(answer->status == 302);
    CHECK(elsewhere.connections() == 0);
}

TEST_CASE("only the participant's own origins are asked, and http only where loopback is open") {
    ScriptedServer server(echo);
    Client client;
    OutboundRequest none = get(server);
    none.allowed_origins.clear();
    CHECK(reason_of(client.ask(std::move(none))) == "outbound.origin");
    OutboundRequest other = get(server);
    other.allowed_origins = {"http://127.0.0.1:1", "https://127.0.0.1:" + std::to_string(server.port())};
    CHECK(reason_of(client.ask(std::move(other))) == "outbound.origin");
    OutboundRequest malformed = get(server);
    malformed.url = "http://user@127.0.0.1/";
    CHECK(reason_of(client.ask(std::move(malformed))) == "url.user");

    Client strict(OutboundOptions{});
    CHECK(reason_of(strict.ask(get(server))) == "outbound.plain");
    CHECK(server.connections() == 0);
}

TEST_CASE("private, local and mapped addresses are refused before a connection is made, however they are written") {
    ScriptedServer server(echo);
    OutboundOptions options;
    options.plain_loopback = true;  // without 127.0.0.0/8 being open
    Client client(options);
    const std::string port = std::to_string(server.port());
    for (const std::string host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
                                   "10.0.0.1", "169.254.169.254", "192.168.0.1", "[fe80::1]", "[fd00::1]", "224.0.0.1"}) {
        for (const std::string scheme : {"http://", "https://"}) {
            CAPTURE(host);
            OutboundRequest request = get(server);
            request.url = scheme + host + ":" + port + "/";
            request.allowed_origins = {request.url};
            CHECK(reason_of(client.ask(std::move(request))) == "outbound.address");
        }
    }
    CHECK(server.connections() == 0);
}

TEST_CASE("http does not leave this machine even where a network is open") {
    OutboundOptions options = loopback();
    options.opened_networks.push_back("10.0.0.0/8");
    Client client(options);
    OutboundRequest request;
    request.url = "http://10.0.0.1/";
    request.allowed_origins = {request.url};
    CHECK(reason_of(client.ask(std::move(request))) == "outbound.address");
}

TEST_CASE("our own address is refused, by its name and by its port, and hears nothing") {
    std::atomic<bool> heard{false};
    ScriptedServer server([&](Peer& peer) { heard = !peer.read_head().empty(); });
    {
        OutboundOptions by_name = loopback();
        by_name.own_origins = {server.origin() + "/dsp"};
        Client client(by_name);
        CHECK(reason_of(client.ask(get(server))) == "outbound.own-address");
        CHECK(server.connections() == 0);
    }
    {
        OutboundOptions by_port = loopback();
        by_port.own_ports = {server.port()};
        Client client(by_port);
        OutboundRequest request = get(server);
        request.url = "http://localhost:" + std::to_string(server.port()) + "/";
        request.allowed_origins = {request.url};
        CHECK(reason_of(client.ask(std::move(request))) == "outbound.own-address");
    }
    CHECK_FALSE(heard);
}

TEST_CASE("a peer that hangs is left at the deadline, whatever it has said before") {
    for (const std::string said : {"", "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}) {
        CAPTURE(said);
        ScriptedServer server([said](Peer& peer) {
            peer.read_head();
            peer.say(said);
            peer.wait();
        });
        Client client;
        OutboundRequest request = get(server);
        request.timeout_ms = 150;
        CHECK(reason_of(client.ask(std::move(request))) == "outbound.deadline");
    }
}

TEST_CASE("a byte now and then does not hold us: neither in the head nor in the body of a stream") {
    const auto drip = [](Peer& peer, const std::string& start) {
        peer.read_head();
        peer.say(start);
        while (peer.say("x")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    };
    OutboundOptions options = loopback();
    options.body_grace_ms = 100;
    Client client(options);
    {
        ScriptedServer server([&](Peer& peer) { drip(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"); });
        OutboundRequest request = get(server);
        request.timeout_ms = 60'000;
        auto sink = std::make_shared<Collector>();
        request.sink = sink;
        CHECK(reason_of(client.ask(std::move(request))) == "outbound.slow");
        CHECK(sink->bytes.size() < 1000);
    }
    {
        ScriptedServer server([&](Peer& peer) { drip(peer, "HTTP/1.1 200 OK\r\nX: "); });
        OutboundRequest request = get(server);
        request.timeout_ms = 200;
        CHECK(reason_of(client.ask(std::move(request))) == "outbound.deadline");
    }
}

TEST_CASE("an answer is bounded: announced, in chunks, until the end, or in its head") {
    const std::string megabyte(1024 * 1024, 'x');
    struct Row {
        const char* head;
        bool chunks;
    };
    for (const Row& row : {Row{"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n", false}, Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true},
                           Row{"HTTP/1.1 200 OK\r\n\r\n", false}, Row{"HTTP/1.1 200 OK\r\nX: ", false}}) {
        CAPTURE(row.head);
        std::atomic<int> megabytes{0};
        ScriptedServer server([&](Peer& peer) {
            peer.read_head();
            peer.say(row.head);
            for (int i = 0; i < 10; ++i) {
                const bool sent = row.chunks ? peer.say("100000\r\n" + megabyte + "\r\n") : peer.say(megabyte);
                if (!sent) return;
                ++megabytes;
            }
        });
        Client client;
        CHECK(reason_of(client.ask(get(server))) == "outbound.too-large");
        CHECK(megabytes < 9);
    }
}

TEST_CASE("a peer that dies is told apart by when") {
    Client client;
    {
        std::uint16_t closed = 0;
        { closed = ScriptedServer(echo).port(); }
        OutboundRequest request;
        request.url = "http://127.0.0.1:" + std::to_string(closed) + "/";
        request.allowed_origins = {request.url};
        CHECK(reason_of(client.ask(std::move(request))) == "outbound.unreachable");
    }
    for (const std::string said : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", "nonsense\r\n\r\n"}) {
        CAPTURE(said);
        ScriptedServer server([said](Peer& peer) {
            peer.read_head();
            peer.say(said);
        });
        CHECK(reason_of(client.ask(get(server))) == "outbound.broken");
        CHECK(server.connections() == 1);  // it was no kept connection: nothing is tried again by itself
    }
}

TEST_CASE("a kept connection that the peer has closed costs nothing: a fresh one is taken") {
    ScriptedServer server([](Peer& peer) {
        peer.read_head();
        peer.answer(200, "bye");
    });
    Client client;
    for (int i = 0; i < 3; ++i) CHECK(reason_of(client.ask(get(server))) == "answered 200");
    CHECK(server.connections() == 3);
}

TEST_CASE("interim answers are passed over, and not for ever") {
    Client client;
    {
        ScriptedServer server([](Peer& peer) {
            peer.read_head();
            peer.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
            peer.answer(201, "made");
            peer.wait();
        });
        const auto answer = client.ask(get(server));
        REQUIRE(answer.ok());
        CHECK(answer->status == 201);
        CHECK(answer->body == "made");
    }
    ScriptedServer endless([](Peer& peer) {
        peer.read_head();
        while (peer.say("HTTP/1.1 100 Continue\r\n\r\n")) {
        }
    });
    CHECK(reason_of(client.ask(get(endless))) == "outbound.broken");
}

TEST_CASE("a thousand calls at once share a few connections, and all are answered once") {
    ScriptedServer server(echo);
    OutboundOptions options = loopback();
    options.connections_per_origin = 4;
    Client client(options);
    std::vector<int> answered(1000);
    std::size_t count = 0;
    for (std::size_t i = 0; i < answered.size(); ++i) {
        client.out->send(post(server, std::to_string(i)), [&, i](Result<OutboundResponse> answer) {
            if (answer.ok() && answer->body == std::to_string(i)) ++answered[i];
            ++count;
        });
    }
    client.run_until(count, answered.size());
    CHECK(count == 1000);
    CHECK(std::all_of(answered.begin(), answered.end(), [](int n) { return n == 1; }));
    CHECK(server.connections() <= 4);
}

TEST_CASE("a queue that is full says so, one that waits too long too, and shutting down answers the rest") {
    ScriptedServer server([](Peer& peer) {
        peer.read_head();
        peer.wait();
    });
    std::vector<std::string> reasons;
    std::size_t count = 0;
    {
        OutboundOptions options = loopback();
        options.connections_per_origin = 1;
        options.queue_limit = 2;
        Client client(options);
        const auto note = [&](Result<OutboundResponse> answer) {
            reasons.push_back(reason_of(answer));
            ++count;
        };
        client.out->send(get(server), note);
        OutboundRequest hasty = get(server);
        hasty.timeout_ms = 50;
        client.out->send(std::move(hasty), note);
        client.out->send(get(server), note);
        client.out->send(get(server), note);
        client.run_until(count, 2);
        CHECK(reasons == std::vector<std::string>{"outbound.busy", "outbound.deadline"});
    }
    CHECK(reasons == std::vector<std::string>{"outbound.busy", "outbound.deadline", "outbound.closed", "outbound.closed"});
}

TEST_CASE("a stream goes into its sink after its head was seen; what is no 2xx does not") {
    ScriptedServer server([](Peer& peer) {
        for (;;) {
            const std::string head = peer.read_head();
            if (head.empty()) return;
            if (head.starts_with("GET /missing")) {
                peer.answer(404, "{\"code\":\"none\"}");
            } else {
                peer.answer(206, std::string(300'000, 'y'), "Content-Range: bytes 0-299999/300000\r\n");
            }
        }
    });
    Client client;
    auto sink = std::make_shared<Collector>();
    std::string range;
    OutboundRequest request = get(server);
    request.response_limit = 10;
    request.sink = sink;
    request.on_head = [&](const OutboundResponse& head) {
        range = head.header("content-range");
        return done();
    };
    CHECK(reason_of(client.ask(std::move(request))) == "answered 206");
    CHECK(sink->bytes == std::string(300'000, 'y'));
    CHECK(range == "bytes 0-299999/300000");

    OutboundRequest missing = get(server, "/missing");
    missing.sink = sink;
    const auto answer = client.ask(std::move(missing));
    REQUIRE(answer.ok());
    CHECK(answer->body == "{\"code\":\"none\"}");
    CHECK(sink->bytes.size() == 300'000);

    OutboundRequest unwanted = get(server);
    unwanted.sink = sink;
    unwanted.on_head = [](const OutboundResponse&) -> Status { return Error{Code::conflict, "test.unwanted", "not this one"}; };
    CHECK(reason_of(client.ask(std::move(unwanted))) == "test.unwanted");
    sink->limit = 350'000;
    OutboundRequest full = get(server);
    full.sink = sink;
    CHECK(reason_of(client.ask(std::move(full))) == "sink.full");
}

TEST_CASE("a large body is sent from its source, and a peer that refuses it early is heard") {
    const std::string text(3'000'000, 'z');
    const auto source = [&] { return contract::make_source(Bytes(as_bytes(text).begin(), as_bytes(text).end())); };
    std::size_t received = 0;
    ScriptedServer server([&](Peer& peer) {
        const std::string head = peer.read_head();
        if (head.starts_with("POST /refused")) {
            peer.answer(413, "too much", "Connection: close\r\n");
            peer.wait();
            return;
        }
        received = peer.read_body(text.size()).size();
        peer.answer(200, "", "Connection: close\r\n");
        peer.wait();
    });
    Client client;
    OutboundRequest request = post(server, "");
    request.content = source();
    request.content_bytes = text.size();
    CHECK(reason_of(client.ask(std::move(request))) == "answered 200");
    CHECK(received == text.size());

    OutboundRequest refused = post(server, "");
    refused.url = server.origin() + "/refused";
    refused.content = source();
    refused.content_bytes = text.size();
    CHECK(reason_of(client.ask(std::move(refused))) == "answered 413");

    OutboundRequest shorter = post(server, "");
    shorter.content = source();
    shorter.content_bytes = text.size() + 1;
    CHECK(reason_of(client.ask(std::move(shorter))) == "outbound.content");
}
