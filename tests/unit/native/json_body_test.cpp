#include "api/json_body.hpp"

#include <doctest/doctest.h>

#include <string>

using entente::native::JsonBody;

TEST_CASE("a flat object is read, a nested one by its path") {
    const auto body = JsonBody::parse(R"({"a": "x", "n": 2.5, "yes": true, "in": {"b": "y"}})");
    REQUIRE(body.ok());
    CHECK(body->text("a") == "x");
    CHECK(body->text("in.b") == "y");
    CHECK(body->number("n", 0) == 2.5);
    CHECK(body->number("missing", 7) == 7);
    CHECK(body->text("missing").empty());
    CHECK(body->has("yes"));
    CHECK_FALSE(body->has("no"));
}

TEST_CASE("what is not such an object is refused") {
    const std::string bad[] = {"", "[", "[]", "1", "null", "{\"a\":}", "{\"a\":1", "{\"a\":1}x", "{'a':1}", "{\"a\":NaN}",
                               "{\"a\":1e999}", std::string("{\"a\":\"\xff\"}")};
    for (const std::string& text : bad) {
        CAPTURE(text);
        CHECK_FALSE(JsonBody::parse(text).ok());
    }
}

TEST_CASE("depth and size cannot exhaust the stack") {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
    CHECK_FALSE(JsonBody::parse(deep).ok());
    CHECK_FALSE(JsonBody::parse(deep + "1" + std::string(100'000, '}')).ok());
}

TEST_CASE("numbers are finite doubles, whatever form they have") {
    const auto body = JsonBody::parse(R"({"big": 18446744073709551615, "least": -9223372036854775808, "tiny": 1e-400, "e": 1E2, "zero": -0})");
    REQUIRE(body.ok());
    CHECK(body->number("big", 0) == 18446744073709551615.0);
    CHECK(body->number("least", 0) == -9223372036854775808.0);
    CHECK(body->number("tiny", 1) == 0.0);
    CHECK(body->number("e", 0) == 100.0);
    CHECK(body->number("zero", 1) == 0.0);
    for (const char* bad : {"{\"a\":-1e999}", "{\"in\":{\"a\":1e999}}", "{\"a\":Infinity}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}",
                            "{\"a\":0x1}", "{\"a\":1_000}"}) {
        CAPTURE(bad);
        CHECK(JsonBody::parse(bad).error().reason == "http.json");
    }
}

TEST_CASE("a value of another type is as good as absent, never converted") {
    const auto body = JsonBody::parse(R"({"text": "7", "number": 7, "yes": true, "null": null, "list": ["x"], "in": {}})");
    REQUIRE(body.ok());
    CHECK(body->number("text", -1) == -1);
    CHECK(body->text("number").empty());
    CHECK(body->text("yes").empty());
    CHECK(body->number("yes", -1) == 1);
    for (const char* key : {"null", "list", "in", "in.x", "", "."}) {
        CAPTURE(key);
        CHECK_FALSE(body->has(key));
        CHECK(body->text(key).empty());
        CHECK(body->number(key, -1) == -1);
    }
}

TEST_CASE("of several members with one name the last counts, and the first is gone") {
    const auto body = JsonBody::parse(R"({"a": "first", "a": 2, "in": {"b": 1, "b": "last"}})");
    REQUIRE(body.ok());
    CHECK(body->text("a").empty());
    CHECK(body->number("a", 0) == 2);
    CHECK(body->text("in.b") == "last");
}

TEST_CASE("escapes, zeros and long text in strings are kept as they are; half a surrogate is refused") {
    const auto body = JsonBody::parse(R"({"a": "\u0000\u001b\"\\\/\u00e9\ud83d\ude00", "": "nameless"})");
    REQUIRE(body.ok());
    CHECK(body->text("a") == std::string("\0\x1b\"\\/é😀", 11));
    CHECK(body->text("") == "nameless");
    CHECK(JsonBody::parse("{\"a\":\"" + std::string(1'000'000, 'x') + "\"}")->text("a").size() == 1'000'000);
    for (const char* bad : {R"({"a":"\ud83d"})", R"({"a":"\x41"})", "{\"a\":\"line\nend\"}", R"({"a":"\u12"})", "{\"a\":\"\xed\xa0\x80\"}"}) {
        CAPTURE(bad);
        CHECK_FALSE(JsonBody::parse(bad).ok());
    }
}

TEST_CASE("every cut of a good body is refused") {
    const std::string good = R"({"a": "x\u00e9", "n": -2.5e3, "in": {"b": [true, null]}})";
    REQUIRE(JsonBody::parse(good).ok());
    for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(JsonBody::parse(good.substr(0, size)).ok());
}
