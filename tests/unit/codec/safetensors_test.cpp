#include "entente/codec/safetensors.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

namespace {

Bytes file_of(std::string_view header, std::size_t data_bytes) {
    Bytes file;
    append_le(file, static_cast<std::uint64_t>(header.size()));
    const ByteView view = as_bytes(header);
    file.insert(file.end(), view.begin(), view.end());
    file.resize(file.size() + data_bytes);
    return file;
}

}  // namespace

TEST_CASE("what is written is the documented file") {
    const std::vector<TensorShape> tensors{{"w", {2, 1}}, {"b", {}}};
    const std::vector<float> values{1.0f, 2.0f, -1.0f};
    const Bytes file = write_safetensors(tensors, values, {{"task", "a\"b"}}).value();
    const std::string expected =
        R"({"__metadata__":{"task":"a\"b"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
        R"("b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}})";
    const auto header_bytes = read_le<std::uint64_t>(file);
    CHECK(header_bytes % 8 == 0);
    CHECK(header_bytes - expected.size() < 8);
    CHECK(ByteView(file).subspan(8, expected.size()).size() == expected.size());
    CHECK(std::equal(expected.begin(), expected.end(), file.begin() + 8,
                     [](char c, std::byte b) { return static_cast<std::byte>(c) == b; }));
    CHECK(to_hex(ByteView(file).subspan(8 + static_cast<std::size_t>(header_bytes))) ==
          "0000803f00000040000080bf");

    const Safetensors back = read_safetensors(file).value();
    CHECK(back.tensors == tensors);
    CHECK(back.values == values);
    CHECK(back.metadata.at("task") == "a\"b");
}

TEST_CASE("other writers' order, blanks and escapes are read") {
    const Bytes file = file_of(
        " { \"z\\u00e9\\ud83d\\ude00\" : {\"shape\":[1], \"data_offsets\":[4,8],\"dtype\":\"F32\"} ,\n"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}   ",
        8);
    const Safetensors back = read_safetensors(file).value();
    REQUIRE(back.tensors.size() == 2);
    CHECK(back.tensors[0].name == "a");
    CHECK(back.tensors[1].name == "z\xc3\xa9\xf0\x9f\x98\x80");
    CHECK(read_safetensors(file_of("{}", 0)).ok());
}

TEST_CASE("hostile headers are refused") {
    const char* bad[] = {
        "",
        "{",
        "[]",
        "{}x",
        "{\"a\":1}",
        "{\"a\":{}}",
        "{\"a\":{\"dtype\":\"F32\"}}",
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})",
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})",
        R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})",
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
        R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":"x"}})",
        R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[4294967295,4294967295,4294967295],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[99999999999999999999999],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
        R"({"a\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
        R"({"a\x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
        R"({"__metadata__":{"a":[1]}})"};
    for (const char* header : bad) {
        CAPTURE(header);
        CHECK(reason(read_safetensors(file_of(header, 4))) == "safetensors.malformed");
    }
    CHECK(reason(read_safetensors(file_of(R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", 4))) ==
          "safetensors.dtype");
    const char* good = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    CHECK(read_safetensors(file_of(good, 4)).ok());
    CHECK(reason(read_safetensors(file_of(good, 3))) == "safetensors.malformed");
    CHECK(reason(read_safetensors(file_of(good, 5))) == "safetensors.malformed");
}

TEST_CASE("every prefix and every limit holds") {
    const std::vector<TensorShape> tensors{{"w", {3}}};
    const std::vector<float> values{1, 2, 3};
    const Bytes file = write_safetensors(tensors, values).value();
    for (std::size_t size = 0; size < file.size(); ++size) {
        CHECK(reason(read_safetensors(ByteView(file).first(size))) == "safetensors.malformed");
    }
    const auto header_bytes = static_cast<std::uint32_t>(read_le<std::uint64_t>(file));
    CHECK(read_safetensors(file, {.header_bytes = header_bytes, .data_bytes = 12}).ok());
    CHECK(reason(read_safetensors(file, {.header_bytes = header_bytes - 1, .data_bytes = 12})) ==
          "safetensors.too-large");
    CHECK(reason(read_safetensors(file, {.header_bytes = header_bytes, .data_bytes = 11})) ==
          "safetensors.too-large");
    Bytes bomb = file;
    for (std::size_t i = 0; i < 8; ++i) bomb[i] = std::byte{0xff};
    CHECK(reason(read_safetensors(bomb)) == "safetensors.too-large");
}

TEST_CASE("the writer refuses what the reader would") {
    const std::vector<float> one{1};
    const std::vector<float> two{1, 2};
    CHECK(reason(write_safetensors(std::vector<TensorShape>{{"w", {2}}}, one)) == "safetensors.malformed");
    CHECK(reason(write_safetensors(std::vector<TensorShape>{{"w", {1}}, {"w", {1}}}, two)) ==
          "safetensors.malformed");
    CHECK(reason(write_safetensors(std::vector<TensorShape>{{"", {1}}}, one)) == "safetensors.malformed");
    CHECK(reason(write_safetensors(std::vector<TensorShape>{{"__metadata__", {1}}}, one)) ==
          "safetensors.malformed");
    const std::vector<float> infinite{std::numeric_limits<float>::infinity()};
    CHECK(reason(write_safetensors(std::vector<TensorShape>{{"w", {1}}}, infinite)) ==
          "safetensors.not-finite");
}
