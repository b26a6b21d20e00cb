#include "entente/proof/tiles.hpp"

#include <algorithm>

namespace entente::proof {
namespace {

constexpr std::size_t digest_bytes = 32;

Error bad_path(std::string_view path) {
    return {Code::invalid_argument, "tile.path", "tile: expected tile/<level>/<index>, found \"" + std::string(path.substr(0, 100)) + "\""};
}

std::string three_digits(std::uint64_t number) {
    std::string text = std::to_string(number);
    return std::string(3 - text.size(), '0') + text;
}

// A decimal number without leading zeroes.
bool read_number(std::string_view text, std::uint64_t most, std::uint64_t& number) {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return false;
    number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
        number = 10 * number + static_cast<std::uint64_t>(c - '0');
    }
    return number <= most;
}

std::string_view cut(std::string_view& rest) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    return part;
}

Digest hash_at(ByteView tile, std::size_t index) {
    Digest hash;
    std::copy_n(tile.begin() + static_cast<std::ptrdiff_t>(index * digest_bytes), digest_bytes, hash.bytes.begin());
    return hash;
}

}  // namespace

std::string path_of(const Tile& tile) {
    std::string number = three_digits(tile.index % 1000);
    for (std::uint64_t rest = tile.index / 1000; rest > 0; rest /= 1000) number = "x" + three_digits(rest % 1000) + "/" + number;
    std::string path = "tile/" + (tile.entries ? std::string("entries") : std::to_string(tile.level)) + "/" + number;
    if (tile.width < tile_width) path += ".p/" + std::to_string(tile.width);
    return path;
}

Result<Tile> tile_from_path(std::string_view path) {
    std::string_view rest = path;
    if (cut(rest) != "tile") return bad_path(path);
    Tile tile;
    std::uint64_t number = 0;
    const std::string_view level = cut(rest);
    if (level == "entries") {
        tile.entries = true;
    } else if (read_number(level, highest_tile_level, number)) {
        tile.level = static_cast<unsigned>(number);
    } else {
        return bad_path(path);
    }
    for (;;) {
        std::string_view group = cut(rest);
        const bool more = group.starts_with('x');
        if (more) group.remove_prefix(1);
        const bool partial = !more && group.ends_with(".p");
        if (partial) group.remove_suffix(2);
        if (group.size() != 3 || !std::all_of(group.begin(), group.end(), [](char c) { return c >= '0' && c <= '9'; })) return bad_path(path);
        if (tile.index > (~std::uint64_t{0} >> tile_height) / 1000) return bad_path(path);
        tile.index = 1000 * tile.index + static_cast<std::uint64_t>((group[0] - '0') * 100 + (group[1] - '0') * 10 + (group[2] - '0'));
        if (more) continue;
        if (partial) {
            if (!read_number(cut(rest), tile_width - 1, number) || number == 0) return bad_path(path);
            tile.width = static_cast<std::uint32_t>(number);
        }
        break;
    }
    // Whatever else a path may hold (a leading x000, something behind the end), writing it again gives another one.
    return rest.empty() && path_of(tile) == path ? Result<Tile>(tile) : Result<Tile>(bad_path(path));
}

std::uint64_t full_tiles(std::uint64_t size, unsigned level) noexcept {
    const unsigned shift = tile_height * (level + 1);
    return shift >= 64 ? 0 : size >> shift;
}

std::uint32_t partial_width(std::uint64_t size, unsigned level) noexcept {
    return level > highest_tile_level ? 0 : static_cast<std::uint32_t>((size >> (tile_height * level)) % tile_width);
}

void TileTree::add(const Digest& leaf) {
    frontier_.add(leaf);
    add_at(0, leaf);
}

void TileTree::add_at(unsigned number, const Digest& hash) {
    if (levels_.size() <= number) levels_.emplace_back();
    Level& level = levels_[number];
    level.hashes.insert(level.hashes.end(), hash.bytes.begin(), hash.bytes.end());
    level.changed = true;
    if (level.hashes.size() < tile_width * digest_bytes) return;
    codec::MerkleFrontier roots;
    for (std::size_t i = 0; i < tile_width; ++i) roots.add(hash_at(level.hashes, i));
    full_.emplace_back(Tile{false, number, level.index, tile_width}, std::move(level.hashes));
    level = Level{level.index + 1, {}, false};
    add_at(number + 1, roots.root());
}

std::vector<std::pair<Tile, Bytes>> TileTree::take_changes() {
    auto changes = std::exchange(full_, {});
    for (unsigned number = 0; number < levels_.size(); ++number) {
        Level& level = levels_[number];
        if (!std::exchange(level.changed, false)) continue;
        changes.emplace_back(Tile{false, number, level.index, static_cast<std::uint32_t>(level.hashes.size() / digest_bytes)}, level.hashes);
    }
    return changes;
}

Nodes nodes_of(std::function<Result<Bytes>(const Tile&)> read, std::uint64_t size) {
    return [read = std::move(read), size](unsigned level, std::uint64_t index) -> Result<Digest> {
        const unsigned inside = level % tile_height;
        const unsigned tile_level = level / tile_height;
        const std::uint64_t first = index << inside;  // of the hashes of that level that it covers
        const std::uint64_t number = first / tile_width;
        const bool full = number < full_tiles(size, tile_level);
        const Tile tile{false, tile_level, number, full ? tile_width : partial_width(size, tile_level)};
        const std::size_t from = static_cast<std::size_t>(first % tile_width);
        const std::size_t count = std::size_t{1} << inside;
        if (from + count > tile.width || number > full_tiles(size, tile_level)) {
            return Error{Code::invalid_argument, "proof.range", "proof: a node beyond the tree of " + std::to_string(size) + " entries was asked for"};
        }
        ENTENTE_ASSIGN(const Bytes bytes, read(tile));
        if (bytes.size() < tile.width * digest_bytes) {
            return Error{Code::invalid_argument, "tile.size", path_of(tile) + ": expected " + std::to_string(tile.width * digest_bytes) +
                                                                  " bytes, found " + std::to_string(bytes.size())};
        }
        codec::MerkleFrontier roots;
        for (std::size_t i = from; i < from + count; ++i) roots.add(hash_at(bytes, i));
        return roots.root();
    };
}

void append_entry(Bytes& bundle, ByteView entry) {
    bundle.push_back(static_cast<std::byte>((entry.size() >> 8u) & 0xffu));
    bundle.push_back(static_cast<std::byte>(entry.size() & 0xffu));
    bundle.insert(bundle.end(), entry.begin(), entry.end());
}

Result<std::vector<Bytes>> read_bundle(ByteView bundle) {
    std::vector<Bytes> entries;
    while (!bundle.empty()) {
        const bool has_length = bundle.size() >= 2;
        const std::size_t length = has_length ? (std::to_integer<std::size_t>(bundle[0]) << 8u) | std::to_integer<std::size_t>(bundle[1]) : 0;
        if (!has_length || bundle.size() - 2 < length || entries.size() == tile_width) {
            return Error{Code::invalid_argument, "bundle.malformed",
                         "entry bundle: expected at most 256 entries that are whole, found something else behind entry " + std::to_string(entries.size())};
        }
        const ByteView entry = bundle.subspan(2, length);
        entries.emplace_back(entry.begin(), entry.end());
        bundle = bundle.subspan(2 + length);
    }
    return entries;
}

}  // namespace entente::proof
