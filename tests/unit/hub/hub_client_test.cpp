// The participant's end against answers of every kind, with an HTTP client that is a list.
#include "connectors/hub/hub_client.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "entente/base/philox.hpp"
#include "support.hpp"

using namespace hub_test;
using hub::HttpRequest;
using hub::HttpResponse;

namespace {

constexpr const char* binary = "application/octet-stream";

// Answers in the order of the list, and remembers what it was asked.
struct FakeHttp final : hub::HttpClient {
    struct Asked {
        HttpRequest request;
        std::int64_t timeout_ms;
        Bytes sent;
    };
    std::deque<Result<HttpResponse>> answers;
    std::vector<Asked> asked;
    std::function<void()> before_answer;

    Result<HttpResponse> send(const HttpRequest& request, ByteSink* sink, const CallOptions& options) override {
        Asked a{request, options.timeout_ms, request.body};
        if (request.content) {
            std::array<std::byte, 7> piece{};
            for (;;) {
                ENTENTE_ASSIGN(const std::size_t n, request.content->read(piece));
                if (n == 0) break;
                a.sent.insert(a.sent.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
            }
        }
        asked.push_back(std::move(a));
        if (before_answer) before_answer();
        REQUIRE_FALSE(answers.empty());
        Result<HttpResponse> answer = std::move(answers.front());
        answers.pop_front();
        if (!answer.ok()) return answer;
        // As http_client.hpp says: a 2xx body goes to the sink, any other into the response.
        if (sink != nullptr && answer->status >= 200 && answer->status < 300) {
            for (std::size_t at = 0; at < answer->body.size(); at += 5) {
                const ByteView all = answer->body;
                ENTENTE_TRY(sink->append(all.subspan(at, std::min<std::size_t>(5, all.size() - at))));
            }
            answer->body.clear();
        }
        return answer;
    }
    void set_token(std::string) override {}

    void answer(int status, Bytes body = {}, std::string type = binary) { answers.emplace_back(HttpResponse{status, std::move(type), std::move(body)}); }
    void problem(int status, const std::string& json) { answer(status, bytes_of(json), "application/problem+json"); }
};

struct Client {
    std::shared_ptr<FakeHttp> http = std::make_shared<FakeHttp>();
    hub::HubClient connector{http};
};

Transfer some_transfer() {
    Transfer t;
    t.id = "tr-1";
    t.agreement = "agr-1";
    t.asset = asset_of("plant-a").id;
    t.version = {3, {}, 10};
    t.state = TransferState::started;
    return t;
}

Agreement some_agreement() {
    return conclude(offer_of("plant-a"), {"op", start_ms}, key("coordinator")).value();
}

HubView some_view() {
    HubView view;
    view.catalog.cursor = 17;
    view.catalog.entries.push_back({asset_of("plant-a"), offer_of("plant-a"), Version{3, {}, 10}});
    view.own_transfers.push_back(some_transfer());
    view.own_agreements.push_back(some_agreement());
    return view;
}

// Every call of the connector, with the answer that it hopes for.
struct Call {
    const char* name;
    std::function<std::string(Client&, CallOptions)> run;  // the reason it completed with
    std::function<void(FakeHttp&)> good;
};

const std::vector<Call>& calls() {
    static const std::vector<Call> all{
        {"publish",
         [](Client& c, CallOptions o) {
             Called<Done> called;
             c.connector.publish(asset_of("plant-a"), offer_of("plant-a"), o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(204, {}, ""); }},
        {"deliver",
         [](Client& c, CallOptions o) {
             Called<Done> called;
             c.connector.deliver(asset_of("plant-a").id, {3, {}, 10}, make_source(bytes_of("0123456789")), o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(204, {}, ""); }},
        {"catalog",
         [](Client& c, CallOptions o) {
             Called<Catalog> called;
             c.connector.catalog({}, o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(200, encode(some_view())); }},
        {"negotiate",
         [](Client& c, CallOptions o) {
             Called<Agreement> called;
             c.connector.negotiate(some_agreement(), o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(201, encode(some_agreement())); }},
        {"transfer",
         [](Client& c, CallOptions o) {
             Called<Transfer> called;
             BoundedSink sink(1000);
             c.connector.transfer({"agr-1", asset_of("plant-a").id, {3, {}, 10}}, sink, o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) {
             h.answer(201, encode(some_transfer()));
             h.answer(200, bytes_of("0123456789"));
         }},
        {"conclude",
         [](Client& c, CallOptions o) {
             Called<Done> called;
             c.connector.conclude("tr-1", {true, "", ""}, o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(204, {}, ""); }},
        {"transfers",
         [](Client& c, CallOptions o) {
             Called<std::vector<Transfer>> called;
             c.connector.transfers(asset_of("plant-a").id, o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(200, encode(some_view())); }},
        {"agreements",
         [](Client& c, CallOptions o) {
             Called<std::vector<Agreement>> called;
             c.connector.agreements(asset_of("plant-a").id, o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(200, encode(some_view())); }},
        {"withdraw",
         [](Client& c, CallOptions o) {
             Called<Done> called;
             c.connector.withdraw(asset_of("plant-a").id, o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(204, {}, ""); }},
        {"wait",
         [](Client& c, CallOptions o) {
             Called<std::uint64_t> called;
             c.connector.wait(3, o, called.completion());
             return called.reason();
         },
         [](FakeHttp& h) { h.answer(200, encode(some_view())); }},
    };
    return all;
}

}  // namespace

TEST_CASE("every call completes once, with what it hoped for") {
    for (const Call& call : calls()) {
        Client c;
        call.good(*c.http);
        CAPTURE(call.name);
        CHECK(call.run(c, {}) == "ok");
        CHECK(c.http->answers.empty());
    }
}

TEST_CASE("a call that was cancelled or is too late sends nothing") {
    CancelToken cancelled;
    cancelled.cancel();
    for (const Call& call : calls()) {
        Client c;
        CAPTURE(call.name);
        CHECK(call.run(c, {30'000, cancelled}) == "connector.cancelled");
        CHECK(call.run(c, {0, {}}) == "connector.deadline");
        CHECK(call.run(c, {-5, {}}) == "connector.deadline");
        CHECK(c.http->asked.empty());
    }
}

TEST_CASE("a connection that broke is told as it is and not repeated here") {
    for (const char* reason : {"connector.unreachable", "connector.deadline", "connector.cancelled", "tls.untrusted", "connector.response-too-large"}) {
        for (const Call& call : calls()) {
            Client c;
            c.http->answers.emplace_back(Error{Code::unavailable, reason, "why"});
            CAPTURE(call.name);
            CHECK(call.run(c, {}) == reason);
            CHECK(c.http->asked.size() == 1);
        }
    }
}

TEST_CASE("a problem document is the error inside it") {
    for (const Call& call : calls()) {
        Client c;
        c.http->problem(403, R"({"type":"about:blank","title":"Forbidden","status":403,"code":"policy.denied","detail":"expected 3 \"partners\", found 2"})");
        CAPTURE(call.name);
        CHECK(call.run(c, {}) == "policy.denied");
    }
    const auto error = [](int status, const std::string& body) {
        return hub::error_of({status, "application/problem+json", bytes_of(body)}).error();
    };
    CHECK(error(403, R"({"code":"a.b","detail":"with \"quotes\" and \\"})") == Error{Code::permission_denied, "a.b", "with \"quotes\" and \\"});
    CHECK(error(507, R"({"code":"disk.full","detail":"x"})").code == Code::no_space);
    CHECK(error(409, "").reason == "http.status-409");
    CHECK(error(409, "").code == Code::conflict);
    CHECK(error(502, "<html>Bad Gateway</html>").code == Code::unavailable);
    CHECK(error(418, "").code == Code::invalid_argument);
    CHECK(error(302, "").reason == "http.status-302");
    CHECK(error(0, "").reason == "http.status-0");
    CHECK(error(100, "").reason == "http.status-100");
    CHECK(hub::error_of({200, "", {}}).ok());
    CHECK(hub::error_of({299, "", {}}).ok());
    CHECK_FALSE(hub::error_of({300, "", {}}).ok());
    CHECK_FALSE(hub::error_of({199, "", {}}).ok());
}

TEST_CASE("no problem document, however it is cut or made up, does more than give some error") {
    const std::string good = R"({"status":403,"code":"policy.denied","detail":"tab \u0009 and \"quote\" \\"})";
    for (std::size_t size = 0; size <= good.size(); ++size) {
        const Status status = hub::error_of({403, "", bytes_of(good.substr(0, size))});
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().code == Code::permission_denied);
        CHECK_FALSE(status.error().reason.empty());
        CHECK_FALSE(status.error().message.empty());
    }
    Philox random({31, 32});
    const std::string pieces[] = {"\"code\":\"", "\"detail\":\"", "\\", "\\u", "\"", "x", "\\u00", ",", "{"};
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (std::uint32_t n = random.bounded(12); n > 0; --n) text += pieces[random.bounded(9)];
        CHECK_FALSE(hub::error_of({400 + static_cast<int>(random.bounded(200)), "", bytes_of(text)}).ok());
    }
}

TEST_CASE("an answer that is cut, longer or of another kind is refused where there is something to read") {
    for (const Call& call : calls()) {
        FakeHttp good;
        call.good(good);
        const Bytes whole = good.answers.front()->body;
        if (whole.empty()) continue;
        CAPTURE(call.name);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            Client c;
            c.http->answer(200, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
            CHECK(call.run(c, {}) == "wire.malformed");
        }
        Client longer;
        Bytes more = whole;
        more.push_back(std::byte{0});
        longer.http->answer(200, more);
        CHECK(call.run(longer, {}) == "wire.malformed");
        Client page;
        page.http->answer(200, bytes_of("<html>Please sign in to the guest network</html>"), "text/html");
        CHECK(call.run(page, {}) != "ok");
        Client nothing;
        nothing.http->answer(204, {}, "");
        CHECK(call.run(nothing, {}) == "wire.malformed");
    }
}

TEST_CASE("random bytes in an answer's place are refused, without an allocation that they ask for") {
    Philox random({41, 42});
    for (int i = 0; i < 3000; ++i) {
        Client c;
        Bytes bytes;
        for (std::uint32_t n = random.bounded(200); n > 0; --n) bytes.push_back(static_cast<std::byte>(random.bounded(i % 2 == 0 ? 256 : 3)));
        c.http->answer(200, bytes);
        Called<Agreement> called;
        c.connector.negotiate(some_agreement(), {}, called.completion());
        CHECK(called.reason() == "wire.malformed");
    }
}

TEST_CASE("a word of acknowledgement is the hub's own: a guest network's page is none") {
    for (const Call& call : calls()) {
        FakeHttp good;
        call.good(good);
        if (!good.answers.front()->body.empty()) continue;
        Client c;
        c.http->answer(200, bytes_of("<html>Please sign in to the guest network</html>"), "text/html");
        CAPTURE(call.name);
        CHECK(call.run(c, {}) == "connector.unexpected-answer");
    }
}

TEST_CASE("requests say what they are: method, place, length and content") {
    Client c;
    for (const Call& call : calls()) {
        call.good(*c.http);
        REQUIRE(call.run(c, {12'345, {}}) == "ok");
    }
    const std::string asset = "/api/v1/hub/assets/" + asset_of("plant-a").id;
    const struct {
        const char* method;
        std::string target;
    } expected[] = {
        {"PUT", asset},
        {"PUT", asset + "/content?round=3&content=" + to_hex(Digest{})},
        {"GET", "/api/v1/hub/view?cursor=0&wait_ms=0"},
        {"POST", "/api/v1/hub/agreements"},
        {"POST", "/api/v1/hub/transfers"},
        {"GET", "/api/v1/hub/transfers/tr-1/content"},
        {"POST", "/api/v1/hub/transfers/tr-1/outcome"},
        {"GET", "/api/v1/hub/view?cursor=0&wait_ms=0"},
        {"GET", "/api/v1/hub/view?cursor=0&wait_ms=0"},
        {"DELETE", asset},
        {"GET", "/api/v1/hub/view?cursor=3&wait_ms=12345"},
    };
    REQUIRE(c.http->asked.size() == std::size(expected));
    for (std::size_t i = 0; i < std::size(expected); ++i) {
        CHECK(c.http->asked[i].request.method == expected[i].method);
        CHECK(c.http->asked[i].request.target == expected[i].target);
        CHECK(c.http->asked[i].request.authorised);
    }
    CHECK(c.http->asked[1].request.content_bytes == 10);
    CHECK(c.http->asked[1].sent == bytes_of("0123456789"));
    CHECK(decode_publication(c.http->asked[0].sent).ok());
    CHECK(decode_outcome(c.http->asked[6].sent)->accepted);
    CHECK(c.http->asked[0].timeout_ms == 12'345);
    CHECK(c.http->asked.back().timeout_ms > 12'345);  // the answer of a long poll has to travel
}

TEST_CASE("a long poll asks for no longer than the server gives, and for no negative time") {
    for (const auto& [asked_ms, sent] : {std::pair{std::int64_t{90'000}, "30000"}, {std::int64_t{-7}, "0"}, {std::int64_t{250}, "250"}}) {
        Client c;
        c.http->answer(200, encode(some_view()));
        CHECK(c.connector.watch(9, asked_ms, {})->catalog.cursor == 17);
        CHECK(c.http->asked.at(0).request.target == "/api/v1/hub/view?cursor=9&wait_ms=" + std::string(sent));
    }
}

TEST_CASE("content of another size than announced is never sent as if it were whole") {
    for (const char* content : {"012345678", "0123456789+", ""}) {
        Client c;
        Called<Done> called;
        c.connector.deliver(asset_of("plant-a").id, {3, {}, 10}, make_source(bytes_of(content)), {}, called.completion());
        CAPTURE(content);
        CHECK(called.reason() == "connector.size");
    }
}

TEST_CASE("a sink that refuses ends the transfer with its own error, and the provider is told why") {
    Client c;
    c.http->answer(201, encode(some_transfer()));
    c.http->answer(200, bytes_of("0123456789"));
    c.http->answer(204, {}, "");
    BoundedSink small(7);
    Called<Transfer> called;
    c.connector.transfer({"agr-1", asset_of("plant-a").id, {3, {}, 10}}, small, {}, called.completion());
    CHECK(called.reason() == "transfer.too-large");
    REQUIRE(c.http->asked.size() == 3);
    CHECK(c.http->asked[2].request.target == "/api/v1/hub/transfers/tr-1/outcome");
    const Outcome told = decode_outcome(c.http->asked[2].sent).value();
    CHECK_FALSE(told.accepted);
    CHECK(told.code == "transfer.too-large");
}

TEST_CASE("a transfer that breaks off in the middle is an error, and the next one begins anew") {
    Client c;
    c.http->answer(201, encode(some_transfer()));
    c.http->answers.emplace_back(Error{Code::unavailable, "connector.unreachable", "broke off"});
    BoundedSink sink(1000);
    Called<Transfer> called;
    c.connector.transfer({"agr-1", asset_of("plant-a").id, {3, {}, 10}}, sink, {}, called.completion());
    CHECK(called.reason() == "connector.unreachable");
    CHECK(c.http->asked.size() == 2);
    c.http->answer(201, encode(some_transfer()));
    c.http->answer(200, bytes_of("0123456789"));
    Called<Transfer> again;
    c.connector.transfer({"agr-1", asset_of("plant-a").id, {3, {}, 10}}, sink, {}, again.completion());
    CHECK(again.reason() == "ok");
    CHECK(sink.bytes() == bytes_of("0123456789"));
}

TEST_CASE("a call that is cancelled between its two requests sends no second one") {
    Client c;
    CancelToken cancel;
    c.http->before_answer = [&cancel] { cancel.cancel(); };
    c.http->answer(201, encode(some_transfer()));
    BoundedSink sink(1000);
    Called<Transfer> called;
    c.connector.transfer({"agr-1", asset_of("plant-a").id, {3, {}, 10}}, sink, {30'000, cancel}, called.completion());
    CHECK(called.reason() == "connector.cancelled");
    CHECK(c.http->asked.size() == 1);
}

TEST_CASE("what is asked of the view is picked out of it, and nothing else") {
    Client c;
    HubView view = some_view();
    view.catalog.entries.push_back({{global_model_asset("demo"), AssetKind::global_model, "demo", "coordinator"}, offer_of("plant-a"), {}});
    for (int i = 0; i < 5; ++i) c.http->answer(200, encode(view));
    Called<Catalog> models;
    c.connector.catalog({.kind = AssetKind::global_model, .asset = {}}, {}, models.completion());
    REQUIRE(models.reason() == "ok");
    CHECK(models.with->value().entries.size() == 1);
    CHECK(models.with->value().cursor == 17);
    Called<Catalog> one;
    c.connector.catalog({.kind = {}, .asset = asset_of("plant-a").id}, {}, one.completion());
    CHECK(one.with->value().entries.size() == 1);
    Called<Catalog> none;
    c.connector.catalog({.kind = AssetKind::global_model, .asset = asset_of("plant-a").id}, {}, none.completion());
    CHECK(none.with->value().entries.empty());
    Called<std::vector<Transfer>> foreign;
    c.connector.transfers(asset_of("plant-b").id, {}, foreign.completion());
    CHECK(foreign.with->value().empty());
    Called<std::vector<Agreement>> agreements;
    c.connector.agreements(asset_of("plant-b").id, {}, agreements.completion());
    CHECK(agreements.with->value().empty());
}
