#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "entente/aggregate/order_statistics.hpp"

using namespace entente;
using namespace entente::aggregate;

namespace {

class Held final : public StoredUpdate {
public:
    explicit Held(std::vector<std::int32_t> values) : values_(std::move(values)) {}
    [[nodiscard]] Status read(std::uint64_t first, std::span<std::int32_t> values) const override {
        if (first + values.size() > values_.size()) return Error{Code::data_loss, "test.short", "too short"};
        std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(first), values.size(), values.begin());
        return done();
    }

private:
    std::vector<std::int32_t> values_;
};

// Units in reverse order, on three lanes in turn.
class Backwards final : public Executor {
public:
    [[nodiscard]] unsigned width() const noexcept override { return 3; }
    void run(std::size_t units, Work work) override {
        while (units-- > 0) work(units, static_cast<unsigned>(units % 3));
    }
};

std::vector<Held> updates_of(std::size_t count, std::size_t parameters, const FixedPoint& grid) {
    std::vector<Held> all;
    Philox random({3, static_cast<std::uint32_t>(count)});
    const auto width = static_cast<std::uint32_t>(2u * static_cast<std::uint32_t>(grid.limit()) + 1u);
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<std::int32_t> values(parameters);
        for (std::int32_t& v : values) v = static_cast<std::int32_t>(std::int64_t{random.bounded(width)} - grid.limit());
        // Many equal values, and the ends of the range.
        for (std::size_t j = 0; j < parameters; j += 3) values[j] = static_cast<std::int32_t>(i % 2);
        if (i == 0) values[1] = grid.limit();
        if (i == 1) values[1] = -grid.limit();
        all.emplace_back(std::move(values));
    }
    return all;
}

}  // namespace

TEST_CASE("the coordinate median is the middle of the sorted values, in every block, lane and order of updates") {
    for (const FixedPoint grid : {FixedPoint{8, 6}, FixedPoint{8, 14, 256}, FixedPoint{16, 14}, FixedPoint{32, 24}}) {
        for (const std::size_t count : {1u, 2u, 5u, 8u}) {
            const std::size_t d = 2 * order_block + 77;
            std::vector<Held> all = updates_of(count, d, grid);
            std::vector<const StoredUpdate*> pointers;
            for (const Held& held : all) pointers.push_back(&held);
            std::vector<float> median(d);
            REQUIRE(coordinate_median(pointers, grid, inline_executor(), median).ok());
            for (std::size_t j = 0; j < d; ++j) {
                std::vector<double> column;
                for (const Held& held : all) {
                    std::int32_t value = 0;
                    REQUIRE(held.read(j, std::span(&value, 1)).ok());
                    column.push_back(value / static_cast<double>(std::uint64_t{1} << grid.scale_log2));
                }
                std::sort(column.begin(), column.end());
                REQUIRE(median[j] == static_cast<float>((column[(count - 1) / 2] + column[count / 2]) / 2));
            }
            std::reverse(pointers.begin(), pointers.end());
            Backwards backwards;
            std::vector<float> again(d);
            REQUIRE(coordinate_median(pointers, grid, backwards, again).ok());
            CHECK(again == median);
        }
    }
}

TEST_CASE("a median of nothing, of what cannot be read, or of values beyond the grid is refused") {
    std::vector<float> median(10);
    const FixedPoint grid{8, 6};
    CHECK(coordinate_median({}, grid, inline_executor(), median).error().reason == "fold.empty");
    const Held little(std::vector<std::int32_t>(9, 0));
    const StoredUpdate* one[] = {&little};
    CHECK(coordinate_median(one, grid, inline_executor(), median).error().reason == "test.short");
    const Held large(std::vector<std::int32_t>(10, 128));
    const StoredUpdate* other[] = {&large};
    CHECK(coordinate_median(other, grid, inline_executor(), median).error().reason == "update.range");
}
