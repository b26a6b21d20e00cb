#include "entente/codec/planes.hpp"

#include <doctest/doctest.h>

#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

TEST_CASE("planes gather the bytes of equal rank") {
    const Bytes in = hex("01020304112233445566");
    Bytes out(in.size());
    split_planes(in, 4, out);
    CHECK(to_hex(out) == "01110222033304445566");  // the last two are no whole number
    split_planes(in, 2, out);
    CHECK(to_hex(out) == "01031133550204224466");
    split_planes(in, 1, out);
    CHECK(out == in);
}

TEST_CASE("joining undoes splitting for every length") {
    for (const std::size_t width : {1u, 2u, 4u}) {
        for (std::size_t size = 0; size < 150; ++size) {
            const Bytes in = noise(size, size + 1);
            Bytes planes(size);
            Bytes back(size);
            split_planes(in, width, planes);
            join_planes(planes, width, back);
            CHECK(back == in);
        }
    }
}
