#include "dsp/data_plane.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <thread>

#include "base/files.hpp"
#include "http/listener.hpp"
#include "net/download.hpp"
#include "scripted_server.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::native;

namespace {

std::string bytes_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ",";
    text.resize(size);
    return text;
}

struct Server {
    struct Door final : http::Handler {
        std::shared_ptr<DataPlane> data;
        [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override { return data->body_rule(request); }
        void handle(http::Request request, http::Reply reply) override { data->handle(std::move(request), std::move(reply)); }
        void begin_upload(http::Request request, UploadStarted started) override { data->begin_upload(std::move(request), std::move(started)); }
        void subscribe(http::Caller, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
        [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request&) override { return http::problem(404, "http.not-found", "there are no events here"); }
    };

    TemporaryFolder folder;
    boost::asio::io_context io{1};
    Door door;
    ProcessStore store = ProcessStore::open((folder.path / "dsp.db").string()).value();
    BlobStore blobs = BlobStore::open(folder.path).value();
    http::Listener listener{io, door, {}};
    std::atomic<bool> permitted{true};
    std::atomic<int> served{0};
    std::vector<std::string> received;
    std::thread thread;

    Server() {
        REQUIRE(listener.start().ok());
        open();
        thread = std::thread([this] { io.run(); });
    }
    ~Server() {
        io.stop();
        thread.join();
        door.data.reset();
    }
    void open() {
        DataPlaneOptions o{.post = [this](std::function<void()> work) { boost::asio::post(io, std::move(work)); }, .store = store, .blobs = blobs,
                           .address = "http://127.0.0.1:" + std::to_string(listener.port()) + "/dsp", .push_limit_bytes = 1'000'000,
                           .permit = [this](const Grant&) { return permitted ? done() : Status(Error{Code::permission_denied, "policy.denied", "not any more"}); },
                           .on_served = [this](const Grant&) { ++served; },
                           .on_received = [this](const Grant& grant, const Digest& blob) {
                               received.push_back(grant.transfer + " " + to_hex(blob));
                               return done();
                           },
                           .recheck_ms = 10};
        door.data = DataPlane::open(std::move(o)).value();
    }
    // Runs on the data plane's strand.
    template <class Work>
    auto ask(Work work) {
        std::promise<decltype(work())> promise;
        auto answer = promise.get_future();
        boost::asio::post(io, [&] { promise.set_value(work()); });
        return answer.get();
    }
    // `life_ms` from when the bytes are stored; 0: for ever.
    dsp::DataAddress grant(const std::string& text, std::int64_t life_ms = 0, const std::string& transfer = "t1") {
        return ask([&] {
            const Digest blob = blobs.put(as_bytes(text)).value();
            const std::int64_t expires = life_ms == 0 ? 0 : now_ms() + life_ms;
            return door.data->grant({Grant::Way::pull, transfer, "agreement-1", "plant-b", blob, text.size(), expires}).value();
        });
    }
    dsp::DataAddress sink(std::uint64_t limit) {
        return ask([&] { return door.data->grant({Grant::Way::push, "p1", "agreement-1", "plant-b", {}, limit, 0}).value(); });
    }
};

struct Answer {
    std::string status;
    std::string head;
    std::string body;
    [[nodiscard]] std::string field(const std::string& name) const {
        const std::size_t at = head.find("\r\n" + name + ": ");
        return at == std::string::npos ? "" : head.substr(at + name.size() + 4, head.find("\r\n", at + 2) - at - name.size() - 4);
    }
};

// A socket to the server, and what is said over it by hand.
struct Line {
    int fd;
    Peer peer;
    explicit Line(const Server& server) : fd(::socket(AF_INET, SOCK_STREAM, 0)), peer(fd) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(server.listener.port());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    ~Line() { ::close(fd); }
    Answer ask(const std::string& text) {
        peer.say(text);
        Answer answer;
        answer.head = peer.read_head();
        answer.status = answer.head.substr(9, 3);
        const std::string length = answer.field("Content-Length");
        if (!length.empty() && !text.starts_with("HEAD")) answer.body = peer.read_body(std::stoul(length));
        return answer;
    }
};

std::string path_of(const dsp::DataAddress& address) { return address.endpoint.substr(address.endpoint.find("/dsp/")); }

Answer get(const Server& server, const dsp::DataAddress& address, const std::string& token, const std::string& fields = "", const std::string& method = "GET") {
    Line line(server);
    return line.ask(method + " " + path_of(address) + " HTTP/1.1\r\nHost: x\r\n" + (token.empty() ? "" : "Authorization: " + token + "\r\n") + fields + "\r\n");
}

}  // namespace

TEST_CASE("a token fetches its transfer's bytes, raw or as a bearer, as often as it is good") {
    Server server;
    const std::string text = bytes_of(200'000);
    const auto address = server.grant(text);
    CHECK(address.authorization.size() == 43);
    for (const std::string prefix : {"", "Bearer "}) {
        const Answer answer = get(server, address, prefix + address.authorization);
        CHECK(answer.status == "200");
        CHECK(answer.body == text);
        CHECK(answer.field("ETag") == "\"" + to_hex(codec::sha256(as_bytes(text))) + "\"");
        CHECK(answer.field("Accept-Ranges") == "bytes");
        CHECK(answer.field("Content-Length") == "200000");
    }
    CHECK(get(server, address, address.authorization, "", "HEAD").field("Content-Length") == "200000");
    CHECK(server.ask([&] { return server.served.load(); }) == 2);
}

TEST_CASE("no token, another one, another transfer's, and a push's secret are all the same refusal") {
    Server server;
    const auto address = server.grant("first");
    const auto other = server.grant("second", 0, "t2");
    const auto push = server.sink(100);
    std::string nearly = address.authorization;
    nearly.back() = nearly.back() == 'A' ? 'B' : 'A';
    dsp::DataAddress unknown = address;
    unknown.endpoint.back() = '9';
    const Answer refusal = get(server, address, "");
    CHECK(refusal.status == "403");
    for (const Answer& answer : {get(server, address, nearly), get(server, address, other.authorization), get(server, unknown, address.authorization),
                                 get(server, address, "bearer " + address.authorization), get(server, address, std::string(5000, 'A')),
                                 get(server, {"", "/dsp/data/p1", "", ""}, push.endpoint.substr(push.endpoint.rfind('/') + 1))}) {
        CHECK(answer.status == "403");
        CHECK(answer.body == refusal.body);
    }
}

TEST_CASE("revoked, replaced and expired tokens are dead, and a restart changes nothing") {
    Server server;
    const auto first = server.grant("bytes");
    const auto second = server.grant("bytes");
    CHECK(get(server, first, first.authorization).status == "403");
    CHECK(get(server, second, second.authorization).status == "200");
    server.ask([&] { server.open(); return 0; });
    CHECK(get(server, second, second.authorization).status == "200");
    CHECK(server.ask([&] { return server.door.data->revoke("t1").ok() && server.door.data->revoke("never").ok(); }));
    CHECK(get(server, second, second.authorization).status == "403");
    server.ask([&] { server.open(); return 0; });
    CHECK(get(server, second, second.authorization).status == "403");
    const auto late = server.grant("bytes", -1);
    CHECK(get(server, late, late.authorization).body.find("data.expired") != std::string::npos);
}

TEST_CASE("policy is asked when the bytes are asked for") {
    Server server;
    const auto address = server.grant("bytes");
    server.permitted = false;
    CHECK(get(server, address, address.authorization).body.find("policy.denied") != std::string::npos);
    server.permitted = true;
    CHECK(get(server, address, address.authorization).status == "200");
}

TEST_CASE("ranges: from the middle, to the end, the last ones; a condition that does not hold gives the whole") {
    Server server;
    const std::string text = bytes_of(1000);
    const auto address = server.grant(text);
    const std::string etag = "\"" + to_hex(codec::sha256(as_bytes(text))) + "\"";
    struct Row {
        std::string fields;
        const char* status;
        std::string body;
        std::string range;
    };
    for (const Row& row : std::vector<Row>{
             {"Range: bytes=0-9\r\n", "206", text.substr(0, 10), "bytes 0-9/1000"},
             {"Range: bytes=990-\r\n", "206", text.substr(990), "bytes 990-999/1000"},
             {"Range: bytes=990-5000\r\n", "206", text.substr(990), "bytes 990-999/1000"},
             {"Range: bytes=-10\r\n", "206", text.substr(990), "bytes 990-999/1000"},
             {"Range: bytes=-5000\r\n", "206", text, "bytes 0-999/1000"},
             {"Range: bytes=999-999\r\n", "206", text.substr(999), "bytes 999-999/1000"},
             {"Range: bytes=500-\r\nIf-Range: " + etag + "\r\n", "206", text.substr(500), "bytes 500-999/1000"},
             {"Range: bytes=500-\r\nIf-Range: \"other\"\r\n", "200", text, ""},
             {"Range: bytes=500-\r\nIf-Range: Sat, 29 Oct 2022 19:43:31 GMT\r\n", "200", text, ""},
             {"Range: bytes=0-1,5-6\r\n", "200", text, ""},
             {"Range: bytes=9-0\r\n", "200", text, ""},
             {"Range: lines=0-1\r\n", "200", text, ""},
             {"Range: bytes=x-\r\n", "200", text, ""},
             {"Range: bytes=-\r\n", "200", text, ""},
             {"Range: bytes=99999999999999999999-\r\n", "200", text, ""},
         }) {
        CAPTURE(row.fields);
        const Answer answer = get(server, address, address.authorization, row.fields);
        CHECK(answer.status == row.status);
        CHECK(answer.body == row.body);
        CHECK(answer.field("Content-Range") == row.range);
    }
    for (const char* beyond : {"Range: bytes=1000-\r\n", "Range: bytes=5000-6000\r\n", "Range: bytes=-0\r\n"}) {
        CAPTURE(beyond);
        const Answer answer = get(server, address, address.authorization, beyond);
        CHECK(answer.status == "416");
        CHECK(answer.field("Content-Range") == "bytes */1000");
    }
}

TEST_CASE("a running stream ends when its transfer is suspended, when it runs out, and when policy says so") {
    const std::string text = bytes_of(64'000'000);  // more than the system's buffers hold
    constexpr std::int64_t life_ms = 1'500;         // long enough to begin on a busy machine
    for (const int way : {0, 1, 2}) {
        CAPTURE(way);
        Server server;
        const auto address = server.grant(text, way == 1 ? life_ms : 0);
        Line line(server);
        line.peer.say("GET " + path_of(address) + " HTTP/1.1\r\nHost: x\r\nAuthorization: " + address.authorization + "\r\n\r\n");
        CHECK(line.peer.read_head().starts_with("HTTP/1.1 200"));
        CHECK(line.peer.read_body(1'000'000).size() == 1'000'000);
        if (way == 0) CHECK(server.ask([&] { return server.door.data->revoke("t1").ok(); }));
        if (way == 1) std::this_thread::sleep_for(std::chrono::milliseconds(life_ms + 100));
        if (way == 2) {
            server.permitted = false;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        std::size_t rest = 0;
        for (;;) {
            const std::size_t got = line.peer.read_body(1'000'000).size();
            rest += got;
            if (got < 1'000'000) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));  // time for the policy to be asked again
        }
        CHECK(rest < text.size() - 1'000'000);
        CHECK(server.served == 0);
    }
}

TEST_CASE("the download takes up where its line was cut, and has the same bytes") {
    Server server;
    const std::string text = bytes_of(3'000'000);
    const auto address = server.grant(text);
    struct Collector final : contract::ByteSink {
        std::string bytes;
        Status append(ByteView piece) override {
            bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
            return done();
        }
    };
    // A proxy that lets only so many bytes pass over each connection.
    int cuts = 0;
    ScriptedServer proxy([&](Peer& peer) {
        const std::string head = peer.read_head();
        Line line(server);
        line.peer.say(head);
        const std::string answer = line.peer.read_head();
        peer.say(answer);
        const std::size_t length = std::stoul(answer.substr(answer.find("Content-Length: ") + 16));
        std::size_t left = ++cuts < 4 ? 700'000 : length;
        for (;;) {
            const std::string piece = line.peer.read_body(std::min<std::size_t>(left, 100'000));
            if (piece.empty() || !peer.say(piece)) return;
            left -= piece.size();
            if (left == 0) return;
        }
    });
    boost::asio::io_context io;
    OutboundOptions options;
    options.plain_loopback = true;
    options.opened_networks = {"127.0.0.0/8"};
    auto outbound = Outbound::make(io, options).value();
    auto sink = std::make_shared<Collector>();
    std::optional<Result<Downloaded>> got;
    download(outbound, {.url = proxy.origin() + path_of(address), .authorization = address.authorization, .allowed_origins = {proxy.origin()},
                        .limit_bytes = text.size(), .first_retry_ms = 1, .sink = sink},
             [&](Result<Downloaded> result) { got = std::move(result); });
    while (!got && io.run_one_for(std::chrono::seconds(20)) > 0) {
    }
    outbound.reset();
    io.run();
    REQUIRE(got);
    REQUIRE(got->ok());
    CHECK(sink->bytes == text);
    CHECK((*got)->etag == "\"" + to_hex(codec::sha256(as_bytes(text))) + "\"");
    CHECK(proxy.connections() == 4);
}

TEST_CASE("bytes are brought to the address that only the provider knows: once, within their limit, in chunks or not") {
    Server server;
    const std::string text = bytes_of(1000);
    const auto send = [&](const dsp::DataAddress& address, const std::string& body, bool chunks) {
        Line line(server);
        const std::string head = "POST " + path_of(address) + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n";
        if (!chunks) return line.ask(head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body).status;
        char size[32];
        std::snprintf(size, sizeof size, "%zx", body.size());
        return line.ask(head + "Transfer-Encoding: chunked\r\n\r\n" + size + "\r\n" + body + "\r\n0\r\n\r\n").status;
    };
    const std::string expected = "p1 " + to_hex(codec::sha256(as_bytes(text)));
    for (const bool chunks : {false, true}) {
        CAPTURE(chunks);
        server.ask([&] { server.received.clear(); return 0; });
        const auto address = server.sink(1000);
        CHECK(address.authorization.empty());
        CHECK(send(address, text + "x", chunks) == "413");
        dsp::DataAddress wrong = address;
        wrong.endpoint.back() = wrong.endpoint.back() == 'A' ? 'B' : 'A';
        CHECK(send(wrong, text, chunks) == "404");
        server.permitted = false;
        CHECK(send(address, text, chunks) == "403");
        server.permitted = true;
        CHECK(send(address, text, chunks) == "200");
        CHECK(send(address, text, chunks) == "404");
        CHECK(server.ask([&] { return server.received; }) == std::vector<std::string>{expected});
    }
    CHECK(get(server, {"", "/dsp/push/none", "", ""}, "").status == "404");
}
