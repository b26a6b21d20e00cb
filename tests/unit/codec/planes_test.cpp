#include "entente/codec/planes.hpp"

#include <doctest/doctest.h>

#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

TEST_CASE("planes gather the bytes of equal rank") {
    const Bytes in = hex("01020304112233445566");
    Bytes out(in.size());
    split_planes(in, {.width = 4}, out);
    CHECK(to_hex(out) == "01110222033304445566");  // the last two are no whole number
    split_planes(in, {.width = 2}, out);
    CHECK(to_hex(out) == "01031133550204224466");
    split_planes(in, {}, out);
    CHECK(out == in);
}

TEST_CASE("small integers of either sign leave zeros in the high planes") {
    // 0, -1, 1, -2 and 0x7fff, -0x8000 as 0, 1, 2, 3 and 0xfffe, 0xffff.
    const Bytes narrow = hex("0000ffff0100feffff7f0080");
    Bytes out(narrow.size());
    split_planes(narrow, {.width = 2, .integers = true}, out);
    CHECK(to_hex(out) == "00010203feff00000000ffff");
    const Bytes wide = hex("00000000ffffffff01000000feffffff");
    out.resize(wide.size());
    split_planes(wide, {.width = 4, .integers = true}, out);
    CHECK(to_hex(out) == "00010203" "000000000000000000000000");
}

TEST_CASE("joining undoes splitting for every length") {
    for (const Numbers numbers : {Numbers{1, false}, Numbers{2, false}, Numbers{4, false}, Numbers{2, true}, Numbers{4, true}}) {
        for (std::size_t size = 0; size < 150; ++size) {
            const Bytes in = noise(size, size + 1);
            Bytes planes(size);
            Bytes back(size);
            split_planes(in, numbers, planes);
            join_planes(planes, numbers, back);
            CHECK(back == in);
        }
    }
}
