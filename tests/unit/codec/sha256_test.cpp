#include "entente/codec/sha256.hpp"

#include <doctest/doctest.h>

#include "codec/sha256_blocks.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

TEST_CASE("sha256 gives NIST's vectors") {
    CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(to_hex(sha256(as_bytes("abc"))) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(to_hex(sha256(
              as_bytes("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
                       "klmnopqrlmnopqrsmnopqrstnopqrstu"))) ==
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    const Bytes million(1'000'000, std::byte{'a'});
    CHECK(to_hex(sha256(million)) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256 does not depend on how the message is cut") {
    const Bytes message = noise(300);
    for (std::size_t size = 0; size <= message.size(); ++size) {
        const ByteView whole = ByteView(message).first(size);
        const Digest expected = sha256(whole);
        for (const std::size_t step : {1u, 7u, 63u, 64u, 65u}) {
            Sha256 hash;
            for (std::size_t i = 0; i < size; i += step)
                hash.update(whole.subspan(i, std::min(step, size - i)));
            CHECK(hash.finish() == expected);
        }
    }
}

TEST_CASE("sha256 starts anew after finish") {
    Sha256 hash;
    hash.update(as_bytes("something"));
    CHECK(hash.finish() != sha256({}));
    CHECK(hash.finish() == sha256({}));
}

TEST_CASE("the CPU's SHA instructions agree with the portable code") {
    const Sha256Blocks fast = sha256_blocks_x86();
    if (fast == nullptr) return;
    for (std::size_t blocks = 0; blocks < 20; ++blocks) {
        const Bytes message = noise(64 * blocks, blocks + 1);
        Sha256State a{1, 2, 3, 4, 5, 6, 7, 0xffffffff};
        Sha256State b = a;
        sha256_blocks_portable(a, message.data(), blocks);
        fast(b, message.data(), blocks);
        CHECK(a == b);
    }
    for (std::size_t streams = 1; streams <= sha256_most_streams; ++streams) {
        std::array<Bytes, sha256_most_streams> messages;
        std::array<const std::byte*, sha256_most_streams> blocks{};
        std::array<Sha256State, sha256_most_streams> states{};
        for (std::size_t i = 0; i < streams; ++i) {
            messages[i] = noise(64 * 5, 100 + i);
            blocks[i] = messages[i].data();
            states[i] = {static_cast<std::uint32_t>(i), 2, 3, 4, 5, 6, 7, 8};
        }
        auto expected = states;
        for (std::size_t i = 0; i < streams; ++i) sha256_blocks_portable(expected[i], blocks[i], 5);
        sha256_streams_x86()(std::span(states).first(streams), blocks, 5);
        CHECK(states == expected);
    }
}
