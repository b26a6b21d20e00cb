// Proofs over a growing list, the Merkle tree of RFC 6962: that an entry is in it, and that a longer one goes on where a
// shorter one ended.
//
//   ENTENTE_ASSIGN(auto path, inclusion_proof(index, size, nodes));        // whoever has the tree
//   ENTENTE_TRY(check_inclusion(leaf, index, size, root, path));           // whoever has a signed root
//   ENTENTE_ASSIGN(auto way, consistency_proof(from, to, nodes));
//   ENTENTE_TRY(check_consistency(from, old_root, to, new_root, way));
//
// Leaves and nodes hash as in codec/merkle.hpp. Making: RFC 6962, sections 2.1.1 and 2.1.2. Checking: RFC 9162, sections
// 2.1.3.2 and 2.1.4.2. A proof has 64 hashes at most. Pure; thread-safe as far as `nodes` is.
//
// Errors: invalid_argument "proof.range" (an index or size beyond the tree), "proof.malformed" (too many or too few
// hashes); data_loss "proof.inclusion" and "proof.consistency": the hashes lead to another root.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

namespace entente::proof {

// The hash of the complete subtree over the leaves [index * 2^level, (index + 1) * 2^level).
using Nodes = std::function<Result<Digest>(unsigned level, std::uint64_t index)>;

Result<Digest> root_of(std::uint64_t size, const Nodes& nodes);
Result<std::vector<Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size, const Nodes& nodes);
Result<std::vector<Digest>> consistency_proof(std::uint64_t from, std::uint64_t to, const Nodes& nodes);

Status check_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, const Digest& root, std::span<const Digest> path);
// An empty list is a beginning of every other.
Status check_consistency(std::uint64_t from, const Digest& old_root, std::uint64_t to, const Digest& new_root,
                         std::span<const Digest> path);

}  // namespace entente::proof
