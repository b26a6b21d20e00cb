#include "entente/codec/archive.hpp"

#include <doctest/doctest.h>

#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

namespace {

enum class Colour : std::uint8_t { red = 1, green = 2 };
constexpr bool is_known(Colour colour) { return colour == Colour::red || colour == Colour::green; }

struct Sample {
    std::string name;
    Bytes bytes;
    std::vector<std::uint32_t> numbers;
    std::vector<std::string> words;
    std::array<std::int16_t, 2> pair_of_numbers{};
    std::optional<std::int64_t> maybe;
    std::variant<std::uint32_t, std::string> either;
    std::pair<bool, double> pair;
    std::map<std::string, std::uint8_t> map;
    Colour colour = Colour::red;
    Digest digest;
    PublicKey key;

    friend bool operator==(const Sample&, const Sample&) = default;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(name, bytes, numbers, words, pair_of_numbers, maybe, either, pair, map, colour, digest, key);
    }
};

struct Nest {
    std::vector<Nest> inside;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(inside);
    }
};

Sample sample() {
    Sample value;
    value.name = "plant";
    value.bytes = hex("0aff");
    value.numbers = {1, 0x01020304};
    value.words = {"", "two"};
    value.pair_of_numbers = {-1, 2};
    value.maybe = -5;
    value.either = std::string("text");
    value.pair = {true, 1.5};
    value.map = {{"a", std::uint8_t{1}}, {"b", std::uint8_t{2}}};
    value.colour = Colour::green;
    value.digest.bytes[31] = std::byte{9};
    value.key.bytes[0] = std::byte{8};
    return value;
}

Bytes count(std::uint64_t value) {
    Bytes bytes;
    append_le(bytes, value);
    return bytes;
}

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

TEST_CASE("a structure comes back as it went") {
    const Sample value = sample();
    CHECK(decode<Sample>(encode(value)).value() == value);
    CHECK(decode<Sample>(encode(Sample{})).value() == Sample{});
}

TEST_CASE("the bytes are little-endian, without names and padding") {
    CHECK(to_hex(encode(std::uint32_t{0x01020304})) == "04030201");
    CHECK(to_hex(encode(std::string("ab"))) == "02000000000000006162");
    CHECK(to_hex(encode(std::vector<std::uint16_t>{1, 2})) == "020000000000000001000200");
    CHECK(to_hex(encode(std::optional<std::uint8_t>())) == "01");
    CHECK(to_hex(encode(std::optional<std::uint8_t>(std::uint8_t{7}))) == "0007");
    CHECK(to_hex(encode(Colour::green)) == "02");
    CHECK(to_hex(encode(true)) == "01");
    CHECK(to_hex(encode(1.0)) == "000000000000f03f");
    CHECK(encode(Digest{}).size() == 32);
}

TEST_CASE("every prefix is refused") {
    const Bytes bytes = encode(sample());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        CHECK(!decode<Sample>(ByteView(bytes).first(size)).ok());
    }
}

TEST_CASE("bytes left over are refused") {
    CHECK(reason(decode<Sample>(encode(sample()) + hex("00"))) == "archive.trailing");
}

TEST_CASE("whatever single byte flips, what decodes encodes to the same bytes") {
    const Bytes bytes = encode(sample());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (unsigned flip = 1; flip < 256; flip += 2) {
            Bytes damaged = bytes;
            damaged[i] ^= static_cast<std::byte>(flip);
            const Result<Sample> value = decode<Sample>(damaged);
            if (value.ok()) CHECK(encode(value.value()) == damaged);
        }
    }
}

TEST_CASE("bool and enum take their own values only") {
    CHECK(decode<bool>(hex("01")).value());
    CHECK(reason(decode<bool>(hex("02"))) == "archive.malformed");
    CHECK(reason(decode<bool>(hex("ff"))) == "archive.malformed");
    CHECK(decode<Colour>(hex("01")).value() == Colour::red);
    CHECK(reason(decode<Colour>(hex("00"))) == "archive.malformed");
    CHECK(reason(decode<Colour>(hex("03"))) == "archive.malformed");
    CHECK(reason(decode<std::optional<std::uint8_t>>(hex("0205"))) == "archive.malformed");
    using Either = std::variant<std::uint8_t, bool>;
    CHECK(decode<Either>(hex("0100000001")).ok());
    CHECK(reason(decode<Either>(hex("0200000001"))) == "archive.malformed");
    CHECK(reason(decode<Either>(hex("ffffffff01"))) == "archive.malformed");
}

TEST_CASE("counts beyond the input allocate nothing") {
    const Bytes few = hex("00000000000000000000");
    for (const std::uint64_t claim : {std::uint64_t{11}, std::uint64_t{1} << 28u, std::uint64_t{1} << 32u,
                                      (std::uint64_t{1} << 32u) + 1, ~std::uint64_t{0}}) {
        CAPTURE(claim);
        const Bytes bomb = count(claim) + few;
        CHECK(reason(decode<std::string>(bomb)) == "archive.truncated");
        CHECK(reason(decode<std::vector<float>>(bomb)) == "archive.truncated");
        CHECK(reason(decode<std::vector<std::string>>(bomb)) == "archive.truncated");
        CHECK(reason(decode<std::vector<bool>>(bomb)) == "archive.truncated");
        CHECK(reason(decode<std::map<std::uint8_t, std::uint8_t>>(bomb)) == "archive.truncated");
    }
    // 3 floats need 12 bytes.
    CHECK(reason(decode<std::vector<float>>(count(3) + few)) == "archive.truncated");
}

TEST_CASE("containers together stay within the memory limit") {
    const ArchiveLimits limits{.depth = 8, .allocation_bytes = 100 * sizeof(std::string)};
    const std::vector<std::string> hundred(100);
    const std::vector<std::string> more(101);
    CHECK(decode<std::vector<std::string>>(encode(hundred), limits).ok());
    CHECK(reason(decode<std::vector<std::string>>(encode(more), limits)) == "archive.too-large");

    const std::vector<std::vector<std::string>> parts(2, std::vector<std::string>(50));
    CHECK(reason(decode<std::vector<std::vector<std::string>>>(encode(parts), limits)) ==
          "archive.too-large");
    CHECK(decode<std::string>(encode(std::string(10, 'x')), {.depth = 8, .allocation_bytes = 10}).ok());
    CHECK(reason(decode<std::string>(encode(std::string(11, 'x')), {.depth = 8, .allocation_bytes = 10})) ==
          "archive.too-large");
}

TEST_CASE("nesting is limited") {
    Nest nest;
    for (int i = 0; i < 3; ++i) {
        Nest outer;
        outer.inside.push_back(std::move(nest));
        nest = std::move(outer);
    }
    const Bytes bytes = encode(nest);  // 4 structures and 4 vectors deep
    CHECK(decode<Nest>(bytes, {.depth = 8, .allocation_bytes = 1000}).ok());
    CHECK(reason(decode<Nest>(bytes, {.depth = 7, .allocation_bytes = 1000})) == "archive.too-deep");

    Bytes bomb;
    for (int i = 0; i < 100'000; ++i) append_le(bomb, std::uint64_t{1});
    CHECK(reason(decode<Nest>(bomb)) == "archive.too-deep");
}

TEST_CASE("map keys out of order or twice are refused") {
    using Map = std::map<std::uint8_t, std::uint8_t>;
    CHECK(decode<Map>(count(2) + hex("01000200")).ok());
    CHECK(reason(decode<Map>(count(2) + hex("02000100"))) == "archive.not-canonical");
    CHECK(reason(decode<Map>(count(2) + hex("01000100"))) == "archive.not-canonical");
}
