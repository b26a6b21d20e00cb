#include "nn/packing.hpp"

namespace entente::nn {

namespace {

// Calls visit(flat index, packed index, run) for runs of elements that are contiguous in both, or one by one.
template <class Visit>
void each(const PackedTensor& t, const Visit& visit) {
    if (t.order == Order::rows) {
        for (std::size_t r = 0; r < t.rows; ++r)
            visit(t.canonical + r * t.columns, t.packed + r * round_up(t.columns, 16), t.columns);
        return;
    }
    const Panels panels = t.panels();
    for (std::size_t p = 0; p < panels.count(); ++p) {
        const std::size_t column = panels.first_column(p);
        for (std::size_t r = 0; r < t.rows; ++r) {
            const std::size_t to = t.packed + panels.offset(p) + r * panels.width(p);
            if (t.order == Order::panels) {
                visit(t.canonical + r * t.columns + column, to, panels.real(p));
            } else {
                for (std::size_t c = 0; c < panels.real(p); ++c) visit(t.canonical + (column + c) * t.rows + r, to + c, 1);
            }
        }
    }
}

}  // namespace

void pack(const PackedTensor& tensor, const float* flat, float* packed) {
    std::fill_n(packed + tensor.packed, tensor.size(), 0.0f);
    each(tensor, [&](std::size_t from, std::size_t to, std::size_t count) { std::copy_n(flat + from, count, packed + to); });
}

void unpack(const PackedTensor& tensor, const float* packed, float* flat) {
    each(tensor, [&](std::size_t to, std::size_t from, std::size_t count) { std::copy_n(packed + from, count, flat + to); });
}

}  // namespace entente::nn
