#include "entente/proof/tree.hpp"

#include <bit>
#include <string>

#include "entente/codec/merkle.hpp"

namespace entente::proof {
namespace {

using codec::merkle_node;

Error out_of_range(std::uint64_t index, std::uint64_t size) {
    return {Code::invalid_argument, "proof.range",
            "proof: expected a place before " + std::to_string(size) + ", found " + std::to_string(index)};
}
Error malformed(std::string what) { return {Code::invalid_argument, "proof.malformed", "proof: " + std::move(what)}; }
Error leads_elsewhere(const char* reason, const Digest& expected, const Digest& found) {
    return {Code::data_loss, reason, "proof: expected the root " + short_hex(expected) + ", its hashes lead to " + short_hex(found)};
}

// RFC 6962's k: the largest power of two below n. REQUIRES: n > 1.
std::uint64_t split(std::uint64_t n) { return std::bit_floor(n - 1); }

// MTH(D[begin:end]). REQUIRES: begin < end, and begin a multiple of the largest power of two in their distance.
Result<Digest> range_hash(std::uint64_t begin, std::uint64_t end, const Nodes& nodes) {
    const std::uint64_t n = end - begin;
    if (std::has_single_bit(n)) {
        const auto level = static_cast<unsigned>(std::countr_zero(n));
        return nodes(level, begin >> level);
    }
    const std::uint64_t middle = begin + split(n);
    ENTENTE_ASSIGN(const Digest left, range_hash(begin, middle, nodes));
    ENTENTE_ASSIGN(const Digest right, range_hash(middle, end, nodes));
    return merkle_node(left, right);
}

// PATH(m, D[n]) of RFC 6962, from the root's child down; the caller turns it round.
Status path_down(std::uint64_t index, std::uint64_t size, const Nodes& nodes, std::vector<Digest>& path) {
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    while (end - begin > 1) {
        const std::uint64_t middle = begin + split(end - begin);
        const bool left = index < middle;
        ENTENTE_ASSIGN(path.emplace_back(), left ? range_hash(middle, end, nodes) : range_hash(begin, middle, nodes));
        (left ? end : begin) = middle;
    }
    return done();
}

}  // namespace

Result<Digest> root_of(std::uint64_t size, const Nodes& nodes) {
    if (size == 0) return codec::sha256({});
    return range_hash(0, size, nodes);
}

Result<std::vector<Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size, const Nodes& nodes) {
    if (index >= size) return out_of_range(index, size);
    std::vector<Digest> path;
    ENTENTE_TRY(path_down(index, size, nodes, path));
    return std::vector<Digest>(path.rbegin(), path.rend());
}

Result<std::vector<Digest>> consistency_proof(std::uint64_t from, std::uint64_t to, const Nodes& nodes) {
    if (from > to) return out_of_range(from, to);
    std::vector<Digest> path;
    if (from == 0 || from == to) return path;
    std::uint64_t begin = 0;
    std::uint64_t end = to;
    while (from != end) {
        const std::uint64_t middle = begin + split(end - begin);
        const bool left = from <= middle;
        ENTENTE_ASSIGN(path.emplace_back(), left ? range_hash(middle, end, nodes) : range_hash(begin, middle, nodes));
        (left ? end : begin) = middle;
    }
    // Where the old list was a complete subtree from the first leaf on, whoever checks has its root already.
    if (begin > 0) {
        ENTENTE_ASSIGN(path.emplace_back(), range_hash(begin, end, nodes));
    }
    return std::vector<Digest>(path.rbegin(), path.rend());
}

Status check_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, const Digest& root, std::span<const Digest> path) {
    if (index >= size) return out_of_range(index, size);
    std::uint64_t node = index;
    std::uint64_t last = size - 1;
    Digest hash = leaf;
    for (const Digest& sibling : path) {
        if (last == 0) return malformed("it has more hashes than the tree has levels");
        if ((node & 1u) != 0 || node == last) {
            hash = merkle_node(sibling, hash);
            while ((node & 1u) == 0 && node != 0) {
                node >>= 1u;
                last >>= 1u;
            }
        } else {
            hash = merkle_node(hash, sibling);
        }
        node >>= 1u;
        last >>= 1u;
    }
    if (last != 0) return malformed("it has fewer hashes than the tree has levels");
    return hash == root ? done() : Status(leads_elsewhere("proof.inclusion", root, hash));
}

Status check_consistency(std::uint64_t from, const Digest& old_root, std::uint64_t to, const Digest& new_root,
                         std::span<const Digest> path) {
    if (from > to) return out_of_range(from, to);
    if (from == 0 || from == to) {
        if (!path.empty()) return malformed("expected no hashes, found " + std::to_string(path.size()));
        const Digest expected = from == 0 ? codec::sha256({}) : new_root;
        return old_root == expected ? done() : Status(leads_elsewhere("proof.consistency", expected, old_root));
    }
    std::uint64_t node = from - 1;
    std::uint64_t last = to - 1;
    while ((node & 1u) != 0) {
        node >>= 1u;
        last >>= 1u;
    }
    std::size_t next = 0;
    Digest first = old_root;
    if (!std::has_single_bit(from)) {
        if (path.empty()) return malformed("it has no hashes");
        first = path[next++];
    }
    Digest old_hash = first;
    Digest new_hash = first;
    for (; next < path.size(); ++next) {
        if (last == 0) return malformed("it has more hashes than the tree has levels");
        if ((node & 1u) != 0 || node == last) {
            old_hash = merkle_node(path[next], old_hash);
            new_hash = merkle_node(path[next], new_hash);
            while ((node & 1u) == 0 && node != 0) {
                node >>= 1u;
                last >>= 1u;
            }
        } else {
            new_hash = merkle_node(new_hash, path[next]);
        }
        node >>= 1u;
        last >>= 1u;
    }
    if (last != 0) return malformed("it has fewer hashes than the tree has levels");
    if (old_hash != old_root) return leads_elsewhere("proof.consistency", old_root, old_hash);
    return new_hash == new_root ? done() : Status(leads_elsewhere("proof.consistency", new_root, new_hash));
}

}  // namespace entente::proof
