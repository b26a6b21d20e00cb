#include "dsp_connector.hpp"

#include <sys/resource.h>

#include <csignal>
#include <future>

#include "scripted_server.hpp"

using namespace dsp_test;

namespace {

std::string token(const std::string& client, const std::string& audience) {
    return R"({"region":"eu","audience":")" + audience + R"(","clientId":")" + client + "\"}";
}

// One request by hand: status line and body.
struct Answer {
    std::string status;
    std::string body;
};
Answer ask(const Connector& connector, const std::string& start, const std::string& fields = "", const std::string& body = "") {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(connector.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    Peer peer(fd);
    peer.say(start + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body);
    const std::string head = peer.read_head();
    const std::size_t at = head.find("Content-Length: ");
    Answer answer{head.substr(0, head.find("\r\n")), at == std::string::npos ? "" : peer.read_body(std::stoul(head.substr(at + 16)))};
    ::close(fd);
    return answer;
}

bool finalized(Connector& connector, const std::string& pid) {
    return connector.ask([&] {
        const auto& all = connector.service->node().negotiations();
        const auto it = all.find(pid);
        return it != all.end() && it->second.state == dsp::NegotiationState::finalized && it->second.outbox.empty();
    });
}

}  // namespace

TEST_CASE("two connectors negotiate over HTTP, and both have the agreement on disk") {
    TemporaryFolder a_folder, b_folder;
    std::string pid, agreement;
    {
        Connector a("plant-a", a_folder.path), b("plant-b", b_folder.path);
        a.peer_origins = {b.origin()};
        b.peer_origins = {a.origin()};
        a.run();
        b.run();
        const auto begun = b.negotiate(a, "plant-a");
        REQUIRE(begun.ok());
        pid = *begun;
        CHECK(becomes([&] { return finalized(b, pid); }));
        agreement = b.ask([&] { return b.service->node().negotiations().at(pid).agreement; });
        CHECK(becomes([&] { return a.ask([&] { return a.service->node().negotiations().begin()->second.outbox.empty(); }); }));
        CHECK(b.steps >= 3);
    }
    for (const auto& [folder, role] : {std::pair(&a_folder, dsp::Role::provider), std::pair(&b_folder, dsp::Role::consumer)}) {
        ProcessStore store = ProcessStore::open((folder->path / "dsp.db").string()).value();
        const auto all = store.load();
        REQUIRE(all.ok());
        REQUIRE(all->negotiations.size() == 1);
        const dsp::Negotiation& n = all->negotiations.front();
        CHECK(n.role == role);
        CHECK(n.state == dsp::NegotiationState::finalized);
        CHECK(n.agreement == agreement);
        CHECK_FALSE(agreement.empty());
    }
}

TEST_CASE("what was open goes on after both sides were gone, with the addresses that they had") {
    TemporaryFolder a_folder, b_folder;
    std::string pid;
    std::uint16_t a_port = 0, b_port = 0;
    {
        Connector a("plant-a", a_folder.path), b("plant-b", b_folder.path);  // a accepts connections, and answers nothing
        a_port = a.port();
        b_port = b.port();
        b.peer_origins = {a.origin()};
        b.run();
        pid = *b.negotiate(a, "plant-a");
    }
    Connector a("plant-a", a_folder.path, a_port), b("plant-b", b_folder.path, b_port);
    a.peer_origins = {b.origin()};
    b.peer_origins = {a.origin()};
    REQUIRE(b.service->node().negotiations().contains(pid));
    b.run();
    a.run();
    CHECK(becomes([&] { return finalized(b, pid); }));
    CHECK(a.ask([&] { return a.service->node().negotiations().size(); }) == 1);
}

TEST_CASE("while nothing can be stored nothing is promised: 503, no message leaves, the host hears of it; then all goes on") {
    TemporaryFolder a_folder, b_folder;
    Connector a("plant-a", a_folder.path), b("plant-b", b_folder.path);
    a.peer_origins = {b.origin()};
    b.peer_origins = {a.origin()};
    a.run();
    b.run();
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{1024, before.rlim_max};
    const std::string body = R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"ContractRequestMessage","@id":"m1","consumerPid":"c1",)"
                             R"("callbackAddress":"http://127.0.0.1:9/dsp","offer":{"@id":"offer-1","@type":"Offer","target":")" + dataset_id +
                             R"(","permission":[{"action":"use"}]}})";
    const auto request = [&](Connector& of) { return ask(of, "POST /dsp/2025-1/negotiations/request", "Authorization: " + token("plant-c", of.address()) + "\r\n", body).status; };
    REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
    auto pid = std::async(std::launch::async, [&] { return b.negotiate(a, "plant-a"); });
    CHECK(becomes([&] { return b.failures == 1; }));
    CHECK(request(b) == "HTTP/1.1 503 Service Unavailable");
    CHECK(b.steps == 0);
    CHECK(a.ask([&] { return a.service->node().negotiations().empty(); }));
    CHECK(pid.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    REQUIRE(becomes([&] { return pid.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
    const auto begun = pid.get();
    REQUIRE(begun.ok());
    CHECK(becomes([&] { return finalized(b, *begun); }));
    CHECK(b.failures == 1);
    CHECK(request(b) == "HTTP/1.1 201 Created");
}

TEST_CASE("the version document is there for everybody, below the root and at the host's") {
    TemporaryFolder folder;
    Connector a("plant-a", folder.path);
    a.run();
    CHECK(ask(a, "GET /dsp/.well-known/dspace-version").body.find("\"path\":\"/2025-1\"") != std::string::npos);
    CHECK(ask(a, "GET /.well-known/dspace-version").body.find("\"path\":\"/dsp/2025-1\"") != std::string::npos);
    CHECK(ask(a, "GET /dsp/.well-known/dspace-version/").status == "HTTP/1.1 200 OK");
    CHECK(ask(a, "GET /dsp/2024-1/catalog/request").status == "HTTP/1.1 404 Not Found");
    CHECK(ask(a, "GET /other").status == "HTTP/1.1 404 Not Found");
}

TEST_CASE("who is calling is asked first: no token, another's audience, and a stranger's process") {
    TemporaryFolder a_folder, b_folder;
    Connector a("plant-a", a_folder.path), b("plant-b", b_folder.path);
    a.peer_origins = {b.origin()};
    b.peer_origins = {a.origin()};
    a.run();
    b.run();
    const std::string body = R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"CatalogRequestMessage"})";
    const auto fields = [&](const std::string& text) { return "Authorization: " + text + "\r\n"; };
    const std::string path = "POST /dsp/2025-1/catalog/request";
    CHECK(ask(a, path, "", body).status == "HTTP/1.1 401 Unauthorized");
    CHECK(ask(a, path, fields("Bearer x"), body).status == "HTTP/1.1 401 Unauthorized");
    CHECK(ask(a, path, fields(token("plant-b", "http://elsewhere/dsp/2025-1")), body).status == "HTTP/1.1 401 Unauthorized");
    const Answer refused = ask(a, path, fields(token("plant-b", "http://elsewhere/dsp/2025-1")), body);
    CHECK(refused.body.find("\"@type\":\"CatalogError\"") != std::string::npos);
    for (const std::string end : {"", "/"}) {
        const Answer answer = ask(a, path + end, fields(token("plant-b", a.address())), body);
        CHECK(answer.status == "HTTP/1.1 200 OK");
        CHECK(answer.body.find(dataset_id) != std::string::npos);
    }
    const std::string pid = *b.negotiate(a, "plant-a");
    REQUIRE(becomes([&] { return finalized(b, pid); }));
    CHECK(ask(b, "GET /dsp/2025-1/negotiations/" + pid, fields(token("plant-a", b.address()))).status == "HTTP/1.1 200 OK");
    CHECK(ask(b, "GET /dsp/2025-1/negotiations/urn%3Auuid%3A" + pid.substr(9), fields(token("plant-a", b.address()))).status == "HTTP/1.1 200 OK");
    CHECK(ask(b, "GET /dsp/2025-1/negotiations/" + pid, fields(token("plant-c", b.address()))).status == "HTTP/1.1 404 Not Found");
    CHECK(ask(b, "GET /dsp/2025-1/negotiations/urn:uuid:none", fields(token("plant-a", b.address()))).status == "HTTP/1.1 404 Not Found");
}

TEST_CASE("bodies that are too large, too deep or no JSON change nothing") {
    TemporaryFolder folder;
    Connector a("plant-a", folder.path);
    a.run();
    const std::string fields = "Authorization: " + token("plant-b", a.address()) + "\r\n";
    const std::string path = "POST /dsp/2025-1/negotiations/request";
    CHECK(ask(a, path, fields, "{").status == "HTTP/1.1 400 Bad Request");
    CHECK(ask(a, path, fields, std::string(10'000, '[') + std::string(10'000, ']')).status.starts_with("HTTP/1.1 4"));
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(a.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    Peer peer(fd);
    peer.say(path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n");
    const std::string head = peer.read_head();
    CHECK(head.starts_with("HTTP/1.1 413"));
    CHECK(peer.read_body(4096).find(R"("ContractNegotiationError")") != std::string::npos);
    ::close(fd);
    CHECK(a.ask([&] { return a.service->node().negotiations().empty(); }));
    CHECK(a.steps == 0);
}

TEST_CASE("a peer whose address is not registered gets nothing from us, and the negotiation says why it ended") {
    TemporaryFolder a_folder, b_folder;
    Connector a("plant-a", a_folder.path), b("plant-b", b_folder.path);
    b.peer_origins = {"http://127.0.0.1:1"};
    b.run();
    const auto pid = b.negotiate(a, "plant-a");
    REQUIRE(pid.ok());
    CHECK(becomes([&] { return b.ask([&] { return b.service->node().negotiations().at(*pid).last_error.find("registered") != std::string::npos ||
                                                  b.service->node().negotiations().at(*pid).last_error.find("expected an address at") != std::string::npos; }); }));
}

TEST_CASE("fifty negotiations at once all end in an agreement, none of them twice") {
    TemporaryFolder a_folder, b_folder;
    Connector a("plant-a", a_folder.path), b("plant-b", b_folder.path);
    a.peer_origins = {b.origin()};
    b.peer_origins = {a.origin()};
    a.run();
    b.run();
    std::vector<std::string> pids;
    for (int i = 0; i < 50; ++i) pids.push_back(*b.negotiate(a, "plant-a"));
    for (const std::string& pid : pids) CHECK(becomes([&] { return finalized(b, pid); }, 60));
    CHECK(a.ask([&] { return a.service->node().negotiations().size(); }) == 50);
}

TEST_CASE("the mock identity believes everybody, so it is for loopback alone") {
    CHECK(make_mock_identity("a", "127.0.0.1").ok());
    CHECK(make_mock_identity("a", "::1").ok());
    for (const char* listen : {"0.0.0.0", "::", "10.0.0.1", "localhost", ""}) {
        CAPTURE(listen);
        CHECK(make_mock_identity("a", listen).error().reason == "identity.mock");
    }
    const auto identity = make_mock_identity("plant-a", "127.0.0.1", {"any"}).value();
    const auto verify = [&](const std::string& header) {
        std::string answer;
        identity->verify(header, "http://us", [&](Result<std::string> id) { answer = id.ok() ? *id : id.error().reason; });
        return answer;
    };
    std::string minted;
    identity->mint("http://us", [&](Result<std::string> header) { minted = *header; });
    CHECK(verify(minted) == "plant-a");
    CHECK(verify(token("plant-b", "any")) == "plant-b");
    CHECK(verify(token("plant-b", "http://them")) == "identity.audience");
    CHECK(verify("") == "identity.none");
    for (const std::string bad : {"{", "[]", "{}", R"({"clientId":"x"})", R"({"clientId":1,"audience":"any"})", R"({"clientId":"","audience":"any"})"}) {
        CAPTURE(bad);
        CHECK(verify(bad) == "identity.malformed");
    }
    CHECK(verify(token(std::string(5000, 'x'), "any")) == "identity.malformed");
}

TEST_CASE("a row that cannot be read is said to be damaged; one of another format is left alone") {
    TemporaryFolder folder;
    const std::string path = (folder.path / "dsp.db").string();
    {
        ProcessStore store = ProcessStore::open(path).value();
        CHECK(store.save({{"p1", {ProcessStore::Kind::transfer, Bytes(10)}}}).ok());
        CHECK(store.load().error().reason == "store.damaged");
        dsp::Negotiation n;
        n.pid = "p1";
        CHECK(store.save({{"p1", {ProcessStore::Kind::negotiation, dsp::encode(n)}}}).ok());
        const auto all = store.load();
        REQUIRE(all.ok());
        CHECK(all->negotiations.size() == 1);
        CHECK(all->negotiations.front() == n);
    }
    {
        Database database = Database::open(path).value();
        CHECK(database.execute("PRAGMA user_version = 7").ok());
    }
    const auto other = ProcessStore::open(path);
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().reason == "store.other-version");
}
