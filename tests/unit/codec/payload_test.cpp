#include "codec/payload.hpp"

#include <doctest/doctest.h>
#include <zstd.h>

#include <cmath>

#include "entente/base/philox.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

namespace {

Bytes payload_of(ByteView content, Encoding encoding) {
    Bytes out;
    append_payload(content, encoding, out);
    return out;
}

Result<Bytes> read(ByteView payload, Encoding encoding, std::uint64_t content_bytes, std::size_t step = ~std::size_t{0}) {
    PayloadReader reader(encoding, content_bytes);
    while (!payload.empty()) {
        const ByteView piece = payload.first(std::min(step, payload.size()));
        ENTENTE_TRY(reader.put(piece));
        payload = payload.subspan(piece.size());
    }
    ENTENTE_TRY(reader.finish());
    const Digest digest = reader.digest();
    Bytes content = reader.take_content();
    CHECK(digest == merkle_root(content));
    return content;
}

// A block as somebody else may write it.
Bytes block(const Bytes& bytes) {
    Bytes out;
    append_le(out, static_cast<std::uint32_t>(bytes.size()));
    out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
}

// What somebody else's zstd may send.
Bytes foreign(ByteView content, bool declare_size = true, bool checksum = false) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);  // wasm has no other
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, declare_size ? 1 : 0);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0);
    Bytes out(ZSTD_compressBound(content.size()));
    const std::size_t size = ZSTD_compress2(context, out.data(), out.size(), content.data(), content.size());
    ZSTD_freeCCtx(context);
    REQUIRE(ZSTD_isError(size) == 0);
    out.resize(size);
    return out;
}

// Small integers of `width` bytes, most of them near zero.
Bytes bell(std::size_t count, std::size_t width) {
    Philox random(derive_key(count, width, {}, Purpose::test));
    Bytes out;
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<std::uint64_t>(static_cast<std::int64_t>(std::lround(20 * random.normal())));
        for (std::size_t b = 0; b < width; ++b) out.push_back(static_cast<std::byte>((value >> (8 * b)) & 0xffu));
    }
    return out;
}

constexpr Encoding all[] = {Encoding::bytes, Encoding::float32, Encoding::int32, Encoding::int16,
                            Encoding::int8,  Encoding::packed,  Encoding::sparse};

}  // namespace

TEST_CASE("content of every kind and length comes back, whole and in pieces, and noise costs its blocks' lengths alone") {
    for (const Encoding encoding : all) {
        const std::size_t width = width_bytes(encoding);
        for (const std::size_t numbers : {0u, 1u, 2u, 255u, 16'383u, 16'384u, 16'385u, 90'000u}) {
            const std::size_t size = numbers * width;
            CAPTURE(size);
            for (const Bytes& content : {encoding == Encoding::float32 ? Bytes(size) : noise(size), Bytes(size), bell(numbers, encoding == Encoding::float32 ? 1 : width)}) {
                if (content.size() != size) continue;
                const Bytes payload = payload_of(content, encoding);
                CHECK(payload.size() <= payload_bound(size));
                CHECK(read(payload, encoding, size).value() == content);
                for (const std::size_t step : {std::size_t{1'000}, chunk_bytes - 1, chunk_bytes, chunk_bytes + 3}) {
                    CHECK(read(payload, encoding, size, step).value() == content);
                }
            }
        }
    }
    const Bytes short_one = bell(3'000, 2);
    CHECK(read(payload_of(short_one, Encoding::int16), Encoding::int16, short_one.size(), 1).value() == short_one);
    CHECK(payload_of(noise(5), Encoding::bytes) == block(noise(5)));
    CHECK(payload_of(noise(chunk_bytes), Encoding::int8) == block(noise(chunk_bytes)));
}

TEST_CASE("a plane shrinks, or is left alone where that would save less than an eighth") {
    // 20 bits of 32 are noise: two planes as they are, one smaller, one next to nothing.
    Bytes content;
    Philox random(derive_key(1, 2, {}, Purpose::test));
    for (std::size_t i = 0; i < 16'384; ++i) append_le(content, random.next_u32() & 0x3ffffu);
    const Bytes payload = payload_of(content, Encoding::int32);
    std::vector<std::uint32_t> lengths;
    for (std::size_t at = 0; at < payload.size(); at += 4 + lengths.back()) lengths.push_back(read_le<std::uint32_t>(ByteView(payload).subspan(at)));
    REQUIRE(lengths.size() == 4);
    CHECK(lengths[0] == 16'384);
    CHECK(lengths[1] == 16'384);
    CHECK((lengths[2] > 16'384 * 3 / 8 && lengths[2] < 16'384 / 2));  // three bits of eight, the sign's place among them
    CHECK(lengths[3] < 100);
    // The bytes 0 to 239 as often as each other: 7.9 bits each.
    Bytes dense;
    for (std::size_t i = 0; i < chunk_bytes; ++i) dense.push_back(static_cast<std::byte>(random.next_u32() % 240));
    CHECK(payload_of(dense, Encoding::bytes) == block(dense));
}

TEST_CASE("blocks that somebody else has compressed are as good") {
    const Bytes content = bell(1'000, 1);
    CHECK(read(block(foreign(content)), Encoding::int8, 1'000).value() == content);
    CHECK(read(block(foreign(content, true, true)), Encoding::int8, 1'000).value() == content);
    CHECK(read(block(content), Encoding::int8, 1'000).value() == content);
}

TEST_CASE("what is not the blocks of so much content is refused") {
    const Bytes zeros(1'000);
    const Bytes good = block(foreign(zeros));
    const auto refused = [](const Bytes& payload, std::uint64_t size, Encoding encoding = Encoding::bytes) {
        return reason(read(payload, encoding, size)) == "frame.payload" && reason(read(payload, encoding, size, 1)) == "frame.payload";
    };
    CHECK(refused({}, 1));
    CHECK(refused(good, 999));
    CHECK(refused(good, 1'001));
    CHECK(refused(good, 0));
    CHECK(refused(good, chunk_bytes + 1'000));
    CHECK(refused(block({}), 1'000));
    CHECK(refused(block(Bytes(1'001)), 1'000));
    CHECK(refused(block(noise(999)), 1'000));
    CHECK(refused(good, 2'000, Encoding::int16));
    Bytes twice = good;
    twice.insert(twice.end(), good.begin(), good.end());
    CHECK(refused(twice, 1'000));
    CHECK(read(twice, Encoding::int16, 2'000).ok());

    const Bytes frame = foreign(zeros);
    Bytes two = foreign(ByteView(zeros).first(500));
    two.insert(two.end(), two.begin(), two.end());
    CHECK(refused(block(two), 1'000));
    Bytes longer = frame;
    longer.push_back(std::byte{0});
    CHECK(refused(block(longer), 1'000));
    CHECK(refused(block(Bytes(frame.begin(), frame.end() - 1)), 1'000));
    CHECK(refused(block(foreign(zeros, false)), 1'000));
    CHECK(refused(block(foreign(ByteView(zeros).first(999))), 1'000));
    const Bytes skippable = hex("502a4d180400000000000000");
    CHECK(refused(block(skippable), 1'000));
    Bytes behind = frame;
    behind.insert(behind.end(), skippable.begin(), skippable.end());
    CHECK(refused(block(behind), 1'000));
}

TEST_CASE("a frame that lies about its size stops at the block's") {
    // 60,000 zeros whose header is rewritten to declare 1,000 bytes.
    const Bytes honest = foreign(Bytes(60'000));
    REQUIRE(honest.size() < 100);
    REQUIRE(std::to_integer<unsigned>(honest[4]) == 0x60u);  // one segment, two bytes of size
    Bytes lying = honest;
    lying[5] = static_cast<std::byte>((1'000 - 256) & 0xff);
    lying[6] = static_cast<std::byte>((1'000 - 256) >> 8);
    REQUIRE(ZSTD_getFrameContentSize(lying.data(), lying.size()) == 1'000);
    CHECK(reason(read(block(lying), Encoding::bytes, 1'000)) == "frame.payload");
}

TEST_CASE("every prefix is refused, and no changed byte crashes or yields another size") {
    const Bytes content = bell(700, 2);
    const Bytes payload = payload_of(content, Encoding::int16);
    REQUIRE(payload.size() < content.size());
    for (std::size_t size = 0; size < payload.size(); ++size) {
        CHECK(reason(read(ByteView(payload).first(size), Encoding::int16, content.size())) == "frame.payload");
    }
    for (std::size_t i = 0; i < payload.size(); ++i) {
        Bytes damaged = payload;
        damaged[i] ^= std::byte{0x55};
        const auto found = read(damaged, Encoding::int16, content.size());
        if (found.ok()) CHECK(found->size() == content.size());
    }
}

TEST_CASE("floats that are not finite are refused wherever they are") {
    for (const std::size_t at : {std::size_t{0}, std::size_t{50'000}, std::size_t{99'999}}) {
        Bytes content(400'000);
        content[4 * at + 3] = std::byte{0x7f};
        content[4 * at + 2] = std::byte{0x80};
        CHECK(reason(read(payload_of(content, Encoding::float32), Encoding::float32, content.size())) == "frame.not-finite");
        CHECK(read(payload_of(content, Encoding::int32), Encoding::int32, content.size()).ok());
    }
}
