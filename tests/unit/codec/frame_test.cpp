#include "entente/codec/frame.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "codec/payload.hpp"
#include "entente/codec/archive.hpp"
#include "entente/codec/merkle.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

namespace {

FrameHeader header_of(Encoding encoding, std::uint32_t elements) {
    FrameHeader header;
    header.federation = "bearings";
    header.sender = "plant-a";
    header.agreement = "urn:uuid:1";
    header.plan = sha256(as_bytes("plan"));
    header.schema = sha256(as_bytes("schema"));
    header.base_model = sha256(as_bytes("base"));
    header.round = 7;
    header.encoding = encoding;
    header.tensors = {{"weight", {elements / 2, 2}}, {"bias", {elements % 2}}};
    header.weight = 600;
    header.measures = {{"loss", 0.25}};
    return header;
}

Bytes floats(std::size_t count) {
    Bytes bytes;
    for (std::size_t i = 0; i < count; ++i) {
        const float value = std::sin(static_cast<float>(i)) * 0.01f;
        std::uint32_t bits = 0;
        std::memcpy(&bits, &value, 4);
        append_le(bytes, bits);
    }
    return bytes;
}

FrameLimits limits_for(std::uint64_t content_bytes) {
    return {.content_bytes = content_bytes, .payload_bytes = payload_bound(content_bytes)};
}

Bytes small_frame() {
    return encode_frame(FrameKind::update, header_of(Encoding::int16, 9), noise(18), key_of(1)).value();
}

Result<Frame> feed(ByteView bytes, std::size_t step, const FrameLimits& limits) {
    FrameDecoder decoder(limits);
    for (std::size_t i = 0; i < bytes.size(); i += step) {
        ENTENTE_TRY(decoder.put(bytes.subspan(i, std::min(step, bytes.size() - i))));
    }
    return decoder.finish();
}

Bytes payload_of(ByteView content, Encoding encoding = Encoding::bytes) {
    Bytes out;
    append_payload(content, encoding, out);
    return out;
}

// A frame signed by its author but otherwise as wrong as the test wants it.
Bytes forge(const Bytes& header, const Bytes& payload, std::uint16_t version = 1, std::uint16_t kind = 3) {
    Bytes frame = text("ENTF");
    append_le(frame, version);
    append_le(frame, kind);
    append_le(frame, static_cast<std::uint32_t>(header.size()));
    append_le(frame, static_cast<std::uint64_t>(payload.size()));
    frame.insert(frame.end(), header.begin(), header.end());
    const Signature signature = key_of(1).sign("frame", frame);
    frame.insert(frame.end(), payload.begin(), payload.end());
    frame.insert(frame.end(), signature.bytes.begin(), signature.bytes.end());
    return frame;
}

FrameHeader honest_header(Encoding encoding, const Bytes& content) {
    FrameHeader header;
    header.encoding = encoding;
    header.content_bytes = content.size();
    header.content = merkle_root(content);
    header.signer = key_of(1).public_key();
    return header;
}

}  // namespace

TEST_CASE("a frame of every encoding comes back, whole and in pieces") {
    struct Case {
        Encoding encoding;
        std::uint32_t elements;
        Bytes content;
    };
    const Case cases[] = {{Encoding::float32, 50'001, floats(50'001)},
                          {Encoding::int32, 16'384, noise(65'536)},
                          {Encoding::int16, 40'000, noise(80'000)},
                          {Encoding::int8, 131'072, noise(131'072)},
                          {Encoding::bytes, 5, noise(5)},
                          {Encoding::float32, 0, {}}};
    for (const Case& one : cases) {
        const FrameHeader header = header_of(one.encoding, one.elements);
        const Bytes bytes = encode_frame(FrameKind::model, header, one.content, key_of(1)).value();
        const FrameLimits limits = limits_for(one.content.size());

        const Frame frame = decode_frame(bytes, limits).value();
        CHECK(frame.kind == FrameKind::model);
        CHECK(frame.content == one.content);
        CHECK(frame.header.content == merkle_root(one.content));
        CHECK(frame.header.content_bytes == one.content.size());
        CHECK(frame.header.signer == key_of(1).public_key());
        CHECK(frame.header.tensors == header.tensors);
        CHECK(frame.header.measures == header.measures);
        CHECK(frame.header.round == 7);

        for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{70'000}}) {
            const Result<Frame> in_pieces = feed(bytes, step, limits);
            REQUIRE(in_pieces.ok());
            CHECK(in_pieces->header == frame.header);
            CHECK(in_pieces->content == one.content);
        }
    }
}

TEST_CASE("float weights become smaller") {
    const Bytes content = floats(100'000);
    const Bytes bytes =
        encode_frame(FrameKind::model, header_of(Encoding::float32, 100'000), content, key_of(1)).value();
    CHECK(bytes.size() < content.size() * 9 / 10);
}

TEST_CASE("the layout is the documented one") {
    const Bytes bytes = small_frame();
    CHECK(to_hex(ByteView(bytes).first(8)) == "454e544601000300");
    const auto header_bytes = read_le<std::uint32_t>(ByteView(bytes).subspan(8));
    const auto payload_bytes = read_le<std::uint64_t>(ByteView(bytes).subspan(12));
    CHECK(20 + header_bytes + payload_bytes + 64 == bytes.size());
    const ByteView signed_part = ByteView(bytes).first(20 + header_bytes);
    Signature signature;
    std::copy(bytes.end() - 64, bytes.end(), signature.bytes.begin());
    CHECK(verify(key_of(1).public_key(), "frame", signed_part, signature));
    CHECK(decode<FrameHeader>(signed_part.subspan(20)).ok());
    // Nine numbers of two bytes, so two planes of nine, too short to shrink.
    const ByteView payload = ByteView(bytes).subspan(20 + header_bytes, static_cast<std::size_t>(payload_bytes));
    CHECK(payload.size() == 2 * (4 + 9));
    CHECK(to_hex(payload.first(4)) == "09000000");
    CHECK(to_hex(payload.subspan(13, 4)) == "09000000");
}

TEST_CASE("every prefix is truncated") {
    const Bytes bytes = small_frame();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        CHECK(reason(decode_frame(ByteView(bytes).first(size), limits_for(18))) == "frame.truncated");
        CHECK(reason(feed(ByteView(bytes).first(size), 1, limits_for(18))) == "frame.truncated");
    }
}

TEST_CASE("every flipped bit of prefix, header and signature is refused") {
    const Bytes bytes = small_frame();
    const std::size_t payload_begin = 20 + read_le<std::uint32_t>(ByteView(bytes).subspan(8));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i >= payload_begin && i < bytes.size() - 64) continue;
        for (unsigned bit = 0; bit < 8; ++bit) {
            Bytes damaged = bytes;
            damaged[i] ^= static_cast<std::byte>(1u << bit);
            CAPTURE(i);
            const Result<Frame> frame = decode_frame(damaged, limits_for(18));
            REQUIRE(!frame.ok());
            CHECK(frame.error().reason.starts_with("frame."));
        }
    }
}

TEST_CASE("a flipped byte of the payload never changes the content") {
    const Bytes content = floats(3000);
    const Bytes bytes =
        encode_frame(FrameKind::model, header_of(Encoding::float32, 3000), content, key_of(1)).value();
    const std::size_t payload_begin = 20 + read_le<std::uint32_t>(ByteView(bytes).subspan(8));
    std::size_t refused = 0;
    for (std::size_t i = payload_begin; i < bytes.size() - 64; i += 3) {
        Bytes damaged = bytes;
        damaged[i] ^= std::byte{0x21};
        const Result<Frame> frame = decode_frame(damaged, limits_for(content.size()));
        if (frame.ok()) {
            CHECK(frame->content == content);  // zstd has bits that mean nothing
        } else {
            ++refused;
            CHECK(frame.error().reason.starts_with("frame."));
        }
    }
    CHECK(refused > 100);
}

TEST_CASE("reasons of the prefix") {
    const Bytes good = small_frame();
    const FrameLimits limits = limits_for(18);
    Bytes bytes = good;
    bytes[0] = std::byte{'e'};
    CHECK(reason(decode_frame(bytes, limits)) == "frame.magic");
    bytes = good;
    bytes[4] = std::byte{2};
    CHECK(reason(decode_frame(bytes, limits)) == "frame.version");
    for (const int kind : {0, 7, 255}) {
        bytes = good;
        bytes[6] = static_cast<std::byte>(kind);
        CHECK(reason(decode_frame(bytes, limits)) == "frame.kind");
    }
    bytes = good;
    bytes.push_back(std::byte{0});
    CHECK(reason(decode_frame(bytes, limits)) == "frame.trailing");
    CHECK(reason(decode_frame({}, limits)) == "frame.truncated");
}

TEST_CASE("every limit holds exactly") {
    const Bytes bytes = small_frame();
    const auto header_bytes = read_le<std::uint32_t>(ByteView(bytes).subspan(8));
    const auto payload_bytes = read_le<std::uint64_t>(ByteView(bytes).subspan(12));
    FrameLimits exact{.header_bytes = header_bytes,
                      .content_bytes = 18,
                      .payload_bytes = payload_bytes,
                      .kind = FrameKind::update,
                      .encoding = Encoding::int16};
    CHECK(decode_frame(bytes, exact).ok());

    FrameLimits limits = exact;
    limits.header_bytes -= 1;
    CHECK(reason(decode_frame(bytes, limits)) == "frame.header-too-large");
    limits = exact;
    limits.content_bytes -= 1;
    CHECK(reason(decode_frame(bytes, limits)) == "frame.content-too-large");
    CHECK(decode_frame(bytes, limits).error().code == Code::too_large);
    limits = exact;
    limits.payload_bytes -= 1;
    CHECK(reason(decode_frame(bytes, limits)) == "frame.content-too-large");
    limits = exact;
    limits.kind = FrameKind::model;
    CHECK(reason(decode_frame(bytes, limits)) == "frame.kind");
    limits = exact;
    limits.encoding = Encoding::int8;
    CHECK(reason(decode_frame(bytes, limits)) == "frame.encoding");
}

TEST_CASE("claims of the prefix allocate nothing") {
    Bytes bytes = small_frame();
    for (std::size_t i = 8; i < 12; ++i) bytes[i] = std::byte{0xff};
    CHECK(reason(decode_frame(bytes, limits_for(18))) == "frame.header-too-large");
    bytes = small_frame();
    for (std::size_t i = 12; i < 20; ++i) bytes[i] = std::byte{0xff};
    CHECK(reason(decode_frame(bytes, limits_for(18))) == "frame.content-too-large");
}

TEST_CASE("a header whose counts claim the moon is malformed") {
    const Bytes content = noise(8);
    const Bytes honest = encode(honest_header(Encoding::bytes, content));
    REQUIRE(decode_frame(forge(honest, payload_of(content)), limits_for(8)).ok());
    // Where the header's counts lie: three strings, the tensors, the measures.
    for (const std::size_t at : {0u, 8u, 16u, 169u, 185u}) {
        for (const unsigned char fill : {std::uint8_t{0x01}, std::uint8_t{0x7f}, std::uint8_t{0xff}}) {
            REQUIRE(read_le<std::uint64_t>(ByteView(honest).subspan(at)) == 0);
            Bytes bomb = honest;
            for (std::size_t k = 0; k < 8; ++k) bomb[at + k] = static_cast<std::byte>(fill);
            CHECK(reason(decode_frame(forge(bomb, payload_of(content)), limits_for(8))) ==
                  "frame.header-malformed");
        }
    }
    Bytes longer = honest;
    longer.push_back(std::byte{0});
    CHECK(reason(decode_frame(forge(longer, payload_of(content)), limits_for(8))) == "frame.header-malformed");
    CHECK(reason(decode_frame(forge({}, payload_of(content)), limits_for(8))) == "frame.header-malformed");
}

TEST_CASE("the content's size must be what tensors, width and zstd say") {
    const Bytes content = noise(8);
    FrameHeader header = honest_header(Encoding::int32, content);
    header.tensors = {{"w", {3}}};
    CHECK(reason(decode_frame(forge(encode(header), payload_of(content)), limits_for(64))) ==
          "frame.content-size");
    header.tensors = {{"w", {0xffffffff, 0xffffffff, 0xffffffff}}};
    CHECK(reason(decode_frame(forge(encode(header), payload_of(content)), limits_for(64))) ==
          "frame.content-size");
    header = honest_header(Encoding::int32, noise(7));
    CHECK(reason(decode_frame(forge(encode(header), payload_of(noise(7))), limits_for(64))) ==
          "frame.content-size");
    header = honest_header(Encoding::bytes, content);
    CHECK(reason(decode_frame(forge(encode(header), payload_of(noise(9))), limits_for(64))) == "frame.payload");
    CHECK(reason(decode_frame(forge(encode(header), payload_of(noise(7))), limits_for(64))) == "frame.payload");
}

TEST_CASE("a bomb costs no more than the limit") {
    const Bytes content(32 * 1024 * 1024);
    FrameHeader header = honest_header(Encoding::bytes, content);
    const Bytes payload = payload_of(content);
    REQUIRE(payload.size() < 32'000);
    FrameLimits limits{.content_bytes = 1024 * 1024, .payload_bytes = payload.size()};
    CHECK(reason(decode_frame(forge(encode(header), payload), limits)) == "frame.content-too-large");
    header.content_bytes = 1024;  // the header lies, the payload does not
    CHECK(reason(decode_frame(forge(encode(header), payload), limits)) == "frame.payload");
}

TEST_CASE("content of another digest and a header of another signer are refused") {
    const Bytes content = noise(100);
    FrameHeader header = honest_header(Encoding::bytes, content);
    header.content.bytes[0] ^= std::byte{1};
    CHECK(reason(decode_frame(forge(encode(header), payload_of(content)), limits_for(100))) == "frame.digest");
    header = honest_header(Encoding::bytes, content);
    header.signer = key_of(2).public_key();
    const Result<Frame> frame = decode_frame(forge(encode(header), payload_of(content)), limits_for(100));
    CHECK(reason(frame) == "frame.signature");
    CHECK(frame.error().code == Code::unauthenticated);
}

TEST_CASE("floats that are not finite are refused on both sides") {
    for (const std::uint32_t bits : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0x7f800001u}) {
        Bytes content = floats(20'000);
        Bytes bad;
        append_le(bad, bits);
        std::copy(bad.begin(), bad.end(), content.end() - 8);
        CHECK(reason(encode_frame(FrameKind::model, header_of(Encoding::float32, 20'000), content,
                                  key_of(1))) == "frame.not-finite");
        // The same bits are fine as integers.
        CHECK(encode_frame(FrameKind::model, header_of(Encoding::int32, 20'000), content, key_of(1)).ok());
        Bytes one;
        append_le(one, bits);
        const Bytes header = encode(honest_header(Encoding::float32, one));
        CHECK(reason(decode_frame(forge(header, payload_of(one, Encoding::float32)), limits_for(4))) == "frame.not-finite");
    }
    FrameHeader header = header_of(Encoding::int16, 9);
    header.measures = {{"loss", std::numeric_limits<double>::quiet_NaN()}};
    CHECK(reason(encode_frame(FrameKind::update, header, noise(18), key_of(1))) == "frame.not-finite");
    FrameHeader forged = honest_header(Encoding::bytes, {});
    forged.measures = {{"loss", std::numeric_limits<double>::infinity()}};
    CHECK(reason(decode_frame(forge(encode(forged), payload_of({})), limits_for(4))) == "frame.not-finite");
}

TEST_CASE("the encoder refuses what the decoder would") {
    CHECK(reason(encode_frame(FrameKind::update, header_of(Encoding::int16, 9), noise(17), key_of(1))) ==
          "frame.content-size");
    CHECK(reason(encode_frame(FrameKind::update, header_of(Encoding::int16, 9), noise(20), key_of(1))) ==
          "frame.content-size");
    CHECK(reason(encode_frame(static_cast<FrameKind>(9), header_of(Encoding::int16, 9), noise(18),
                              key_of(1))) == "frame.kind");
    FrameHeader header;
    header.sender = std::string(70'000, 'x');
    CHECK(reason(encode_frame(FrameKind::plan, header, {}, key_of(1))) == "frame.header-too-large");
}

TEST_CASE("the header shows as soon as it is there, and peeking needs no more") {
    const Bytes bytes = small_frame();
    const std::size_t header_end = 20 + read_le<std::uint32_t>(ByteView(bytes).subspan(8));
    FrameDecoder decoder(limits_for(18));
    REQUIRE(decoder.put(ByteView(bytes).first(header_end - 1)).ok());
    CHECK(decoder.header() == nullptr);
    CHECK(reason(peek_frame(ByteView(bytes).first(header_end - 1), limits_for(18))) == "frame.truncated");
    REQUIRE(decoder.put(ByteView(bytes).subspan(header_end - 1, 1)).ok());
    REQUIRE(decoder.header() != nullptr);
    CHECK(decoder.header()->sender == "plant-a");

    const Result<FrameInfo> info = peek_frame(ByteView(bytes).first(header_end), limits_for(18));
    REQUIRE(info.ok());
    CHECK(info->kind == FrameKind::update);
    CHECK(info->header == *decoder.header());
    CHECK(info->frame_bytes == bytes.size());
    CHECK(reason(peek_frame(ByteView(bytes).first(19), limits_for(18))) == "frame.truncated");
    CHECK(reason(peek_frame(bytes, limits_for(17))) == "frame.content-too-large");
}

TEST_CASE("a decoder that has failed stays failed") {
    FrameDecoder decoder(limits_for(18));
    CHECK(reason(decoder.put(noise(20))) == "frame.magic");
    CHECK(reason(decoder.put(small_frame())) == "frame.magic");
    CHECK(reason(decoder.finish()) == "frame.magic");
}
