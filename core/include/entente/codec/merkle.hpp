// The digest of content: the RFC 6962 Merkle tree root (SHA-256) over chunks of 64 KiB, the last one shorter.
// A leaf hashes 0x00 + chunk, a node 0x01 + left + right; no content at all is SHA-256 of nothing.
//
//   Digest digest = codec::merkle_root(content);
//
//   codec::MerkleBuilder tree;                 // the same while the content streams by, in pieces of any
//   size tree.append(first_part); tree.append(second_part); Digest same = tree.root();
//
// With many cores: merkle_leaf() of every chunk in any order, then merkle_root_of_leaves(). On one, chunks that are
// appended together are hashed side by side where vectors are wide enough: up to 16 chunks at once are worth it.
//
// Thread-safety: the functions are pure; one MerkleBuilder belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::codec {

inline constexpr std::size_t chunk_bytes = 64 * 1024;

[[nodiscard]] Digest merkle_leaf(ByteView chunk) noexcept;
[[nodiscard]] Digest merkle_node(const Digest& left, const Digest& right) noexcept;

// The root over leaf digests in order: of chunks, of ledger entries, of anything.
[[nodiscard]] Digest merkle_root_of_leaves(std::span<const Digest> leaves);

// The root over `content` cut into chunks.
[[nodiscard]] Digest merkle_root(ByteView content);

// Adds leaf digests one at a time and keeps only one digest for each level: 64 at most.
class MerkleFrontier {
public:
    void add(const Digest& leaf);
    [[nodiscard]] Digest root() const noexcept;  // of the leaves so far; may be asked at any time
    [[nodiscard]] std::uint64_t leaves() const noexcept { return leaves_; }

private:
    std::vector<Digest> complete_;  // roots of the complete subtrees, largest first
    std::uint64_t leaves_ = 0;
};

class MerkleBuilder {
public:
    MerkleBuilder() noexcept;

    void append(ByteView bytes);
    [[nodiscard]] Digest root() const noexcept;  // of all bytes so far; appending may go on afterwards
    [[nodiscard]] std::uint64_t bytes() const noexcept { return total_bytes_; }

private:
    MerkleFrontier frontier_;
    Sha256 leaf_;
    std::size_t leaf_bytes_ = 0;  // content bytes in leaf_
    std::uint64_t total_bytes_ = 0;
};

}  // namespace entente::codec
