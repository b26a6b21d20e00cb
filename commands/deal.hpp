// How a data set is dealt to partners. `simulate` and `data split` share it: with the same seed and names, a
// federation of real processes and a simulated one hold the same shares and come to the same model.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "entente/data/partition.hpp"

namespace entente::commands {

struct DealOptions {
    std::uint32_t partners = 3;
    std::string partition = "iid";  // iid, shards, dirichlet or quantity; shards:2, dirichlet:0.3, quantity:0.5
    double alpha = 0.5;             // dirichlet and quantity, when nothing stands behind the colon
    std::uint32_t examples = 0;     // only the first so many; 0 is all
};

// "usage.partition", and the errors of data::partition.
Result<data::Partition> deal(std::span<const std::uint32_t> labels, const DealOptions& options, std::uint64_t seed);

// "partner-1" for the first.
std::string partner_id(std::size_t index);
std::string partner_name(std::size_t index);

}  // namespace entente::commands
