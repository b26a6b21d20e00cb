#include "entente/base/bytes.hpp"

#include <doctest/doctest.h>

using namespace entente;

TEST_CASE("hexadecimal goes both ways") {
    const Bytes bytes{std::byte{0x00}, std::byte{0x1f}, std::byte{0xff}};
    CHECK(to_hex(bytes) == "001fff");
    CHECK(from_hex("001FfF").value() == bytes);
    CHECK(from_hex("").value().empty());
}

TEST_CASE("malformed hexadecimal is refused") {
    for (const char* text : {"0", "0g", "g0", " 00", "0x00", "00 "}) {
        CAPTURE(text);
        const Result<Bytes> result = from_hex(text);
        REQUIRE(!result.ok());
        CHECK(result.error().code == Code::invalid_argument);
        CHECK(result.error().reason == "hex.malformed");
    }
}

TEST_CASE("a digest has exactly 64 digits") {
    const std::string digits(64, 'a');
    CHECK(to_hex(digest_from_hex(digits).value()) == digits);
    CHECK(!digest_from_hex(digits.substr(1)).ok());
    CHECK(!digest_from_hex(digits + "a").ok());
    CHECK(!digest_from_hex(std::string(63, 'a') + "z").ok());
    CHECK(short_hex(digest_from_hex(digits).value()) == "aaaaaaaa");
}

TEST_CASE("digests are ordered as unsigned bytes") {
    Digest low;
    Digest high;
    low.bytes[0] = std::byte{0x7f};
    high.bytes[0] = std::byte{0x80};
    CHECK(low < high);
    CHECK(Digest{}.is_zero());
    CHECK(!low.is_zero());
}

TEST_CASE("integers are little-endian") {
    Bytes out;
    append_le(out, std::uint32_t{0x01020304});
    append_le(out, std::int16_t{-2});
    CHECK(to_hex(out) == "04030201feff");
    CHECK(read_le<std::uint32_t>(out) == 0x01020304u);
    CHECK(read_le<std::int16_t>(ByteView(out).subspan(4)) == -2);
}
