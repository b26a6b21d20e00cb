#include "entente/aggregate/packed_update.hpp"

#include <doctest/doctest.h>

#include "entente/base/philox.hpp"
#include "entente/tensor/kernels.hpp"

using namespace entente;
using aggregate::FixedPoint;
using aggregate::PackedUpdate;

namespace {

// Every form that a plan can ask for; 301 values, so that the last block is short and its last byte half.
constexpr std::size_t count = 301;
const FixedPoint grids[] = {{.bits = 8, .scale_log2 = 7},
                            {.bits = 16, .scale_log2 = 14},
                            {.bits = 32, .scale_log2 = 24},
                            {.bits = 8, .scale_log2 = 14, .block = 64},
                            {.bits = 4, .scale_log2 = 14, .block = 64}};

Bytes content_of(const FixedPoint& grid) {
    Philox random(derive_key(grid.bits, grid.block, {}, Purpose::test));
    std::vector<float> delta(count);
    for (float& v : delta) v = static_cast<float>(random.normal()) * 0.1f;
    return aggregate::pack(aggregate::quantise(delta, grid, {1, 2}).value().values, grid);
}

}  // namespace

TEST_CASE("an update is the content that it was made of") {
    for (const FixedPoint& grid : grids) {
        const Bytes content = content_of(grid);
        const auto update = PackedUpdate::of(content, grid, count);
        REQUIRE(update.ok());
        CHECK(Bytes(update->content().begin(), update->content().end()) == content);
        CHECK(update->values() == count);
    }
}

TEST_CASE("whatever byte is changed, an update is good exactly when it unpacks") {
    std::vector<std::int32_t> integers(count);
    for (const kernels::Table* table : kernels::available()) {
        REQUIRE(kernels::select(table->name).ok());
        for (const FixedPoint& grid : grids) {
            const Bytes content = content_of(grid);
            for (std::size_t i = 0; i < content.size(); ++i) {
                for (const unsigned value : {0x00u, 0x07u, 0x08u, 0x09u, 0x0cu, 0x0du, 0x70u, 0x80u, 0x88u, 0xffu}) {
                    Bytes changed = content;
                    changed[i] = static_cast<std::byte>(value);
                    if (grid.block == 0 && value == 0x80u) {
                        // The one pattern that has no negative.
                        const std::size_t width = grid.bytes_per_value();
                        std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(i / width * width), width, std::byte{0});
                        changed[i / width * width + width - 1] = std::byte{0x80};
                    }
                    const Status expected = aggregate::unpack(changed, grid, integers);
                    const auto found = PackedUpdate::of(changed, grid, count);
                    REQUIRE(found.ok() == expected.ok());
                    if (!expected.ok()) CHECK(found.error().reason == "update.range");
                }
            }
        }
    }
    REQUIRE(kernels::select(kernels::available().back()->name).ok());
}

TEST_CASE("another length is refused") {
    for (const FixedPoint& grid : grids) {
        Bytes content = content_of(grid);
        CHECK(PackedUpdate::of(Bytes(content.begin(), content.end() - 1), grid, count).error().reason == "update.shape");
        content.push_back(std::byte{0});
        CHECK(PackedUpdate::of(content, grid, count).error().reason == "update.shape");
        CHECK(aggregate::check_packed(content, grid, count).error().reason == "update.size");
    }
}
