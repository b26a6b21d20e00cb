#include "entente/codec/npz.hpp"

#include <doctest/doctest.h>

#include <limits>


using namespace entente;

namespace {

const std::vector<codec::TensorShape> shapes{{"first.weight", {2, 3}}, {"first.bias", {3}}, {"scale", {}}, {"none", {0, 4}}};
const std::vector<float> values{1, 2, 3, 4, 5, 6, -1, -2, -3, 0.5f};

// np.savez(f, a=np.array([1.5, -2], np.float32)) of numpy 2.4.6, as hexadecimal digits.
constexpr std::string_view numpy_file =
    "504b03042d000000000000002100d6434b05ffffffffffffffff05001400612e6e70790100100088000000000000008800000000000000"
    "934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c2027736861"
    "7065273a2028322c292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20202020202020202020202020202020200a0000c03f000000c0504b01022d032d000000000000002100d6434b05880000008800000005"
    "0000000000000000000000800100000000612e6e7079504b0506000000000100010033000000bf0000000000";

std::string reason(ByteView file, const codec::NpzLimits& limits = {}) {
    const auto read = codec::read_npz(file, limits);
    return read.ok() ? "ok" : read.error().reason;
}

}  // namespace

TEST_CASE("arrays come back as they were written, whatever their rank") {
    const Bytes file = codec::write_npz(shapes, values).value();
    const auto back = codec::read_npz(file).value();
    CHECK(back.tensors == shapes);
    CHECK(back.values == values);
    CHECK(codec::write_npz(shapes, values).value() == file);
}

TEST_CASE("what numpy has written is read") {
    const Bytes file = from_hex(numpy_file).value();
    const auto read = codec::read_npz(file);
    REQUIRE(read.ok());
    CHECK(read->tensors == std::vector<codec::TensorShape>{{"a", {2}}});
    CHECK(read->values == std::vector<float>{1.5f, -2.0f});
}

TEST_CASE("files that are cut, bent, too large or not ours are refused before anything is allocated") {
    const Bytes file = codec::write_npz(shapes, values).value();
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        CHECK(reason(ByteView(file).first(size)) == "npz.malformed");
    }
    for (std::size_t at = 0; at < file.size(); ++at) {
        Bytes bent = file;
        bent[at] ^= std::byte{0x11};
        const auto read = codec::read_npz(bent);
        // A bent time or version harms nobody; values never change unnoticed.
        if (read.ok()) CHECK(read->values == values);
    }
    CHECK(reason(file, {.entries = 3}) == "npz.too-large");
    CHECK(reason(file, {.data_bytes = 39}) == "npz.too-large");
    CHECK(reason(file, {.data_bytes = 40}) == "ok");
}

TEST_CASE("names and values that no file should have are refused") {
    const auto write = [](std::vector<codec::TensorShape> tensors, std::vector<float> numbers) {
        const auto file = codec::write_npz(tensors, numbers);
        return file.ok() ? std::string("ok") : std::string(file.error().reason);
    };
    CHECK(write({{"a", {1}}, {"a", {1}}}, {1, 2}) == "npz.malformed");
    CHECK(write({{"", {1}}}, {1}) == "npz.malformed");
    CHECK(write({{"a", {2}}}, {1}) == "npz.malformed");
    CHECK(write({{"a", {1}}}, {std::numeric_limits<float>::quiet_NaN()}) == "npz.not-finite");
}
