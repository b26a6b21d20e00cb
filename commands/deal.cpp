#include "commands/deal.hpp"

#include <algorithm>
#include <cstdlib>

namespace entente::commands {

namespace {

Error unknown(const std::string& found) {
    return Error{Code::invalid_argument, "usage.partition",
                 "--partition: expected iid, shards, dirichlet or quantity (shards:2, dirichlet:0.3, quantity:0.5), "
                 "found \"" + found + "\""};
}

Result<data::PartitionSpec> read_spec(const DealOptions& options) {
    data::PartitionSpec spec;
    spec.alpha = options.alpha;
    const std::size_t colon = options.partition.find(':');
    const std::string kind = options.partition.substr(0, colon);
    if (kind == "iid") {
        spec.kind = data::PartitionKind::iid;
    } else if (kind == "shards") {
        spec.kind = data::PartitionKind::shards;
    } else if (kind == "dirichlet") {
        spec.kind = data::PartitionKind::dirichlet;
    } else if (kind == "quantity") {
        spec.kind = data::PartitionKind::quantity;
    } else {
        return unknown(options.partition);
    }
    if (colon == std::string::npos) return spec;
    const std::string number = options.partition.substr(colon + 1);
    const bool whole = number.size() < 9 && number.find_first_not_of("0123456789") == std::string::npos;
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0' || kind == "iid" || (kind == "shards" && !whole)) return unknown(options.partition);
    if (kind == "shards") spec.shards_per_participant = static_cast<std::uint32_t>(value);
    spec.alpha = value;
    return spec;
}

}  // namespace

Result<data::Partition> deal(std::span<const std::uint32_t> labels, const DealOptions& options, std::uint64_t seed) {
    ENTENTE_ASSIGN(data::PartitionSpec spec, read_spec(options));
    const std::size_t rows =
        options.examples == 0 ? labels.size() : std::min<std::size_t>(options.examples, labels.size());
    // Ten rows for everybody are a promise that a thousand small partners make impossible.
    if (options.partners > 0 && rows / options.partners < 100) spec.min_rows = 1;
    return data::partition(labels.first(rows), spec, options.partners, derive_key(seed, 0, {}, Purpose::partition));
}

std::string partner_id(std::size_t index) { return "partner-" + std::to_string(index + 1); }
std::string partner_name(std::size_t index) { return "Partner " + std::to_string(index + 1); }

}  // namespace entente::commands
