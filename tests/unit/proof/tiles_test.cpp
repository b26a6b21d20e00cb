#include "entente/proof/tiles.hpp"

#include <doctest/doctest.h>

#include <map>

#include "golden/proof_golden.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::proof;
using namespace entente::proof::test;

TEST_CASE("a tile's path is that of C2SP tlog-tiles") {
    const std::pair<std::uint64_t, const char*> numbers[] = {{0, "000"},          {5, "005"},           {999, "999"}, {1000, "x001/000"},
                                                             {1'234'067, "x001/x234/067"}, {273'000'999, "x273/x000/999"}};
    for (const auto& [index, text] : numbers) {
        const Tile full{false, 0, index, 256};
        CHECK(path_of(full) == "tile/0/" + std::string(text));
        CHECK(tile_from_path(path_of(full)).value() == full);
        const Tile partial{false, 1, index, 17};
        CHECK(path_of(partial) == "tile/1/" + std::string(text) + ".p/17");
        CHECK(tile_from_path(path_of(partial)).value() == partial);
        const Tile bundle{true, 0, index, 1};
        CHECK(path_of(bundle) == "tile/entries/" + std::string(text) + ".p/1");
        CHECK(tile_from_path(path_of(bundle)).value() == bundle);
    }
}

TEST_CASE("another path names no tile") {
    for (const char* path : {"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/8/000", "tile/64/000",
                             "tile/-1/000", "tile/0/x000/001", "tile/0/x001", "tile/0/001/002", "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0",
                             "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/1/2", "tile/0/000/", "/tile/0/000", "tile/0/x999/x999/x999/x999/x999/x999/999",
                             "tile/entry/000", "tile/0/0 0", "tile/0/../..", "tile/0/x001.p/002"}) {
        CAPTURE(path);
        CHECK(tile_from_path(path).error().reason == "tile.path");
    }
}

TEST_CASE("70 000 entries are 273 full tiles and one of 112, one of 256 and one of 17, and one of one") {
    CHECK(full_tiles(70'000, 0) == 273);
    CHECK(partial_width(70'000, 0) == 112);
    CHECK(full_tiles(70'000, 1) == 1);
    CHECK(partial_width(70'000, 1) == 17);
    CHECK(full_tiles(70'000, 2) == 0);
    CHECK(partial_width(70'000, 2) == 1);
    CHECK(partial_width(70'000, 3) == 0);
    CHECK(partial_width(256, 1) == 1);

    TileTree tree;
    for (std::size_t i = 0; i < 70'000; ++i) tree.add(Digest{});
    std::map<std::pair<unsigned, bool>, unsigned> count;
    for (const auto& [tile, bytes] : tree.take_changes()) {
        CHECK(bytes.size() == 32 * tile.width);
        ++count[{tile.level, tile.width == 256}];
    }
    CHECK(count == std::map<std::pair<unsigned, bool>, unsigned>{{{0, true}, 273}, {{0, false}, 1}, {{1, true}, 1}, {{1, false}, 1}, {{2, false}, 1}});
}

TEST_CASE("tiles hold the hashes that the Go team's tlog writes, however the tree has grown") {
    const std::vector<Digest> leaves = golden_leaves(600);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{600}}) {
        TileTree tree;
        std::map<std::string, Bytes> files;  // by path without width: a partial tile grows in place
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            tree.add(leaves[i]);
            if ((i + 1) % step != 0 && i + 1 != leaves.size()) continue;
            for (auto& [tile, bytes] : tree.take_changes()) files[path_of({false, tile.level, tile.index, 256})] = std::move(bytes);
        }
        CHECK(tree.take_changes().empty());
        for (const auto& g : golden::tiles) CHECK(to_hex(codec::sha256(files.at(path_of({false, g.level, g.index, 256})))) == g.digest);
        CHECK(files.size() == 4);

        const Nodes nodes = nodes_of([&](const Tile& tile) -> Result<Bytes> { return files.at(path_of({false, tile.level, tile.index, 256})); }, 600);
        CHECK(root_of(600, nodes).value() == tree.root());
        for (const std::size_t index : {0u, 255u, 256u, 511u, 512u, 599u}) {
            const auto path = inclusion_proof(index, 600, nodes).value();
            CHECK(check_inclusion(leaves[index], index, 600, tree.root(), path).ok());
        }
        for (const std::size_t from : {1u, 256u, 257u, 512u, 599u}) {
            const Digest old_root = codec::merkle_root_of_leaves(std::span(leaves).first(from));
            CHECK(check_consistency(from, old_root, 600, tree.root(), consistency_proof(from, 600, nodes).value()).ok());
        }
    }
}

TEST_CASE("a tile that is too short, or lies beyond the tree, is an error") {
    const Nodes nodes = nodes_of([](const Tile&) -> Result<Bytes> { return Bytes(31); }, 600);
    CHECK(nodes(0, 3).error().reason == "tile.size");
    CHECK(nodes(0, 600).error().reason == "proof.range");
    CHECK(nodes(8, 2).error().reason == "proof.range");
    CHECK(nodes(63, 0).error().reason == "proof.range");
}

TEST_CASE("entry bundles: lengths in two bytes, big-endian, at most 256 entries") {
    Bytes bundle;
    const Bytes small(3, std::byte{7});
    const Bytes large(65'535, std::byte{9});
    append_entry(bundle, small);
    append_entry(bundle, large);
    append_entry(bundle, {});
    CHECK(to_hex(ByteView(bundle).first(5)) == "0003070707");
    CHECK(to_hex(ByteView(bundle).subspan(5, 3)) == "ffff09");
    CHECK(read_bundle(bundle).value() == std::vector<Bytes>{small, large, {}});
    for (const std::size_t cut : {std::size_t{1}, std::size_t{4}, std::size_t{6}, bundle.size() - 1}) {
        CHECK(read_bundle(ByteView(bundle).first(cut)).error().reason == "bundle.malformed");
    }
    CHECK(read_bundle(Bytes(2 * 257)).error().reason == "bundle.malformed");
}
