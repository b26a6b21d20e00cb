#include "net/download.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include <optional>

#include "scripted_server.hpp"

using namespace entente;
using namespace entente::native;

namespace {

const std::string content = [] {
    std::string text;
    for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + " ";
    return text;
}();

struct Collector final : contract::ByteSink {
    std::string bytes;
    std::size_t full_at = 1u << 30;
    Status append(ByteView piece) override {
        if (bytes.size() + piece.size() > full_at) return Error{Code::no_space, "disk.full", "the disk is full"};
        bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        return done();
    }
};

std::string field(const std::string& head, const std::string& name) {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
}

struct Fetched {
    std::string reason;  // "ok", or why not
    std::string bytes;
    std::string etag;
};

Fetched fetch(const ScriptedServer& server, std::function<void(Download&)> change = [](Download&) {}) {
    boost::asio::io_context io;
    OutboundOptions options;
    options.plain_loopback = true;
    options.opened_networks = {"127.0.0.0/8"};
    auto outbound = Outbound::make(io, options).value();
    auto sink = std::make_shared<Collector>();
    Download wish{.url = server.origin() + "/data/1", .authorization = "secret", .allowed_origins = {server.origin()}, .limit_bytes = content.size(),
                  .first_retry_ms = 1, .sink = sink};
    change(wish);
    std::optional<Result<Downloaded>> got;
    download(outbound, std::move(wish), [&](Result<Downloaded> result) { got = std::move(result); });
    while (!got && io.run_one_for(std::chrono::seconds(20)) > 0) {
    }
    outbound.reset();
    io.run();
    REQUIRE(got);
    return {got->ok() ? "ok" : got->error().reason, sink->bytes, got->ok() ? (*got)->etag : ""};
}

// Serves `content` properly, but breaks off after `piece` bytes of each answer.
void serve_pieces(Peer& peer, std::size_t piece, const std::string& etag, std::vector<std::string>& ranges) {
    const std::string head = peer.read_head();
    const std::string range = field(head, "Range");
    ranges.push_back(range + "|" + field(head, "If-Range"));
    std::size_t first = 0;
    std::string start = "HTTP/1.1 200 OK\r\n";
    if (!range.empty() && field(head, "If-Range") == etag) {
        first = std::stoul(range.substr(6));
        start = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(first) + "-" + std::to_string(content.size() - 1) + "/" +
                std::to_string(content.size()) + "\r\n";
    }
    peer.say(start + "ETag: " + etag + "\r\nContent-Length: " + std::to_string(content.size() - first) + "\r\n\r\n" + content.substr(first, piece));
}

}  // namespace

TEST_CASE("a content that breaks again and again arrives whole, each time from where it broke") {
    std::vector<std::string> ranges;
    ScriptedServer server([&](Peer& peer) { serve_pieces(peer, 70'000, "\"e1\"", ranges); });
    const Fetched got = fetch(server);
    CHECK(got.reason == "ok");
    CHECK(got.bytes == content);
    CHECK(got.etag == "\"e1\"");
    CHECK(server.connections() == 5);
    CHECK(ranges == std::vector<std::string>{"|", "bytes=70000-|\"e1\"", "bytes=140000-|\"e1\"", "bytes=210000-|\"e1\"", "bytes=280000-|\"e1\""});
}

TEST_CASE("a peer that knows no ranges sends it all again, and nothing is doubled") {
    int times = 0;
    ScriptedServer server([&](Peer& peer) {
        peer.read_head();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content.substr(0, ++times * 100'000));
    });
    const Fetched got = fetch(server);
    CHECK(got.reason == "ok");
    CHECK(got.bytes == content);
}

TEST_CASE("a content that has changed in the meantime is not glued together") {
    for (const std::string& second : std::vector<std::string>{
             "HTTP/1.1 200 OK\r\nETag: \"e2\"\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n",
             "HTTP/1.1 206 Partial Content\r\nETag: \"e1\"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nabcde",
             "HTTP/1.1 206 Partial Content\r\nETag: \"e1\"\r\nContent-Length: 5\r\n\r\nabcde",
             "HTTP/1.1 206 Partial Content\r\nETag: \"e1\"\r\nContent-Range: bytes 70000-70004/70005\r\nContent-Length: 5\r\n\r\nabcde",
         }) {
        CAPTURE(second);
        std::vector<std::string> ranges;
        ScriptedServer server([&](Peer& peer) {
            if (ranges.empty()) return serve_pieces(peer, 70'000, "\"e1\"", ranges);
            peer.read_head();
            peer.say(second);
            peer.wait();
        });
        CHECK(fetch(server).reason == "download.changed");
    }
}

TEST_CASE("tries end when nothing comes any more, and a refusal is final at once") {
    {
        ScriptedServer server([](Peer& peer) { peer.read_head(); });
        CHECK(fetch(server, [](Download& d) { d.attempts = 3; }).reason == "outbound.broken");
        CHECK(server.connections() == 3);
    }
    struct Row {
        int status;
        const char* reason;
        int asked;
    };
    for (const Row& row : {Row{403, "download.refused", 1}, Row{401, "download.refused", 1}, Row{404, "download.missing", 1}, Row{410, "download.missing", 1},
                           Row{302, "download.failed", 1}, Row{416, "download.failed", 1}, Row{503, "download.failed", 2}}) {
        CAPTURE(row.status);
        ScriptedServer server([&](Peer& peer) {
            peer.read_head();
            peer.answer(row.status, "no", "Connection: close\r\n");
        });
        CHECK(fetch(server, [](Download& d) { d.attempts = 2; }).reason == row.reason);
        CHECK(server.connections() == row.asked);
    }
}

TEST_CASE("more than was agreed is refused, announced or not; a sink's error is final") {
    for (const bool announced : {true, false}) {
        ScriptedServer server([&](Peer& peer) {
            peer.read_head();
            peer.say(announced ? "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" : "HTTP/1.1 200 OK\r\n\r\n");
            peer.say(content);
        });
        const Fetched got = fetch(server, [](Download& d) { d.limit_bytes = 1000; });
        CHECK(got.reason == "download.too-large");
        CHECK(got.bytes.size() <= 1000);
        CHECK(server.connections() == 1);
    }
    std::vector<std::string> ranges;
    ScriptedServer server([&](Peer& peer) { serve_pieces(peer, content.size(), "\"e\"", ranges); });
    CHECK(fetch(server, [](Download& d) {
              auto full = std::make_shared<Collector>();
              full->full_at = 100;
              d.sink = full;
          }).reason == "disk.full");
    CHECK(server.connections() == 1);
}
