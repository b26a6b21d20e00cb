#include "entente/data/partition.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "entente/base/math.hpp"

namespace entente::data {

namespace {

constexpr int max_draws = 1000;

Error fault(const char* reason, const std::string& message) {
    return {Code::invalid_argument, reason, "partition: " + message};
}

std::vector<std::uint32_t> counting(std::size_t count) {
    std::vector<std::uint32_t> rows(count);
    std::iota(rows.begin(), rows.end(), 0u);
    return rows;
}

// Part `part` of `parts` as even as possible: sizes differ by at most 1.
std::span<const std::uint32_t> cut(std::span<const std::uint32_t> rows, std::size_t parts, std::size_t part) {
    const std::size_t from = rows.size() * part / parts;
    return rows.subspan(from, rows.size() * (part + 1) / parts - from);
}

Partition cut_evenly(std::span<const std::uint32_t> rows, std::uint32_t participants) {
    Partition result(participants);
    for (std::uint32_t p = 0; p < participants; ++p) {
        const auto part = cut(rows, participants, p);
        result[p].assign(part.begin(), part.end());
    }
    return result;
}

Result<Partition> deal_shards(std::span<const std::uint32_t> labels, std::uint32_t each,
                              std::uint32_t participants, Philox& random) {
    const std::uint64_t shards = std::uint64_t{each} * participants;
    if (each == 0 || shards > labels.size()) {
        return fault("partition.shards", "expected 1 to " + std::to_string(labels.size()) +
                                             " shards in all, found " + std::to_string(shards));
    }
    std::vector<std::uint32_t> sorted = counting(labels.size());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return labels[a] < labels[b]; });
    std::vector<std::uint32_t> deck = counting(static_cast<std::size_t>(shards));
    random.shuffle(deck);
    Partition result(participants);
    for (std::size_t i = 0; i < deck.size(); ++i) {
        const auto shard = cut(sorted, deck.size(), deck[i]);
        auto& rows = result[i / each];
        rows.insert(rows.end(), shard.begin(), shard.end());
    }
    return result;
}

// The logarithm of a Gamma(shape, 1) variate (a small shape underflows otherwise). Marsaglia and Tsang, "A
// simple method for generating gamma variables", 2000; their section 6 for shape < 1.
double log_gamma_variate(double shape, Philox& random) {
    if (shape < 1.0) {
        const double boosted = log_gamma_variate(shape + 1.0, random);
        return boosted + math::log(1.0 - random.uniform_double()) / shape;
    }
    const double d = shape - 1.0 / 3.0;
    const double c = 1.0 / std::sqrt(9.0 * d);
    for (;;) {
        const double x = random.normal();
        const double base = 1.0 + c * x;
        if (base <= 0.0) continue;
        const double v = base * base * base;
        const double u = 1.0 - random.uniform_double();
        if (math::log(u) < 0.5 * x * x + d - d * v + d * math::log(v)) return math::log(d) + math::log(v);
    }
}

std::vector<double> dirichlet(double alpha, std::uint32_t participants, Philox& random) {
    std::vector<double> shares(participants);
    double top = -std::numeric_limits<double>::infinity();
    for (double& share : shares) {
        share = log_gamma_variate(alpha, random);
        top = std::max(top, share);
    }
    double sum = 0.0;
    for (double& share : shares) {
        share = math::exp(share - top);
        sum += share;
    }
    for (double& share : shares) share /= sum;
    return shares;
}

// Hands out `rows` in the proportions of `shares`, each added to what its participant has.
void deal_in_shares(std::span<const std::uint32_t> rows, std::span<const double> shares, Partition& to) {
    double sum = 0.0;
    std::size_t from = 0;
    for (std::size_t p = 0; p < shares.size(); ++p) {
        sum += shares[p];
        const auto edge = std::floor(sum * static_cast<double>(rows.size()) + 0.5);
        const std::size_t end = p + 1 == shares.size() ? rows.size()
                                                       : std::clamp(static_cast<std::size_t>(edge), from, rows.size());
        to[p].insert(to[p].end(), rows.begin() + static_cast<std::ptrdiff_t>(from),
                     rows.begin() + static_cast<std::ptrdiff_t>(end));
        from = end;
    }
}

Partition draw_dirichlet(const std::vector<std::vector<std::uint32_t>>& by_class, double alpha,
                         std::uint32_t participants, Philox& random) {
    Partition result(participants);
    for (std::vector<std::uint32_t> rows : by_class) {
        random.shuffle(rows);
        deal_in_shares(rows, dirichlet(alpha, participants, random), result);
    }
    return result;
}

Status check_skew(std::size_t rows, const PartitionSpec& spec, std::uint32_t participants) {
    if (!(spec.alpha >= 0.001 && spec.alpha <= 1e6)) {
        return fault("partition.alpha", "expected alpha from 0.001 to 1000000");
    }
    const std::uint32_t min_rows = std::max(spec.min_rows, 1u);
    if (std::uint64_t{min_rows} * participants > rows) {
        return fault("partition.min-rows", "expected at least " + std::to_string(min_rows) +
                                               " rows for each of " + std::to_string(participants) +
                                               " participants, found " + std::to_string(rows) +
                                               " rows in all");
    }
    return done();
}

Result<Partition> deal_quantities(std::size_t count, const PartitionSpec& spec, std::uint32_t participants,
                                  Philox& random) {
    ENTENTE_TRY(check_skew(count, spec, participants));
    std::vector<std::uint32_t> rows = counting(count);
    random.shuffle(rows);
    const std::size_t given = std::size_t{std::max(spec.min_rows, 1u)} * participants;
    Partition result = cut_evenly(std::span(rows).first(given), participants);
    deal_in_shares(std::span(rows).subspan(given), dirichlet(spec.alpha, participants, random), result);
    return result;
}

Result<Partition> deal_dirichlet(std::span<const std::uint32_t> labels, const PartitionSpec& spec,
                                 std::uint32_t participants, Philox& random) {
    ENTENTE_TRY(check_skew(labels.size(), spec, participants));
    const std::uint32_t min_rows = std::max(spec.min_rows, 1u);
    // Grouped by sorting: a huge label costs nothing.
    std::vector<std::uint32_t> sorted = counting(labels.size());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return labels[a] < labels[b]; });
    std::vector<std::vector<std::uint32_t>> by_class;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i == 0 || labels[sorted[i]] != labels[sorted[i - 1]]) by_class.emplace_back();
        by_class.back().push_back(sorted[i]);
    }
    for (int draw = 0; draw < max_draws; ++draw) {
        Partition result = draw_dirichlet(by_class, spec.alpha, participants, random);
        const bool enough = std::all_of(result.begin(), result.end(),
                                        [&](const auto& rows) { return rows.size() >= min_rows; });
        if (enough) return result;
    }
    return fault("partition.min-rows", "expected " + std::to_string(min_rows) +
                                           " rows for everybody, not reached in " +
                                           std::to_string(max_draws) + " draws");
}

}  // namespace

Result<Partition> partition(std::span<const std::uint32_t> labels, const PartitionSpec& spec,
                            std::uint32_t participants, PhiloxKey key) {
    if (participants == 0 || participants > labels.size() ||
        labels.size() > std::numeric_limits<std::uint32_t>::max()) {
        return fault("partition.participants", "expected 1 to " + std::to_string(labels.size()) +
                                                   " participants (one row each at least), found " +
                                                   std::to_string(participants));
    }
    Philox random(key);
    switch (spec.kind) {
        case PartitionKind::iid: {
            std::vector<std::uint32_t> rows = counting(labels.size());
            random.shuffle(rows);
            return cut_evenly(rows, participants);
        }
        case PartitionKind::shards:
            return deal_shards(labels, spec.shards_per_participant, participants, random);
        case PartitionKind::dirichlet: return deal_dirichlet(labels, spec, participants, random);
        case PartitionKind::quantity: return deal_quantities(labels.size(), spec, participants, random);
    }
    return fault("partition.kind", "expected a known kind");
}

}  // namespace entente::data
