#include "entente/codec/compress.hpp"

#include <doctest/doctest.h>
#include <zstd.h>

#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

namespace {

// What somebody else's zstd may send.
Bytes foreign(ByteView content, int window_log, bool declare_size, bool checksum) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);  // wasm has no other
    if (window_log != 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, declare_size ? 1 : 0);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0);
    Bytes out(ZSTD_compressBound(content.size()));
    const std::size_t size = ZSTD_compress2(context, out.data(), out.size(), content.data(), content.size());
    ZSTD_freeCCtx(context);
    REQUIRE(ZSTD_isError(size) == 0);
    out.resize(size);
    return out;
}

struct Counter final : ContentSink {
    std::uint64_t bytes = 0;
    Status append(ByteView piece) override {
        bytes += piece.size();
        return done();
    }
};

Bytes zeros(std::size_t count) { return Bytes(count); }

}  // namespace

TEST_CASE("content of every kind comes back") {
    for (const std::size_t size : {0u, 1u, 8u, 255u, 256u, 65535u, 65536u, 300'000u}) {
        CAPTURE(size);
        const Bytes random = noise(size);
        CHECK(decompress(compress(random), size).value() == random);
        CHECK(decompress(compress(zeros(size)), size).value() == zeros(size));
    }
}

TEST_CASE("planes come back, whether cut or not, and noise costs next to nothing") {
    const std::size_t plane = 20'000;
    Bytes content = noise(plane);
    content.resize(2 * plane);  // and a plane of zeros
    const Bytes more = noise(plane, 2);
    content.insert(content.end(), more.begin(), more.end());
    Bytes cut;
    Compressor with(content.size(), cut, Matter::planes);
    for (std::size_t at = 0; at < content.size(); at += plane) {
        REQUIRE(with.append(ByteView(content).subspan(at, plane)).ok());
        REQUIRE(with.cut().ok());
    }
    REQUIRE(with.finish().ok());
    CHECK(decompress(cut, content.size()).value() == content);
    CHECK(cut.size() < 2 * plane + 100);

    Bytes whole;
    Compressor without(content.size(), whole, Matter::planes);
    REQUIRE(without.append(content).ok());
    REQUIRE(without.finish().ok());
    CHECK(decompress(whole, content.size()).value() == content);
}

TEST_CASE("a foreign frame is accepted if it declares its size") {
    const Bytes content = noise(1000);
    CHECK(decompress(foreign(content, 0, true, true), 1000).value() == content);
    CHECK(reason(decompress(foreign(content, 0, false, false), 1000)) == "zstd.size");
}

TEST_CASE("another size than the expected one is refused before anything is decompressed") {
    const Bytes compressed = compress(zeros(1000));
    CHECK(decompress(compressed, 1000).ok());
    CHECK(reason(decompress(compressed, 999)) == "zstd.size");
    CHECK(reason(decompress(compressed, 1001)) == "zstd.size");
    CHECK(reason(decompress(compress({}), 1)) == "zstd.size");
    const Bytes longer = compress(zeros(200'000));
    for (const std::uint64_t expected : {199'999u, 200'001u}) {
        Counter counter;
        BoundedDecompressor decompressor(expected, counter);
        CHECK(reason(decompressor.put(longer)) == "zstd.size");
        CHECK(counter.bytes == 0);
    }
}

TEST_CASE("a bomb that lies about its size stops at the expected one") {
    // A frame of 64 MiB of zeros whose header is rewritten to declare 1000 bytes.
    const Bytes honest = foreign(zeros(64 * 1024 * 1024), 0, true, false);
    REQUIRE(honest.size() < 10'000);
    REQUIRE(ZSTD_getFrameContentSize(honest.data(), honest.size()) == 64u * 1024 * 1024);
    Bytes lying(honest.begin(), honest.begin() + 4);
    // 4-byte content size, a window descriptor, then the declared size.
    for (const int byte : {0x80, 0x58, 0xe8, 0x03, 0x00, 0x00}) lying.push_back(static_cast<std::byte>(byte));
    const bool single_segment = (std::to_integer<unsigned>(honest[4]) & 0x20u) != 0;
    lying.insert(lying.end(), honest.begin() + 4 + (single_segment ? 5 : 6), honest.end());
    REQUIRE(ZSTD_getFrameContentSize(lying.data(), lying.size()) == 1000);

    Counter counter;
    BoundedDecompressor decompressor(1000, counter);
    const Status status = decompressor.put(lying);
    CHECK(!status.ok());
    CHECK(counter.bytes <= 1000);
}

TEST_CASE("a window above 8 MiB is refused") {
    const Bytes content = zeros(40 * 1024 * 1024);
    CHECK(decompress(foreign(content, 23, true, false), content.size()).ok());
    CHECK(reason(decompress(foreign(content, 24, true, false), content.size())) == "zstd.malformed");
}

TEST_CASE("trailing, second and skippable frames are refused") {
    const Bytes one = compress(zeros(100));
    Bytes trailing = one;
    trailing.push_back(std::byte{0});
    CHECK(reason(decompress(trailing, 100)) == "zstd.trailing");
    Bytes twice = one;
    twice.insert(twice.end(), one.begin(), one.end());
    CHECK(reason(decompress(twice, 100)) == "zstd.trailing");
    CHECK(reason(decompress(twice, 200)) == "zstd.size");
    const Bytes skippable = hex("502a4d180400000000000000");
    CHECK(reason(decompress(skippable, 0)) == "zstd.malformed");
    Bytes skippable_first = skippable;
    skippable_first.insert(skippable_first.end(), one.begin(), one.end());
    CHECK(reason(decompress(skippable_first, 100)) == "zstd.malformed");
    Bytes skippable_last = one;
    skippable_last.insert(skippable_last.end(), skippable.begin(), skippable.end());
    CHECK(reason(decompress(skippable_last, 100)) == "zstd.trailing");
}

TEST_CASE("every prefix is refused, in one piece and byte by byte") {
    for (const Bytes& content : {zeros(0), zeros(1), noise(500), zeros(500)}) {
        const Bytes compressed = compress(content);
        for (std::size_t size = 0; size < compressed.size(); ++size) {
            CHECK(reason(decompress(ByteView(compressed).first(size), content.size())) == "zstd.truncated");
        }
        BytesSink sink;
        BoundedDecompressor decompressor(content.size(), sink);
        for (const std::byte& byte : compressed) {
            REQUIRE(decompressor.put(ByteView(&byte, 1)).ok());
        }
        CHECK(decompressor.finish().ok());
        CHECK(sink.bytes == content);
    }
}

TEST_CASE("no flipped byte crashes or yields another size") {
    const Bytes content = noise(2000);
    const Bytes compressed = compress(content);
    for (std::size_t i = 0; i < compressed.size(); ++i) {
        Bytes damaged = compressed;
        damaged[i] ^= std::byte{0x55};
        const Result<Bytes> result = decompress(damaged, content.size());
        if (result.ok()) CHECK(result->size() == content.size());
    }
}

TEST_CASE("an error stays, and a sink's refusal passes unchanged") {
    struct Refusing final : ContentSink {
        Status append(ByteView) override { return Error{Code::no_space, "test.full", "expected room"}; }
    } refusing;
    const Bytes compressed = compress(zeros(10));
    BoundedDecompressor decompressor(10, refusing);
    CHECK(reason(decompressor.put(compressed)) == "test.full");
    CHECK(reason(decompressor.put(compressed)) == "test.full");
    CHECK(reason(decompressor.finish()) == "test.full");
}

TEST_CASE("the compressor holds its caller to the declared size") {
    Bytes out;
    Compressor more(3, out);
    CHECK(more.append(noise(2)).ok());
    CHECK(reason(more.append(noise(2))) == "zstd.size");
    out.clear();
    Compressor fewer(3, out);
    CHECK(fewer.append(noise(2)).ok());
    CHECK(reason(fewer.finish()) == "zstd.size");
}
