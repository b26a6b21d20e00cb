#include "net/address.hpp"

#include <doctest/doctest.h>

using namespace entente::native;

TEST_CASE("a URL has one reading, and URLs of one origin give the same text") {
    struct Row {
        const char* text;
        const char* origin;
        const char* target;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"https://plant-a.example/dsp/2025-1", "https://plant-a.example", "/dsp/2025-1"},
             {"HTTPS://Plant-A.example:443/dsp", "https://plant-a.example", "/dsp"},
             {"https://plant-a.example", "https://plant-a.example", "/"},
             {"https://plant-a.example?x=1", "https://plant-a.example", "/?x=1"},
             {"http://localhost:8083", "http://localhost:8083", "/"},
             {"http://localhost:80/a?b=/c", "http://localhost", "/a?b=/c"},
             {"https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443", "/x"},
             {"https://plant-a.example/urn%3Auuid%3A1/", "https://plant-a.example", "/urn%3Auuid%3A1/"},
         }) {
        CAPTURE(row.text);
        const auto url = read_url(row.text);
        REQUIRE(url.ok());
        CHECK(url->origin() == row.origin);
        CHECK(url->target == row.target);
    }
}

TEST_CASE("what has two readings, or none, is refused with its reason") {
    struct Row {
        const char* text;
        const char* reason;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"", "url.scheme"},
             {"ftp://a.example/", "url.scheme"},
             {"file:///etc/passwd", "url.scheme"},
             {"//a.example/", "url.scheme"},
             {"https://user:word@a.example/", "url.user"},
             {"https://a.example@127.0.0.1/", "url.user"},
             {"https://a.example\\@b.example/", "url.characters"},
             {"https://a.example/x#y", "url.characters"},
             {"https://a.example/x y", "url.characters"},
             {"https://a.example/x\r\nHost: b", "url.characters"},
             {"https://a.example/\xc3\xa4", "url.characters"},
             {"https://", "url.host"},
             {"https:///path", "url.host"},
             {"https://.a.example/", "url.host"},
             {"https://a.example./", "url.host"},
             {"https://a%2eexample/", "url.host"},
             {"https://[::1/", "url.host"},
             {"https://[127.0.0.1]/", "url.host"},
             {"https://[::1]x/", "url.host"},
             {"https://a.example:/", "url.port"},
             {"https://a.example:0/", "url.port"},
             {"https://a.example:65536/", "url.port"},
             {"https://a.example:+80/", "url.port"},
             {"https://a.example:80:80/", "url.port"},
         }) {
        CAPTURE(row.text);
        const auto url = read_url(row.text);
        REQUIRE_FALSE(url.ok());
        CHECK(url.error().reason == row.reason);
    }
    CHECK(read_url("https://a.example/" + std::string(5000, 'x')).error().reason == "url.too-long");
}

TEST_CASE("only addresses of the open internet are global: the special-purpose registries and what embeds others are not") {
    for (const char* text : {"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.167.255.255", "198.20.0.1", "223.255.255.255",
                             "2a00:1450:4001::1", "2606:4700::1111", "2001:200::1"}) {
        CAPTURE(text);
        CHECK(read_address(text)->is_global());
    }
    for (const char* text : {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
                             "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
                             "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "::1",
                             "::ffff:8.8.8.8", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1",
                             "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1"}) {
        CAPTURE(text);
        CHECK_FALSE(read_address(text)->is_global());
    }
    CHECK(read_address("127.9.9.9")->is_loopback());
    CHECK(read_address("::1")->is_loopback());
    CHECK_FALSE(read_address("::ffff:127.0.0.1")->is_loopback());
    CHECK_FALSE(read_address("0x7f.1").ok());
    CHECK_FALSE(read_address("fe80::1%eth0").ok());
}

TEST_CASE("the operator opens networks, and no more than those; multicast stays closed") {
    const auto opened = Networks::read({"10.20.0.0/16", "::1/128", "192.168.7.128/25", "224.0.0.0/4"});
    REQUIRE(opened.ok());
    const auto may = [&](const char* text) { return may_connect(*read_address(text), *opened); };
    CHECK(may("10.20.255.1"));
    CHECK_FALSE(may("10.21.0.1"));
    CHECK(may("::1"));
    CHECK_FALSE(may("::2"));
    CHECK(may("192.168.7.200"));
    CHECK_FALSE(may("192.168.7.100"));
    CHECK_FALSE(may("224.0.0.1"));
    CHECK(may("8.8.8.8"));
    for (const char* bad : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "a/8", "10.0.0.0/-1", "10.0.0.0/8x"}) {
        CAPTURE(bad);
        CHECK(Networks::read({bad}).error().reason == "config.network");
    }
}
