// The log's tree as files, C2SP tlog-tiles: 256 hashes a tile; a tile of level L + 1 holds the roots of 256 full ones of
// level L; the last tile of a level may be partial, and is then a prefix of the full one.
//
//   path_of(Tile{.level = 0, .index = 1'234'067})            // "tile/0/x001/x234/067"
//   path_of(Tile{.level = 0, .index = 273, .width = 112})    // "tile/0/273.p/112"
//
//   TileTree tree;                                            // the writing side
//   tree.add(leaf); …
//   for (auto& [tile, bytes] : tree.take_changes()) store(tile, bytes);
//
//   Nodes nodes = nodes_of(read_tile, size);                  // the reading side: proofs from tiles (tree.hpp)
//
// Entry bundles have the same numbers, and entries in them behind two bytes of length, big-endian. Errors:
// invalid_argument "tile.path", "tile.size" (not so many hashes), "bundle.malformed". Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "entente/codec/merkle.hpp"
#include "entente/proof/tree.hpp"

namespace entente::proof {

inline constexpr unsigned tile_height = 8;
inline constexpr std::uint32_t tile_width = 256;
inline constexpr unsigned highest_tile_level = 7;  // 256^8 leaves are 2^64

struct Tile {
    bool entries = false;  // a bundle of entries; its level is 0
    unsigned level = 0;
    std::uint64_t index = 0;
    std::uint32_t width = tile_width;  // hashes or entries in it: 1 to 256

    friend bool operator==(const Tile&, const Tile&) = default;
};

std::string path_of(const Tile& tile);
// Accepts exactly what path_of() writes.
Result<Tile> tile_from_path(std::string_view path);

// Full tiles of a level, and how many hashes the partial one behind them has (0: there is none).
std::uint64_t full_tiles(std::uint64_t size, unsigned level) noexcept;
std::uint32_t partial_width(std::uint64_t size, unsigned level) noexcept;

class TileTree {
public:
    void add(const Digest& leaf);
    [[nodiscard]] std::uint64_t size() const noexcept { return frontier_.leaves(); }
    [[nodiscard]] Digest root() const noexcept { return frontier_.root(); }
    // Tiles that are new or have grown since the last call, each as wide as it is now.
    std::vector<std::pair<Tile, Bytes>> take_changes();

private:
    struct Level {
        std::uint64_t index = 0;  // of the tile that is being filled
        Bytes hashes;
        bool changed = false;
    };
    void add_at(unsigned level, const Digest& hash);

    codec::MerkleFrontier frontier_;
    std::vector<Level> levels_;
    std::vector<std::pair<Tile, Bytes>> full_;
};

// `read` gives a tile of at least this width's hashes; more of them are ignored.
Nodes nodes_of(std::function<Result<Bytes>(const Tile&)> read, std::uint64_t size);

void append_entry(Bytes& bundle, ByteView entry);  // REQUIRES: at most 65535 bytes
Result<std::vector<Bytes>> read_bundle(ByteView bundle);

}  // namespace entente::proof
