#include <doctest/doctest.h>

#include "entente/base/base64.hpp"

using namespace entente;

namespace {

Bytes bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("base64url: the vectors of RFC 4648 without their padding, and the two letters that are another in it") {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},         {"f", "Zg"},        {"fo", "Zm8"},          {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, text] : vectors) {
        CHECK(to_base64url(bytes_of(plain)) == text);
        CHECK(from_base64url(text).value() == bytes_of(plain));
    }
    CHECK(to_base64url(bytes_of("\xfb\xff")) == "-_8");
}

TEST_CASE("base64url: anything that writing would not give is refused") {
    for (const char* text : {"Zg==", "Z", "Zh", "Zm9", "Zm9v\n", "+/8", "Z g", "ZmZ"}) {
        CAPTURE(text);
        const auto read = from_base64url(text);
        const bool same = read.ok() && to_base64url(*read) == text;
        CHECK(read.ok() == same);
    }
    CHECK_FALSE(from_base64url("Zg==").ok());
    CHECK_FALSE(from_base64url("Zh").ok());
    CHECK_FALSE(from_base64url("+/8").ok());
}

TEST_CASE("base64: the vectors of RFC 4648, section 10") {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},             {"f", "Zg=="},         {"fo", "Zm8="},          {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "+/8="}};
    for (const auto& [plain, text] : vectors) {
        CHECK(to_base64(bytes_of(plain)) == text);
        CHECK(from_base64(text).value() == bytes_of(plain));
    }
    for (const char* text : {"Zg", "Zg=", "Zg===", "====", "Zh==", "Zm9=", "-_8=", "Zm9v\n", "Zg==Zg=="}) {
        CAPTURE(text);
        CHECK_FALSE(from_base64(text).ok());
    }
}
