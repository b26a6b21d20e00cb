#include "entente/data/dataset.hpp"
#include "entente/data/idx.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace entente;

TEST_CASE("a data set gives its examples as views") {
    const data::Dataset dataset{{2, 2}, 2, {0, 1, 2, 3, 4, 5, 6, 7}, {0, 1}};
    CHECK(dataset.size() == 2);
    CHECK(dataset.example_size() == 4);
    CHECK(dataset.example(1)[0] == 4.0f);
    CHECK(dataset.example(1).data() == dataset.features.data() + 4);
    CHECK(data::validate(dataset).ok());
}

TEST_CASE("a data set whose parts disagree is refused") {
    const auto reason = [](const data::Dataset& d) {
        const Status status = data::validate(d);
        return status.ok() ? "ok" : status.error().reason;
    };
    CHECK(reason({{2}, 2, {}, {}}) == "ok");
    CHECK(reason({{}, 2, {}, {}}) == "data.shape");
    CHECK(reason({{0}, 2, {}, {}}) == "data.shape");
    CHECK(reason({{65536, 65536, 65536, 65536}, 2, {}, {}}) == "data.shape");
    CHECK(reason({{2}, 2, {1, 2, 3}, {0}}) == "data.shape");
    CHECK(reason({{2}, 2, {1, 2}, {0, 1}}) == "data.shape");
    CHECK(reason({{2}, 2, {1, 2}, {2}}) == "data.labels");
    CHECK(reason({{2}, 2, {1, std::numeric_limits<float>::infinity()}, {1}}) == "data.non-finite");
}

TEST_CASE("rows are gathered in their order, with their labels and targets") {
    data::Dataset set;
    set.example_shape = {2};
    set.classes = 3;
    set.outputs = 1;
    set.features = {0, 1, 10, 11, 20, 21};
    set.labels = {0, 1, 2};
    set.targets = {5, 6, 7};
    const std::vector<std::uint32_t> rows{2, 0, 2};
    const data::Dataset part = data::gather(set, rows);
    CHECK(part.features == std::vector<float>{20, 21, 0, 1, 20, 21});
    CHECK(part.labels == std::vector<std::uint32_t>{2, 0, 2});
    CHECK(part.targets == std::vector<float>{7, 5, 7});
    CHECK(data::validate(part).ok());
}

TEST_CASE("examples kept as bytes give the floats of the whole data set") {
    data::Dataset set;
    set.example_shape = {3, 2, 1};
    set.classes = 10;
    for (int i = 0; i < 5 * 6; ++i) set.features.push_back(static_cast<float>((i * 37) % 256) / 255.0f);
    set.labels = {3, 1, 4, 1, 5};
    const data::IdxPair files = data::write_idx_pair(set).value();
    const data::Examples packed = data::read_idx_examples(files.images, files.labels).value();
    const data::Examples whole(std::make_shared<const data::Dataset>(set));
    const std::vector<std::uint32_t> rows{4, 0, 0, 3};
    CHECK(packed.size() == 5);
    CHECK(packed.gather(rows).features == whole.gather(rows).features);
    CHECK(packed.gather(rows).labels == std::vector<std::uint32_t>{5, 3, 3, 1});
    CHECK(data::validate(packed.gather(rows)).ok());
    CHECK(data::Examples().size() == 0);
    Bytes cut = files.images;
    cut.pop_back();
    CHECK(data::read_idx_examples(cut, files.labels).error().reason == "idx.truncated");
}
