// The network as a program: values (activations) and the operations between them. Internal to core/nn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "entente/base/executor.hpp"
#include "entente/tensor/kernels.hpp"
#include "nn/aligned.hpp"
#include "nn/packing.hpp"

namespace entente::nn {

// One activation of the whole batch: channels-last pictures, with a border of zeros where the next operation wants
// one. A vector is a picture of 1 x 1 pixels.
struct Value {
    std::size_t height = 1;
    std::size_t width = 1;
    std::size_t channels = 0;
    std::size_t top = 0, bottom = 0, left = 0, right = 0;
    bool wants_gradient = false;

    AlignedFloats data;
    AlignedFloats gradient;  // same layout; its border is scratch

    [[nodiscard]] std::size_t pixels() const { return height * width; }
    [[nodiscard]] std::size_t features() const { return height * width * channels; }
    [[nodiscard]] bool bordered() const { return top + bottom + left + right != 0; }
    [[nodiscard]] std::size_t row() const { return (left + width + right) * channels; }
    [[nodiscard]] std::size_t example() const { return round_up((top + height + bottom) * row(), 16); }
    // From the corner of the border to the first pixel.
    [[nodiscard]] std::size_t inset() const { return top * row() + left * channels; }

    [[nodiscard]] float* corner(std::size_t b) { return data.data() + b * example(); }
    [[nodiscard]] float* first(std::size_t b) { return corner(b) + inset(); }
    [[nodiscard]] float* gradient_corner(std::size_t b) { return gradient.data() + b * example(); }
    [[nodiscard]] float* gradient_first(std::size_t b) { return gradient_corner(b) + inset(); }
};

// One pass over a batch. In a training pass each operation leaves its parameters' gradient at its place in
// `gradient`, or, when `descend` is set, applies it at once: w = mac(w, factor, g), the same bits.
struct Pass {
    const kernels::Table& k;
    Executor& executor;
    std::size_t batch = 0;
    float* weights = nullptr;   // packed
    float* gradient = nullptr;  // packed; scratch of the operations when `descend` is set
    bool training = false;
    bool descend = false;
    float factor = 0.0f;

    // Applies what lies in `gradient` from `offset` on, if that is wanted.
    void apply(std::size_t offset, std::size_t count) const {
        if (descend) k.axpy(factor, gradient + offset, weights + offset, count);
    }
};

class Op {
public:
    virtual ~Op() = default;
    // Floats of scratch and of kept state for a batch, beyond values and parameters; asked once, before allocate().
    [[nodiscard]] virtual std::uint64_t workspace(std::size_t batch, unsigned width) const = 0;
    virtual void allocate(std::size_t batch, unsigned width) = 0;
    virtual void forward(const Pass& pass) = 0;
    // Reads the output's gradient (and may overwrite it), writes the parameters' and, where it is wanted, the input's.
    virtual void backward(const Pass& pass) = 0;
};

}  // namespace entente::nn
