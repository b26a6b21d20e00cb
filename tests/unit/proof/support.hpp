#pragma once

#include <string>
#include <vector>

#include "entente/codec/merkle.hpp"
#include "entente/codec/sign.hpp"
#include "entente/proof/tiles.hpp"

namespace entente::proof::test {

// The golden tree's leaves: the texts "entry i".
inline std::vector<Digest> golden_leaves(std::size_t count) {
    std::vector<Digest> leaves;
    for (std::size_t i = 0; i < count; ++i) leaves.push_back(codec::merkle_leaf(as_bytes("entry " + std::to_string(i))));
    return leaves;
}

// Straight from the leaves.
inline Nodes nodes_over(const std::vector<Digest>& leaves) {
    return [&leaves](unsigned level, std::uint64_t index) -> Result<Digest> {
        const std::size_t width = std::size_t{1} << level;
        const auto first = static_cast<std::size_t>(index) * width;
        return codec::merkle_root_of_leaves(std::span(leaves).subspan(first, width));
    };
}

inline std::string digest_of(const std::vector<Digest>& hashes) {
    codec::Sha256 all;
    for (const Digest& h : hashes) all.update(h.bytes);
    return to_hex(all.finish());
}

// Of the seed 0 to 31, or of one byte thirty-two times.
inline codec::SigningKey golden_key() {
    std::array<std::byte, 32> seed{};
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::byte>(i);
    return codec::SigningKey(seed);
}
inline codec::SigningKey key_of(unsigned value) {
    std::array<std::byte, 32> seed{};
    seed.fill(static_cast<std::byte>(value));
    return codec::SigningKey(seed);
}

}  // namespace entente::proof::test
