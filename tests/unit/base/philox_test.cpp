#include "entente/base/philox_blocks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

using namespace entente;

namespace {
using Words = std::array<std::uint32_t, 4>;
}

TEST_CASE("philox gives the published vectors of Random123") {
    CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
          Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream starts with block 0 and can be entered at any block") {
    const PhiloxKey key{5, 6};
    Philox random(key, 7);
    std::vector<std::uint32_t> words(12);
    for (auto& word : words) word = random.next_u32();
    const Words third = philox4x32({2, 0, 7, 0}, key);
    CHECK(std::equal(third.begin(), third.end(), words.begin() + 8));
    random.seek(1);
    CHECK(random.next_u32() == words[4]);
    CHECK(Philox(key, 7, 2).next_u32() == words[8]);
    CHECK(Philox(key, 8).next_u32() != words[0]);
}

TEST_CASE("the block number and the stream use all of their 64 bits") {
    const PhiloxKey key{1, 2};
    CHECK(Philox(key, 0x1122334455667788u, 0x99aabbccddeeff00u).next_u32() ==
          philox4x32({0xddeeff00u, 0x99aabbccu, 0x55667788u, 0x11223344u}, key)[0]);
}

TEST_CASE("a derived key depends on each of its four parts and is the recorded one") {
    const PhiloxKey key = derive_key(1, 2, "factory-a", Purpose::shuffle);
    CHECK(key == derive_key(1, 2, "factory-a", Purpose::shuffle));
    CHECK_FALSE(key == derive_key(2, 2, "factory-a", Purpose::shuffle));
    CHECK_FALSE(key == derive_key(1, 3, "factory-a", Purpose::shuffle));
    CHECK_FALSE(key == derive_key(1, 2, "factory-b", Purpose::shuffle));
    CHECK_FALSE(key == derive_key(1, 2, "factory-a", Purpose::select));
    CHECK(key == PhiloxKey{0xf214ce40, 0x4ad7be70});
}

TEST_CASE("uniform numbers lie in [0, 1) and are 24 bits of one word") {
    Philox random({3, 4});
    Philox words({3, 4});
    double sum = 0.0;
    for (int i = 0; i < 10000; ++i) {
        const float x = random.uniform();
        CHECK(x == static_cast<float>(words.next_u32() >> 8) / 16777216.0f);
        REQUIRE((x >= 0.0f && x < 1.0f));
        sum += static_cast<double>(x);
    }
    CHECK(sum / 10000 == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("bounded numbers stay below the bound and every value is about equally frequent") {
    Philox random({8, 9});
    std::array<int, 7> counts{};
    for (int i = 0; i < 70000; ++i) {
        const std::uint32_t x = random.bounded(7);
        REQUIRE(x < 7);
        ++counts[x];
    }
    for (const int count : counts) CHECK(std::abs(count - 10000) < 400);
    CHECK(random.bounded(1) == 0);
    // 2^32 words on 3 * 2^30 values: without rejection one value in three has two words, the others one.
    std::array<int, 3> residues{};
    for (int i = 0; i < 30000; ++i) ++residues[random.bounded(0xC0000000u) % 3];
    for (const int count : residues) CHECK(std::abs(count - 10000) < 400);
}

TEST_CASE("normal numbers have mean 0, variance 1 and the recorded first bits") {
    Philox random({10, 11});
    double sum = 0.0;
    double squares = 0.0;
    double beyond_two = 0.0;
    const int count = 100000;
    for (int i = 0; i < count; ++i) {
        const double x = random.normal();
        REQUIRE(std::isfinite(x));
        sum += x;
        squares += x * x;
        beyond_two += std::abs(x) > 2.0 ? 1.0 : 0.0;
    }
    CHECK(std::abs(sum / count) < 0.01);
    CHECK(squares / count == doctest::Approx(1.0).epsilon(0.02));
    CHECK(beyond_two / count == doctest::Approx(0.0455).epsilon(0.05));
    CHECK(Philox({10, 11}).normal() == -0x1.fb740bf44647fp-1);
}

TEST_CASE("a shuffle is a permutation, the recorded one") {
    std::vector<std::uint32_t> values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    Philox({12, 13}).shuffle(values);
    CHECK(values == std::vector<std::uint32_t>{7, 9, 0, 1, 4, 3, 6, 8, 5, 2});
    std::sort(values.begin(), values.end());
    CHECK(values == std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    std::vector<std::uint32_t> none;
    Philox({12, 13}).shuffle(none);
    CHECK(none.empty());
}

TEST_CASE("words in a row are those that come one at a time") {
    for (const std::size_t count : {0u, 1u, 3u, 4u, 63u, 64u, 65u, 192u, 256u, 1'027u}) {
        for (const std::uint64_t block : {std::uint64_t{0}, std::uint64_t{7}, (std::uint64_t{1} << 32u) - 9}) {
            std::vector<std::uint32_t> words(count);
            philox_words({14, 15}, block, words);
            Philox one({14, 15}, 0, block);
            std::size_t wrong = 0;
            for (const std::uint32_t word : words) wrong += word == one.next_u32() ? 0u : 1u;
            CHECK(wrong == 0);
        }
    }
}
