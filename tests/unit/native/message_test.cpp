#include "http/message.hpp"

#include <doctest/doctest.h>

#include "connectors/hub/http_client.hpp"
#include "entente/base/philox.hpp"

using namespace entente;
namespace http = native::http;

namespace {

struct Split {
    bool good;
    http::Request request;
};

Split split(std::string_view target) {
    Split result{};
    result.good = http::split_target(target, result.request);
    return result;
}

std::string field(const http::Response& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return {};
}

}  // namespace

TEST_CASE("a target is taken apart and decoded once, path and query each in its own way") {
    const Split s = split("/a%20b/%41+c?x=1&y=a+b%2Bc&empty=&bare&x=2&%3d=%26");
    REQUIRE(s.good);
    CHECK(s.request.path == "/a b/A+c");
    CHECK(s.request.query.at("x") == "1");  // the first of two
    CHECK(s.request.query.at("y") == "a b+c");
    CHECK(s.request.query.at("empty").empty());
    CHECK(s.request.query.at("bare").empty());
    CHECK(s.request.query.at("=") == "&");
    CHECK(split("/%2541").request.path == "/%41");  // not decoded twice
    CHECK(split("/a?").request.query.empty());
    CHECK(split("/a?&&").good);
    CHECK(split("/a?b?c=d").request.query.at("b?c") == "d");
}

TEST_CASE("escapes that are cut, no digits or a NUL are refused, in the path and in the query") {
    for (const char* bad : {"/%", "/%4", "/%zz", "/%4z", "/%z4", "/%00", "/a%00b", "/a?x=%", "/a?%=1", "/a?x=%00", "/a?x=%g1", "/%-1", "/%+1"}) {
        CAPTURE(bad);
        CHECK_FALSE(split(bad).good);
    }
    CHECK(split("/%ff").request.path == "/\xff");
}

TEST_CASE("no target, whatever its bytes, does more than be taken apart or refused") {
    Philox random({21, 22});
    for (int i = 0; i < 20'000; ++i) {
        std::string target = "/";
        const char letters[] = "%%%&=?+/.0aF\xff ";
        for (std::uint32_t n = random.bounded(24); n > 0; --n) target += letters[random.bounded(sizeof letters - 1)];
        const Split s = split(target);
        if (s.good) CHECK(s.request.path.size() <= target.size());
        CHECK(s.request.path.find('\0') == std::string::npos);
    }
}

TEST_CASE("an error becomes a problem document that the hub's client reads back as the same error") {
    const Code codes[] = {Code::invalid_argument, Code::unauthenticated, Code::permission_denied, Code::not_found, Code::conflict,
                          Code::gone, Code::too_large, Code::resource_exhausted, Code::unavailable, Code::no_space,
                          Code::deadline_exceeded, Code::cancelled, Code::internal};
    const std::string sentences[] = {"expected 1, found 2", "with \"quotes\" and back\\slash", "\"code\":\"forged\"", "Žluťoučký kůň", "ends in \\"};
    for (const Code code : codes) {
        for (const std::string& sentence : sentences) {
            const http::Response response = http::problem(Error{code, "some.reason", sentence});
            CHECK(response.content_type == "application/problem+json");
            CHECK(http::title_of(response.status) != "Unknown");
            const ByteView body = as_bytes(std::string_view(response.body));
            const Status read = hub::error_of({response.status, response.content_type, {body.begin(), body.end()}});
            REQUIRE_FALSE(read.ok());
            CAPTURE(response.body);
            CHECK(read.error() == Error{code, "some.reason", sentence});
        }
    }
    CHECK(field(http::problem(401, "a", "b"), "WWW-Authenticate") == "Bearer");
    CHECK_FALSE(field(http::problem(429, "a", "b"), "Retry-After").empty());
    CHECK_FALSE(field(http::problem(503, "a", "b"), "Retry-After").empty());
    CHECK(field(http::problem(400, "a", "b"), "Retry-After").empty());
}

TEST_CASE("a head states its length, forbids guessing, and closes when asked to") {
    CHECK(http::http_date(784111777'000) == "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110, section 5.6.7
    CHECK(http::read_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777'000);
    CHECK_FALSE(http::read_http_date("Sunday, 06-Nov-94 08:49:37 GMT"));
    CHECK_FALSE(http::read_http_date(""));
    const std::string head = http::response_head(http::json("{\"a\":1}"), true, false);
    CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(head.ends_with("\r\n\r\n"));
    CHECK(head.find("\r\n\r\n") == head.size() - 4);
    for (const char* line : {"Content-Length: 7\r\n", "Content-Type: application/json\r\n", "Cache-Control: no-store\r\n",
                             "X-Content-Type-Options: nosniff\r\n", "X-Frame-Options: DENY\r\n", "Content-Security-Policy: default-src 'none'"}) {
        CAPTURE(line);
        CHECK(head.find(line) != std::string::npos);
    }
    CHECK(head.find("Connection: close") == std::string::npos);
    CHECK(head.find("Strict-Transport-Security") == std::string::npos);
    CHECK(http::response_head(http::json("{}"), false, true).find("Connection: close\r\n") != std::string::npos);
    CHECK(http::response_head(http::json("{}"), false, true).find("Strict-Transport-Security") != std::string::npos);
    CHECK(http::response_head(http::no_content(), true, false).find("Content-Length") == std::string::npos);
    http::Response own = http::json("{}");
    own.headers.emplace_back("Content-Security-Policy", "sandbox");
    const std::string with_own = http::response_head(own, true, false);
    CHECK(with_own.find("Content-Security-Policy") == with_own.rfind("Content-Security-Policy"));
    http::Response streamed;
    streamed.content = contract::make_source(Bytes(5));
    streamed.content_bytes = 5;
    CHECK(http::response_head(streamed, true, false).find("Content-Length: 5\r\n") != std::string::npos);
}
