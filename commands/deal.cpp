#include "commands/deal.hpp"

#include <algorithm>

namespace entente::commands {

Result<data::Partition> deal(std::span<const std::uint32_t> labels, const DealOptions& options, std::uint64_t seed) {
    data::PartitionSpec spec;
    spec.alpha = options.alpha;
    if (options.partition == "iid") {
        spec.kind = data::PartitionKind::iid;
    } else if (options.partition == "shards") {
        spec.kind = data::PartitionKind::shards;
    } else if (options.partition == "dirichlet") {
        spec.kind = data::PartitionKind::dirichlet;
    } else {
        return Error{Code::invalid_argument, "usage.partition",
                     "--partition: expected iid, shards or dirichlet, found \"" + options.partition + "\""};
    }
    const std::size_t rows =
        options.examples == 0 ? labels.size() : std::min<std::size_t>(options.examples, labels.size());
    return data::partition(labels.first(rows), spec, options.partners, derive_key(seed, 0, {}, Purpose::partition));
}

std::string partner_id(std::size_t index) { return "partner-" + std::to_string(index + 1); }
std::string partner_name(std::size_t index) { return "Partner " + std::to_string(index + 1); }

}  // namespace entente::commands
