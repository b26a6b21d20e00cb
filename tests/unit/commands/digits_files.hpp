// A folder of small digits in a FakeEnvironment, made without the code under test.
#pragma once

#include "fake_environment.hpp"

inline void append_big_endian(std::string& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255u);
}

// `rows` pictures of 28 x 28: class c is a bright row at height 2 c + 4, and pixel 0 numbers the picture.
inline void put_digits(FakeEnvironment& environment, const std::string& prefix, std::uint32_t rows,
                       const std::string& folder = "mnist") {
    std::string images;
    std::string labels;
    for (const std::uint32_t number : {0x803u, rows, 28u, 28u}) append_big_endian(images, number);
    for (const std::uint32_t number : {0x801u, rows}) append_big_endian(labels, number);
    for (std::uint32_t i = 0; i < rows; ++i) {
        std::string picture(784, '\0');
        picture[0] = static_cast<char>(i % 251);
        for (std::size_t x = 0; x < 28; ++x) picture[28 * (2 * (i % 10) + 4) + x] = static_cast<char>(200);
        images += picture;
        labels += static_cast<char>(i % 10);
    }
    environment.put(folder + "/" + prefix + "-images-idx3-ubyte", images);
    environment.put(folder + "/" + prefix + "-labels-idx1-ubyte", labels);
}

struct WithDigits : FakeEnvironment {
    WithDigits() {
        put_digits(*this, "train", 120);
        put_digits(*this, "t10k", 40);
    }
};
