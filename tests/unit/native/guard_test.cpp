#include "http/guard.hpp"

#include <doctest/doctest.h>

#include <string>

using entente::native::http::check_head;

namespace {

std::string reason(const std::string& head) {
    const auto status = check_head(head);
    return status.ok() ? "ok" : std::string(status.error().reason);
}

std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }

}  // namespace

TEST_CASE("plain requests pass") {
    CHECK(reason(get("")) == "ok");
    CHECK(reason(get("Accept: */*\r\nX-Empty:\r\n")) == "ok");
    CHECK(reason("POST /a?b=c HTTP/1.1\r\nHost: a:8443\r\nContent-Length: 12\r\n\r\n") == "ok");
}

TEST_CASE("heads that two servers could read in two ways are refused") {
    const std::string bad[] = {
        get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        get("Content-Length: 1\r\nContent-Length: 1\r\n"),
        get("Content-Length: 1, 1\r\n"),
        get("Content-Length: +1\r\n"),
        get("Content-Length: -1\r\n"),
        get("Content-Length: 0x10\r\n"),
        get("Content-Length: 99999999999999999999999\r\n"),
        get("Transfer-Encoding: chunked, chunked\r\n"),
        get("Transfer-Encoding: gzip\r\n"),
        get("Transfer-Encoding: xchunked\r\n"),
        get("Transfer-Encoding : chunked\r\n"),
        get("X: a\r\n folded\r\n"),
        get("Host: b\r\n"),
        get(": empty\r\n"),
        get("Na me: x\r\n"),
        get("Trailer: X\r\n"),
        get("X: a\nY: b\r\n"),
        get("X: a\rY: b\r\n"),
        get(std::string("X: a\0b\r\n", 8)),
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET /\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "",
        "\r\n\r\n",
    };
    for (const std::string& head : bad) {
        CAPTURE(head);
        CHECK(reason(head).rfind("http.", 0) == 0);
    }
}

TEST_CASE("a hundred fields pass, and one more does not") {
    std::string fields;
    for (int i = 0; i < 99; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
    CHECK(reason(get(fields)) == "ok");
    CHECK(reason(get(fields + "X-Last: 1\r\n")) != "ok");
}

TEST_CASE("every prefix of a good head is refused") {
    const std::string head = get("Content-Length: 5\r\nAccept: */*\r\n");
    for (std::size_t size = 0; size < head.size(); ++size) CHECK(reason(head.substr(0, size)) != "ok");
    CHECK(reason(head) == "ok");
    CHECK(reason("GET / HTTP/1.1\r\nHost: a\r\n\r\nX: y\r\n\r\n") == "http.malformed");
}
