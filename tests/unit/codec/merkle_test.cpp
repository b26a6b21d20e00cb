#include "entente/codec/merkle.hpp"

#include <doctest/doctest.h>

#include "codec/merkle_leaves.hpp"
#include "codec/sha256_blocks.hpp"
#include "entente/tensor/kernels.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::codec;
using namespace entente::codec::test;

namespace {

// RFC 6962 section 2.1 as it is written there: split at the largest power of two below n.
Digest by_definition(std::span<const Digest> leaves) {
    if (leaves.empty()) return sha256({});
    if (leaves.size() == 1) return leaves[0];
    std::size_t k = 1;
    while (2 * k < leaves.size()) k *= 2;
    return merkle_node(by_definition(leaves.first(k)), by_definition(leaves.subspan(k)));
}

}  // namespace

TEST_CASE("merkle roots are those of certificate transparency") {
    const char* inputs[] = {
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                           "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                           "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                           "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                           "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                           "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                           "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                           "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    CHECK(to_hex(merkle_root_of_leaves({})) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    std::vector<Digest> leaves;
    for (std::size_t i = 0; i < std::size(inputs); ++i) {
        leaves.push_back(merkle_leaf(hex(inputs[i])));
        CHECK(to_hex(merkle_root_of_leaves(leaves)) == roots[i]);
    }
}

TEST_CASE("the frontier agrees with the recursive definition for every size") {
    std::vector<Digest> leaves;
    for (unsigned i = 0; i < 70; ++i) {
        CHECK(merkle_root_of_leaves(leaves) == by_definition(leaves));
        leaves.push_back(sha256(noise(3, i)));
    }
}

TEST_CASE("content is cut into chunks of 64 KiB") {
    const Bytes content = noise(3 * chunk_bytes + 5);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, chunk_bytes - 1, chunk_bytes,
                                   chunk_bytes + 1, 2 * chunk_bytes, 3 * chunk_bytes, 3 * chunk_bytes + 5}) {
        CAPTURE(size);
        const ByteView part = ByteView(content).first(size);
        std::vector<Digest> leaves;
        for (std::size_t i = 0; i < size; i += chunk_bytes) {
            leaves.push_back(merkle_leaf(part.subspan(i, std::min(chunk_bytes, size - i))));
        }
        CHECK(merkle_root(part) == by_definition(leaves));
        for (const std::size_t step : {std::size_t{1000}, chunk_bytes, 2 * chunk_bytes + 1}) {
            MerkleBuilder tree;
            for (std::size_t i = 0; i < size; i += step) {
                tree.append(part.subspan(i, std::min(step, size - i)));
                static_cast<void>(tree.root());  // asking on the way changes nothing
            }
            CHECK(tree.bytes() == size);
            CHECK(tree.root() == merkle_root(part));
        }
    }
}

TEST_CASE("messages side by side have the digests that each has alone") {
    for (const kernels::Table* table : kernels::available()) {
        CAPTURE(table->name);
        const std::size_t lanes = table->lanes;
        for (const std::size_t blocks : {1u, 2u, 3u, 17u}) {
            std::vector<Bytes> messages;
            std::vector<const unsigned char*> pointers;
            std::vector<std::uint32_t> state(8 * lanes);
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                messages.push_back(noise(64 * blocks + lane, lane + 1));
                pointers.push_back(reinterpret_cast<const unsigned char*>(messages[lane].data()) + lane);  // nowhere aligned
                for (std::size_t i = 0; i < 8; ++i) state[i * lanes + lane] = sha256_initial_state[i] + static_cast<std::uint32_t>(lane);
            }
            table->sha256_lanes(sha256_constants.data(), pointers.data(), blocks, state.data());
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                Sha256State alone = sha256_initial_state;
                for (std::uint32_t& word : alone) word += static_cast<std::uint32_t>(lane);
                sha256_blocks_portable(alone, messages[lane].data() + lane, blocks);
                for (std::size_t i = 0; i < 8; ++i) CHECK(state[i * lanes + lane] == alone[i]);
            }
        }
    }
}

TEST_CASE("many chunks at once have the leaves that each has alone, whatever the machine's vectors") {
    const std::size_t most = 18;
    const Bytes content = noise(most * chunk_bytes);
    std::vector<Digest> expected;
    for (std::size_t i = 0; i < most; ++i) expected.push_back(merkle_leaf(ByteView(content).subspan(i * chunk_bytes, chunk_bytes)));
    for (const kernels::Table* table : kernels::available()) {
        REQUIRE(kernels::select(table->name).ok());
        for (std::size_t count = 0; count <= most; ++count) {
            std::vector<Digest> leaves(count);
            merkle_leaves(ByteView(content).first(count * chunk_bytes), leaves);
            CHECK(std::equal(leaves.begin(), leaves.end(), expected.begin()));
        }
        // Begun with an odd piece, and all at once.
        MerkleBuilder tree;
        tree.append(ByteView(content).first(5));
        tree.append(ByteView(content).subspan(5));
        CHECK(tree.root() == merkle_root(content));
        CHECK(tree.root() == merkle_root_of_leaves(expected));
    }
    REQUIRE(kernels::select(kernels::available().back()->name).ok());
}
