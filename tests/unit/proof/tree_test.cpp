#include "entente/proof/tree.hpp"

#include <doctest/doctest.h>

#include "golden/proof_golden.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::proof;
using namespace entente::proof::test;

TEST_CASE("roots and proofs are those of the Go team's tlog") {
    const std::vector<Digest> leaves = golden_leaves(1000);
    const Nodes nodes = nodes_over(leaves);
    for (const auto& g : golden::roots) CHECK(to_hex(root_of(g.size, nodes).value()) == g.hash);
    for (const auto& g : golden::inclusions) {
        CAPTURE(g.first);
        const auto path = inclusion_proof(g.first, g.second, nodes).value();
        CHECK(path.size() == g.hashes);
        CHECK(digest_of(path) == g.digest);
    }
    for (const auto& g : golden::consistencies) {
        CAPTURE(g.first);
        const auto path = consistency_proof(g.first, g.second, nodes).value();
        CHECK(path.size() == g.hashes);
        CHECK(digest_of(path) == g.digest);
    }
}

TEST_CASE("every entry of every small tree is proved, and nothing else passes") {
    const std::vector<Digest> leaves = golden_leaves(40);
    const Nodes nodes = nodes_over(leaves);
    const auto at = [&](std::uint64_t index) { return leaves[static_cast<std::size_t>(index)]; };
    for (std::uint64_t size = 1; size <= 33; ++size) {
        const Digest root = root_of(size, nodes).value();
        for (std::uint64_t index = 0; index < size; ++index) {
            auto path = inclusion_proof(index, size, nodes).value();
            REQUIRE(check_inclusion(at(index), index, size, root, path).ok());
            CHECK_FALSE(check_inclusion(at(index + 1), index, size, root, path).ok());
            if (size > 1) CHECK_FALSE(check_inclusion(at(index), index == 0 ? 1 : index - 1, size, root, path).ok());
            for (Digest& hash : path) {
                hash.bytes[7] ^= std::byte{1};
                CHECK(check_inclusion(at(index), index, size, root, path).error().reason == "proof.inclusion");
                hash.bytes[7] ^= std::byte{1};
            }
            path.emplace_back();
            CHECK(check_inclusion(at(index), index, size, root, path).error().reason == "proof.malformed");
            path.pop_back();
            if (path.empty()) continue;
            path.pop_back();
            CHECK(check_inclusion(at(index), index, size, root, path).error().reason == "proof.malformed");
        }
        CHECK(check_inclusion(leaves[0], size, size, root, {}).error().reason == "proof.range");
    }
}

TEST_CASE("every tree goes on where each smaller one ended, and a fork does not") {
    const std::vector<Digest> leaves = golden_leaves(33);
    const Nodes nodes = nodes_over(leaves);
    std::vector<Digest> other = leaves;
    for (std::uint64_t from = 0; from <= 33; ++from) {
        const Digest old_root = root_of(from, nodes).value();
        for (std::uint64_t to = from; to <= 33; ++to) {
            const Digest new_root = root_of(to, nodes).value();
            auto path = consistency_proof(from, to, nodes).value();
            REQUIRE(check_consistency(from, old_root, to, new_root, path).ok());
            if (from == 0) continue;
            // A history that differs in its first record, with the proof that its own keeper would give.
            other[0].bytes[0] = leaves[0].bytes[0] ^ std::byte{1};
            const Nodes forked = nodes_over(other);
            const auto lie = consistency_proof(from, to, forked).value();
            CHECK(check_consistency(from, old_root, to, root_of(to, forked).value(), lie).error().reason == "proof.consistency");
            CHECK_FALSE(check_consistency(from, root_of(from, forked).value(), to, new_root, path).ok());
            path.emplace_back();
            CHECK(check_consistency(from, old_root, to, new_root, path).error().reason == "proof.malformed");
        }
        if (from > 0) CHECK(check_consistency(from, old_root, from - 1, old_root, {}).error().reason == "proof.range");
    }
}

TEST_CASE("sizes that nobody has are answered, not computed") {
    const std::uint64_t huge = ~std::uint64_t{0};
    CHECK_FALSE(check_inclusion(Digest{}, huge - 1, huge, Digest{}, {}).ok());
    CHECK_FALSE(check_consistency(huge - 1, Digest{}, huge, Digest{}, {}).ok());
    const std::vector<Digest> many(65);
    CHECK_FALSE(check_inclusion(Digest{}, huge - 1, huge, Digest{}, many).ok());
    CHECK_FALSE(check_consistency(huge / 2, Digest{}, huge, Digest{}, many).ok());
}
