// How parameters lie during training: in the order in which the kernels read them, through a whole local training, and
// in the canonical flat vector only at its ends. The layout depends on shapes alone, never on the machine, and its
// padding is zero and stays zero, so that optimisers and norms run over it as it lies.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "nn/aligned.hpp"

namespace entente::nn {

// A matrix [rows, columns] cut into panels of at most 3 units of 16 columns, as evenly as possible. A panel's rows
// follow each other, each `width` floats long, columns beyond the last are zero.
struct Panels {
    std::size_t rows = 0;
    std::size_t columns = 0;

    [[nodiscard]] std::size_t units() const { return (columns + 15) / 16; }
    [[nodiscard]] std::size_t count() const { return (units() + 2) / 3; }
    [[nodiscard]] std::size_t first_unit(std::size_t panel) const { return units() * panel / count(); }
    [[nodiscard]] std::size_t first_column(std::size_t panel) const { return first_unit(panel) * 16; }
    [[nodiscard]] std::size_t width(std::size_t panel) const { return (first_unit(panel + 1) - first_unit(panel)) * 16; }
    // Columns that are not padding.
    [[nodiscard]] std::size_t real(std::size_t panel) const {
        return first_column(panel) + width(panel) <= columns ? width(panel) : columns - first_column(panel);
    }
    [[nodiscard]] std::size_t offset(std::size_t panel) const { return rows * first_column(panel); }
    [[nodiscard]] std::size_t size() const { return rows * units() * 16; }
};

enum class Order : unsigned char {
    rows,           // [rows, columns], each row padded to whole units
    panels,         // canonical [rows, columns]
    turned_panels,  // canonical [columns, rows]
};

struct PackedTensor {
    Order order = Order::rows;
    std::size_t rows = 1;
    std::size_t columns = 0;
    std::size_t canonical = 0;  // offset in the flat vector
    std::size_t packed = 0;     // offset in the packed one

    [[nodiscard]] Panels panels() const { return {rows, columns}; }
    [[nodiscard]] std::size_t size() const {  // floats in the packed vector
        return order == Order::rows ? rows * round_up(columns, 16) : panels().size();
    }
};

// `flat` and `packed` are whole parameter vectors. pack() writes the padding, too.
void pack(const PackedTensor& tensor, const float* flat, float* packed);
void unpack(const PackedTensor& tensor, const float* packed, float* flat);

}  // namespace entente::nn
