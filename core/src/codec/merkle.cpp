#include "entente/codec/merkle.hpp"

#include <algorithm>

#include "codec/merkle_leaves.hpp"

namespace entente::codec {

namespace {

constexpr std::array<std::byte, 1> leaf_prefix{std::byte{0}};
constexpr std::array<std::byte, 1> node_prefix{std::byte{1}};

}  // namespace

Digest merkle_leaf(ByteView chunk) noexcept {
    Sha256 hash;
    hash.update(leaf_prefix);
    hash.update(chunk);
    return hash.finish();
}

Digest merkle_node(const Digest& left, const Digest& right) noexcept {
    Sha256 hash;
    hash.update(node_prefix);
    hash.update(left.bytes);
    hash.update(right.bytes);
    return hash.finish();
}

Digest merkle_root_of_leaves(std::span<const Digest> leaves) {
    MerkleFrontier frontier;
    for (const Digest& leaf : leaves) frontier.add(leaf);
    return frontier.root();
}

Digest merkle_root(ByteView content) {
    MerkleBuilder tree;
    tree.append(content);
    return tree.root();
}

void MerkleFrontier::add(const Digest& leaf) {
    // The complete subtrees are the ones in the binary form of leaves_; adding a leaf carries like adding 1.
    Digest carry = leaf;
    for (std::uint64_t bits = leaves_; (bits & 1u) != 0; bits >>= 1u) {
        carry = merkle_node(complete_.back(), carry);
        complete_.pop_back();
    }
    complete_.push_back(carry);
    ++leaves_;
}

Digest MerkleFrontier::root() const noexcept {
    if (complete_.empty()) return sha256({});
    Digest right = complete_.back();
    for (std::size_t i = complete_.size() - 1; i-- > 0;) right = merkle_node(complete_[i], right);
    return right;
}

MerkleBuilder::MerkleBuilder() noexcept { leaf_.update(leaf_prefix); }

void MerkleBuilder::append(ByteView bytes) {
    total_bytes_ += bytes.size();
    while (!bytes.empty()) {
        if (leaf_bytes_ == 0 && bytes.size() >= chunk_bytes) {
            std::array<Digest, 16> leaves;
            const std::size_t count = std::min(leaves.size(), bytes.size() / chunk_bytes);
            merkle_leaves(bytes.first(count * chunk_bytes), std::span(leaves).first(count));
            for (std::size_t i = 0; i < count; ++i) frontier_.add(leaves[i]);
            bytes = bytes.subspan(count * chunk_bytes);
            continue;
        }
        const std::size_t taken = std::min(bytes.size(), chunk_bytes - leaf_bytes_);
        leaf_.update(bytes.first(taken));
        leaf_bytes_ += taken;
        bytes = bytes.subspan(taken);
        if (leaf_bytes_ == chunk_bytes) {
            frontier_.add(leaf_.finish());
            leaf_.update(leaf_prefix);
            leaf_bytes_ = 0;
        }
    }
}

Digest MerkleBuilder::root() const noexcept {
    if (leaf_bytes_ == 0) return frontier_.root();
    MerkleFrontier all = frontier_;
    Sha256 last = leaf_;
    all.add(last.finish());
    return all.root();
}

}  // namespace entente::codec
