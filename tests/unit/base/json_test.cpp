#include "entente/base/json.hpp"

#include <doctest/doctest.h>

using namespace entente;

namespace {

std::string reason(const Result<Json>& result) { return result.ok() ? std::string() : result.error().reason; }

}  // namespace

TEST_CASE("a document is read as it was written: order, numbers as text, escapes resolved") {
    const auto json = read_json(R"( {"b":[1.50e+2,-0,true,null],"a":"\u00e9\ud83d\ude00\n\"","":{}} )");
    REQUIRE(json.ok());
    REQUIRE(json->members.size() == 3);
    CHECK(json->members[0].name == "b");
    const Json& list = json->members[0].value;
    REQUIRE(list.items.size() == 4);
    CHECK(list.items[0].text == "1.50e+2");
    CHECK(list.items[1].text == "-0");
    CHECK(list.items[2].kind == Json::Kind::boolean);
    CHECK(list.items[2].text == "true");
    CHECK(list.items[3].kind == Json::Kind::null);
    CHECK(json->find("a")->text == "\xc3\xa9\xf0\x9f\x98\x80\n\"");
    CHECK(json->find("")->kind == Json::Kind::object);
    CHECK(json->find("c") == nullptr);
    CHECK(list.find("a") == nullptr);
}

TEST_CASE("what is no JSON is refused") {
    for (const char* bad : {"", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\"1}", "[1 2]", "01", "-", "1.", ".5", "1e", "+1",
                            "nul", "True", "NaN", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
                            "\"\t\"", "[] []", "{\"a\":1,\"a\":2}", "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"",
                            "\"\xf4\x90\x80\x80\"", "/**/1", "'a'"}) {
        CAPTURE(bad);
        CHECK(reason(read_json(bad)) == "json.malformed");
    }
    CHECK(reason(read_json(std::string_view("\"a\0b\"", 5))) == "json.malformed");
    CHECK(reason(read_json(std::string_view("1\0", 2))) == "json.malformed");
}

TEST_CASE("size and depth have limits, and ten thousand levels are no stack overflow") {
    CHECK(read_json("[[1]]", {.bytes = 5, .depth = 2}).ok());
    CHECK(reason(read_json("[[1]]", {.bytes = 4, .depth = 2})) == "json.too-large");
    CHECK(reason(read_json("[[1]]", {.bytes = 5, .depth = 1})) == "json.too-deep");
    CHECK(reason(read_json(std::string(10'000, '['))) == "json.too-deep");
    std::string objects;
    for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
    CHECK(reason(read_json(objects)) == "json.too-deep");
}
