#include "entente/data/idx.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace entente::data {

namespace {

constexpr std::uint32_t image_magic = 0x00000803;
constexpr std::uint32_t label_magic = 0x00000801;
constexpr std::size_t image_header = 16;
constexpr std::size_t label_header = 8;

// REQUIRES: bytes.size() >= at + 4.
std::uint32_t read_big_endian(ByteView bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = (value << 8) | std::to_integer<std::uint32_t>(bytes[at + i]);
    return value;
}

void append_big_endian(Bytes& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::byte>((value >> shift) & 0xffu));
}

Error fault(const char* reason, const std::string& message, Code code = Code::invalid_argument) {
    return {code, reason, "read_idx_pair: " + message};
}

Status check_magic(ByteView bytes, std::uint32_t expected, std::size_t header, const char* what) {
    if (bytes.size() < 4)
        return fault("idx.truncated", std::string(what) + ": expected a header, found " +
                                          std::to_string(bytes.size()) + " bytes");
    if (const std::uint32_t found = read_big_endian(bytes, 0); found != expected) {
        return fault("idx.magic", std::string(what) + ": expected magic number " + std::to_string(expected) +
                                      ", found " + std::to_string(found));
    }
    if (bytes.size() < header) {
        return fault("idx.truncated", std::string(what) + ": expected a header of " + std::to_string(header) +
                                          " bytes, found " + std::to_string(bytes.size()));
    }
    return done();
}

Status check_body(std::uint64_t expected, std::uint64_t found, const char* what) {
    if (found == expected) return done();
    return fault(found < expected ? "idx.truncated" : "idx.trailing",
                 std::string(what) + ": expected " + std::to_string(expected) +
                     " bytes behind the header, found " + std::to_string(found));
}

// Everything but the features.
Result<Dataset> read_all_but_pixels(ByteView images, ByteView labels, std::uint32_t classes) {
    ENTENTE_TRY(check_magic(images, image_magic, image_header, "images"));
    ENTENTE_TRY(check_magic(labels, label_magic, label_header, "labels"));
    const std::uint32_t count = read_big_endian(images, 4);
    const std::uint32_t height = read_big_endian(images, 8);
    const std::uint32_t width = read_big_endian(images, 12);
    const std::uint32_t label_count = read_big_endian(labels, 4);
    if (count != label_count) {
        return fault("idx.count-mismatch", "expected as many labels as images, found " +
                                               std::to_string(count) + " images and " +
                                               std::to_string(label_count) + " labels");
    }
    if (count == 0 || height == 0 || width == 0) {
        return fault("idx.empty", "expected at least one image with at least one pixel, found " +
                                      std::to_string(count) + " of " + std::to_string(height) + " x " +
                                      std::to_string(width));
    }
    // Two factors of 32 bits fit 64; the third is compared by division.
    const std::uint64_t size = std::uint64_t{height} * width;
    if (size > max_idx_pixels / count) {
        return fault("idx.too-large",
                     "expected at most " + std::to_string(max_idx_pixels) + " pixels in all, found " +
                         std::to_string(count) + " images of " + std::to_string(height) + " x " +
                         std::to_string(width),
                     Code::too_large);
    }
    ENTENTE_TRY(check_body(size * count, images.size() - image_header, "images"));
    ENTENTE_TRY(check_body(count, labels.size() - label_header, "labels"));

    Dataset dataset;
    dataset.example_shape = {height, width, 1};
    dataset.classes = classes;
    dataset.labels.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto label = std::to_integer<std::uint32_t>(labels[label_header + i]);
        if (label >= classes) {
            return fault("idx.label-range", "expected labels below " + std::to_string(classes) + ", found " +
                                                std::to_string(label) + " at " + std::to_string(i));
        }
        dataset.labels[i] = label;
    }
    return dataset;
}

}  // namespace

Result<Dataset> read_idx_pair(ByteView images, ByteView labels, std::uint32_t classes) {
    ENTENTE_ASSIGN(Dataset dataset, read_all_but_pixels(images, labels, classes));
    const ByteView pixels = images.subspan(image_header);
    dataset.features.resize(pixels.size());
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        dataset.features[i] = static_cast<float>(std::to_integer<std::uint32_t>(pixels[i])) / 255.0f;
    }
    return dataset;
}

Result<Examples> read_idx_examples(Bytes images, ByteView labels, std::uint32_t classes) {
    ENTENTE_ASSIGN(Dataset rest, read_all_but_pixels(images, labels, classes));
    return Examples(std::move(rest), std::move(images), image_header);
}

Result<IdxPair> write_idx_pair(const Dataset& dataset, std::span<const std::uint32_t> rows) {
    const auto refuse = [](const char* reason, const std::string& message) {
        return Error{Code::invalid_argument, reason, "write_idx_pair: " + message};
    };
    const auto& shape = dataset.example_shape;
    if (shape.size() != 3 || shape[2] != 1 ||
        dataset.features.size() != dataset.size() * dataset.example_size()) {
        return refuse("idx.shape", "expected examples of shape [rows, columns, 1]");
    }
    std::vector<std::uint32_t> chosen(rows.begin(), rows.end());
    if (rows.empty()) {
        chosen.resize(dataset.size());
        std::iota(chosen.begin(), chosen.end(), 0u);
    }
    IdxPair pair;
    append_big_endian(pair.images, image_magic);
    append_big_endian(pair.images, static_cast<std::uint32_t>(chosen.size()));
    append_big_endian(pair.images, shape[0]);
    append_big_endian(pair.images, shape[1]);
    append_big_endian(pair.labels, label_magic);
    append_big_endian(pair.labels, static_cast<std::uint32_t>(chosen.size()));
    pair.images.reserve(image_header + chosen.size() * dataset.example_size());
    for (const std::uint32_t row : chosen) {
        if (row >= dataset.size()) {
            return refuse("idx.rows", "expected rows below " + std::to_string(dataset.size()) + ", found " +
                                          std::to_string(row));
        }
        if (dataset.labels[row] > 255) {
            return refuse("idx.label-range",
                          "expected labels of at most 255, found " + std::to_string(dataset.labels[row]));
        }
        for (const float value : dataset.example(row)) {
            // The comparisons send NaN to 0.
            const float unit = value > 0.0f ? (value < 1.0f ? value : 1.0f) : 0.0f;
            pair.images.push_back(static_cast<std::byte>(std::floor(unit * 255.0f + 0.5f)));
        }
        pair.labels.push_back(static_cast<std::byte>(dataset.labels[row]));
    }
    return pair;
}

}  // namespace entente::data
