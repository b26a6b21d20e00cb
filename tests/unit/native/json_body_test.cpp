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
