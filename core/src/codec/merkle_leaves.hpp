// Leaves of whole chunks, hashed side by side where that is faster than one after the other.
#pragma once

#include <span>

#include "entente/codec/merkle.hpp"

namespace entente::codec {

// How many it pays to collect: the lanes of the machine's vectors, or 1.
std::size_t leaves_at_once() noexcept;

// leaves[i] = merkle_leaf of chunk i. REQUIRES: chunks.size() == leaves.size() * chunk_bytes.
void merkle_leaves(ByteView chunks, std::span<Digest> leaves) noexcept;

}  // namespace entente::codec
