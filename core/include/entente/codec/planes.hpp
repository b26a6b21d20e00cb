// Byte planes: numbers regrouped so that all first bytes come first, then all second bytes … Exponents beside exponents
// compress; floats as they are hardly do (0.84 instead of 0.92 of the size).
// An integer is written as 2q where it is not negative and as -2q - 1 where it is: the small ones then have nothing but zeros
// in their high planes, whatever their sign.
// Work on one chunk of content at a time (chunk_bytes of merkle.hpp), so that it streams.
//
//   Bytes out(chunk.size());
//   codec::split_planes(chunk, {.width = 4}, out);    // 01 02 03 04  11 12 13 14  ->  01 11  02 12  03 13  04 14
//   codec::join_planes(out, {.width = 4}, back);      // and back
//
// Bytes beyond the last whole number stay where they are, at the end. Width 1 copies.
// REQUIRES: width is 1, 2 or 4; out.size() == in.size(); `in` and `out` do not overlap.
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <span>

#include "entente/base/bytes.hpp"

namespace entente::codec {

struct Numbers {
    std::size_t width = 1;  // bytes of one
    bool integers = false;  // signed, two's complement; of width 1 they stay as they are
};

void split_planes(ByteView in, Numbers numbers, std::span<std::byte> out) noexcept;
void join_planes(ByteView in, Numbers numbers, std::span<std::byte> out) noexcept;

}  // namespace entente::codec
