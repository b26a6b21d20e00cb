#include "entente/data/partition.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace entente;
using data::PartitionKind;
using data::PartitionSpec;

namespace {

std::vector<std::uint32_t> labels(std::size_t count, std::uint32_t classes) {
    std::vector<std::uint32_t> result;
    Philox random({1, 1});
    for (std::size_t i = 0; i < count; ++i) result.push_back(random.bounded(classes));
    return result;
}

// Every row exactly once, nobody empty.
void check_covers(const data::Partition& parts, std::size_t rows, std::uint32_t participants) {
    REQUIRE(parts.size() == participants);
    std::vector<std::uint32_t> all;
    for (const auto& part : parts) {
        CHECK_FALSE(part.empty());
        all.insert(all.end(), part.begin(), part.end());
    }
    REQUIRE(all.size() == rows);
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < rows; ++i) REQUIRE(all[i] == i);
}

std::size_t different_labels(const std::vector<std::uint32_t>& rows,
                             const std::vector<std::uint32_t>& labels) {
    std::set<std::uint32_t> seen;
    for (const std::uint32_t row : rows) seen.insert(labels[row]);
    return seen.size();
}

}  // namespace

TEST_CASE("every kind of partition gives every row to exactly one participant, the same way each time") {
    for (const PartitionKind kind : {PartitionKind::iid, PartitionKind::shards, PartitionKind::dirichlet}) {
        for (const std::uint32_t participants : {1u, 3u, 7u, 20u}) {
            const auto given = labels(1003, 10);
            PartitionSpec spec;
            spec.kind = kind;
            spec.min_rows = 5;
            const auto parts = data::partition(given, spec, participants, {2, 3}).value();
            check_covers(parts, 1003, participants);
            CHECK(parts == data::partition(given, spec, participants, {2, 3}).value());
            if (participants > 1) CHECK(parts != data::partition(given, spec, participants, {2, 4}).value());
        }
    }
}

TEST_CASE("iid parts have equal sizes and all classes") {
    const auto given = labels(1003, 10);
    const auto parts = data::partition(given, {}, 10, {2, 3}).value();
    for (const auto& part : parts) {
        CHECK((part.size() == 100 || part.size() == 101));
        CHECK(different_labels(part, given) >= 8);
    }
}

TEST_CASE("two shards give each participant two equal shards and few classes") {
    std::vector<std::uint32_t> given;
    for (std::uint32_t i = 0; i < 2000; ++i) given.push_back(i % 10);
    PartitionSpec spec;
    spec.kind = PartitionKind::shards;
    const auto parts = data::partition(given, spec, 10, {2, 3}).value();
    check_covers(parts, 2000, 10);
    for (const auto& part : parts) {
        CHECK(part.size() == 200);
        CHECK(different_labels(part, given) <= 2);  // a shard of 100 lies within one class of 200
        // The sort is stable: rows of one class ascend within a shard.
        for (std::size_t i = 1; i < 100; ++i) CHECK(part[i - 1] < part[i]);
    }
}

TEST_CASE("a small alpha skews the classes and a large one does not") {
    const auto given = labels(5000, 10);
    PartitionSpec spec;
    spec.kind = PartitionKind::dirichlet;
    spec.min_rows = 1;
    const auto largest_share = [&](double alpha) {
        spec.alpha = alpha;
        const auto parts = data::partition(given, spec, 5, {2, 3}).value();
        check_covers(parts, 5000, 5);
        double sum = 0.0;
        for (std::uint32_t c = 0; c < 10; ++c) {
            std::vector<int> counts;
            for (const auto& part : parts) {
                counts.push_back(static_cast<int>(std::count_if(
                    part.begin(), part.end(), [&](std::uint32_t row) { return given[row] == c; })));
            }
            sum += static_cast<double>(*std::max_element(counts.begin(), counts.end())) / 500.0;
        }
        return sum / 10.0;
    };
    CHECK(largest_share(0.05) > 0.7);
    CHECK(largest_share(1000.0) < 0.3);
    CHECK(largest_share(0.001) > 0.9);  // shares far below the smallest double
}

TEST_CASE("a Dirichlet partition keeps its promise of rows for everybody") {
    const auto given = labels(1000, 10);
    PartitionSpec spec;
    spec.kind = PartitionKind::dirichlet;
    spec.min_rows = 40;
    const auto parts = data::partition(given, spec, 10, {2, 3}).value();
    for (const auto& part : parts) CHECK(part.size() >= 40);
}

TEST_CASE("a quantity partition gives everybody the least and skews the sizes, not the classes") {
    const auto given = labels(6000, 10);
    PartitionSpec spec;
    spec.kind = PartitionKind::quantity;
    const auto largest = [&](double alpha) {
        spec.alpha = alpha;
        const auto parts = data::partition(given, spec, 20, {2, 3}).value();
        check_covers(parts, 6000, 20);
        std::size_t most = 0;
        for (const auto& part : parts) {
            CHECK(part.size() >= 10);
            if (part.size() >= 1000) {
                const auto zeros = std::count_if(part.begin(), part.end(), [&](std::uint32_t row) { return given[row] == 0; });
                CHECK(std::abs(static_cast<double>(zeros) / static_cast<double>(part.size()) - 0.1) < 0.04);
            }
            most = std::max(most, part.size());
        }
        return most;
    };
    CHECK(largest(0.1) > 1200);
    CHECK(largest(1000.0) < 400);
}

TEST_CASE("partitions that cannot be are refused") {
    const auto given = labels(100, 10);
    const auto reason = [&](const PartitionSpec& spec, std::uint32_t participants) {
        const auto parts = data::partition(given, spec, participants, {2, 3});
        return parts.ok() ? "ok" : parts.error().reason;
    };
    CHECK(reason({}, 0) == "partition.participants");
    CHECK(reason({}, 101) == "partition.participants");
    CHECK(reason({}, 100) == "ok");
    PartitionSpec spec;
    spec.kind = PartitionKind::shards;
    CHECK(reason(spec, 51) == "partition.shards");
    spec.shards_per_participant = 0;
    CHECK(reason(spec, 5) == "partition.shards");
    spec.shards_per_participant = 0xffffffffu;
    CHECK(reason(spec, 5) == "partition.shards");
    spec.kind = PartitionKind::dirichlet;
    CHECK(reason(spec, 11) == "partition.min-rows");
    spec.alpha = 0.0;
    CHECK(reason(spec, 5) == "partition.alpha");
    spec.alpha = 0.001;
    CHECK(reason(spec, 10) == "partition.min-rows");  // possible, but not reached
    spec.kind = PartitionKind::quantity;
    CHECK(reason(spec, 11) == "partition.min-rows");
    CHECK(reason(spec, 10) == "ok");
    spec.alpha = 1e7;
    CHECK(reason(spec, 10) == "partition.alpha");
    spec.kind = static_cast<PartitionKind>(9);
    CHECK(reason(spec, 5) == "partition.kind");
}
