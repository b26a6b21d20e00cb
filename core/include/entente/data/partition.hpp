// Dealing one data set to simulated participants.
//
//   data::PartitionSpec two_shards{.kind = data::PartitionKind::shards, .shards_per_participant = 2};
//   ENTENTE_ASSIGN(auto parts, data::partition(digits.labels, two_shards, 100, key));   // 100 lists of rows
//
// Every row goes to exactly one participant, and nobody is left empty. Same key, same lists, on all machines.
//   iid        a random permutation, cut in equal parts (sizes differ by at most 1)
//   shards     stable sort by label, cut in participants * shards_per_participant equal shards (sizes differ
//              by at most 1), dealt at random: McMahan et al. 2017, 100 participants with 2 shards of MNIST
//   dirichlet  per class, shares ~ Dir(alpha) over the participants (Hsu et al. 2019, arXiv 1909.06335, in
//              the form of NIID-Bench, arXiv 2102.02079); drawn again until everybody has min_rows
//   quantity   a random permutation, cut in parts of unequal size: min_rows each, and the rest in shares
//              ~ Dir(alpha) (NIID-Bench's quantity skew)
// Thread-safety: pure function.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entente/base/philox.hpp"
#include "entente/base/result.hpp"

namespace entente::data {

enum class PartitionKind : std::uint32_t { iid = 1, shards = 2, dirichlet = 3, quantity = 4 };

struct PartitionSpec {
    PartitionKind kind = PartitionKind::iid;
    std::uint32_t shards_per_participant = 2;  // shards
    double alpha = 0.5;           // dirichlet, quantity: [0.001, 1e6]; small = much with few participants
    std::uint32_t min_rows = 10;  // dirichlet, quantity; 0 counts as 1
};

using Partition = std::vector<std::vector<std::uint32_t>>;  // [participant] -> row numbers

// invalid_argument "partition.participants" (0, or more than rows), "partition.shards" (0, or more shards
// than rows), "partition.alpha", "partition.min-rows" (cannot be met, or not met in 1,000 draws),
// "partition.kind".
Result<Partition> partition(std::span<const std::uint32_t> labels, const PartitionSpec& spec,
                            std::uint32_t participants, PhiloxKey key);

}  // namespace entente::data
