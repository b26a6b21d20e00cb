#include "entente/data/idx.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

using namespace entente;

namespace {

Bytes bytes_of(std::initializer_list<int> values) {
    Bytes bytes;
    for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

// Two pictures of 2 x 3.
Bytes images() {
    return bytes_of(
        {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 51, 102, 153, 204, 255, 255, 0, 0, 0, 0, 1});
}
Bytes labels() { return bytes_of({0, 0, 8, 1, 0, 0, 0, 2, 7, 3}); }

std::string reason(const Bytes& images, const Bytes& labels) {
    const auto dataset = data::read_idx_pair(images, labels);
    return dataset.ok() ? "ok" : dataset.error().reason;
}

#ifndef __EMSCRIPTEN__
Bytes file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}
#endif

}  // namespace

TEST_CASE("an IDX pair becomes a data set with pixels between 0 and 1") {
    const data::Dataset dataset = data::read_idx_pair(images(), labels()).value();
    CHECK(dataset.example_shape == std::vector<std::uint32_t>{2, 3, 1});
    CHECK(dataset.classes == 10);
    CHECK(dataset.labels == std::vector<std::uint32_t>{7, 3});
    CHECK(dataset.features ==
          std::vector<float>{0.0f, 0.2f, 0.4f, 0.6f, 0.8f, 1.0f, 1.0f, 0, 0, 0, 0, 1.0f / 255.0f});
    CHECK(data::validate(dataset).ok());
}

TEST_CASE("writing an IDX pair is the inverse of reading it, also for some rows") {
    const data::Dataset dataset = data::read_idx_pair(images(), labels()).value();
    const data::IdxPair pair = data::write_idx_pair(dataset).value();
    CHECK(pair.images == images());
    CHECK(pair.labels == labels());
    const std::vector<std::uint32_t> second{1};
    const data::IdxPair part = data::write_idx_pair(dataset, second).value();
    CHECK(part.labels == bytes_of({0, 0, 8, 1, 0, 0, 0, 1, 3}));
    const data::Dataset again = data::read_idx_pair(part.images, part.labels).value();
    CHECK(again.features == std::vector<float>{1.0f, 0, 0, 0, 0, 1.0f / 255.0f});
    const std::vector<std::uint32_t> beyond{2};
    CHECK(data::write_idx_pair(dataset, beyond).error().reason == "idx.rows");
    CHECK(data::write_idx_pair({{4}, 2, {1, 2, 3, 4}, {1}}).error().reason == "idx.shape");
    CHECK(data::write_idx_pair({{1, 1, 1}, 300, {1}, {256}}).error().reason == "idx.label-range");
}

TEST_CASE("every truncation of either file is refused") {
    for (std::size_t size = 0; size < images().size(); ++size) {
        Bytes cut = images();
        cut.resize(size);
        INFO("images cut to ", size);
        CHECK(reason(cut, labels()) == "idx.truncated");
    }
    for (std::size_t size = 0; size < labels().size(); ++size) {
        Bytes cut = labels();
        cut.resize(size);
        INFO("labels cut to ", size);
        CHECK(reason(images(), cut) == "idx.truncated");
    }
}

TEST_CASE("bytes behind the end are refused") {
    Bytes more = images();
    more.push_back(std::byte{0});
    CHECK(reason(more, labels()) == "idx.trailing");
    more = labels();
    more.push_back(std::byte{0});
    CHECK(reason(images(), more) == "idx.trailing");
}

TEST_CASE("a wrong magic number, swapped files and a changed count are refused") {
    Bytes wrong = images();
    wrong[2] = std::byte{9};  // signed bytes
    CHECK(reason(wrong, labels()) == "idx.magic");
    wrong = labels();
    wrong[0] = std::byte{1};
    CHECK(reason(images(), wrong) == "idx.magic");
    CHECK(reason(labels(), images()) == "idx.magic");
    wrong = labels();
    wrong[7] = std::byte{3};
    CHECK(reason(images(), wrong) == "idx.count-mismatch");
}

TEST_CASE("no pictures, or pictures without pixels, are refused as empty") {
    const Bytes no_labels = bytes_of({0, 0, 8, 1, 0, 0, 0, 0});
    CHECK(reason(bytes_of({0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3}), no_labels) == "idx.empty");
    Bytes flat = images();
    flat[11] = std::byte{0};
    CHECK(reason(flat, labels()) == "idx.empty");
    flat = images();
    flat[15] = std::byte{0};
    CHECK(reason(flat, labels()) == "idx.empty");
}

TEST_CASE("a header that promises more than the limit is refused before anything is allocated") {
    Bytes huge = images();
    Bytes many = labels();
    huge[8] = huge[12] = std::byte{128};
    for (const std::size_t i : {11u, 15u}) huge[i] = std::byte{0};
    huge[7] = many[7] = std::byte{4};  // 4 * 2^31 * 2^31 is 0 in 64 bits
    CHECK(reason(huge, many) == "idx.too-large");
    for (std::size_t i = 4; i < 16; ++i) huge[i] = std::byte{255};
    for (std::size_t i = 4; i < 8; ++i) many[i] = std::byte{255};
    CHECK(reason(huge, many) == "idx.too-large");
    const auto refused = data::read_idx_pair(huge, many);
    CHECK(refused.error().code == Code::too_large);
}

TEST_CASE("a label outside the classes is refused and named") {
    Bytes wrong = labels();
    wrong[9] = std::byte{10};
    const auto refused = data::read_idx_pair(images(), wrong);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().reason == "idx.label-range");
    CHECK(refused.error().message.find("found 10 at 1") != std::string::npos);
    CHECK(data::read_idx_pair(images(), wrong, 11).ok());
}

#ifndef __EMSCRIPTEN__
TEST_CASE("the MNIST test files have the published counts, classes and mean pixel") {
    const char* folder = std::getenv("ENTENTE_MNIST_DIR");
    if (folder == nullptr) {
        MESSAGE("SKIPPED: ENTENTE_MNIST_DIR is not set (a folder with the uncompressed MNIST files)");
        return;
    }
    const std::string base = folder;
    const Bytes image_bytes = file(base + "/t10k-images-idx3-ubyte");
    const Bytes label_bytes = file(base + "/t10k-labels-idx1-ubyte");
    const auto read = data::read_idx_pair(image_bytes, label_bytes);
    REQUIRE(read.ok());
    const data::Dataset& dataset = read.value();
    CHECK(dataset.size() == 10000);
    CHECK(dataset.example_shape == std::vector<std::uint32_t>{28, 28, 1});
    std::array<int, 10> counts{};
    for (const std::uint32_t label : dataset.labels) ++counts[label];
    CHECK(counts == std::array<int, 10>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
    const data::IdxPair pair = data::write_idx_pair(dataset).value();
    CHECK(pair.images == image_bytes);
    CHECK(pair.labels == label_bytes);
}
#endif
