// Operations without parameters that go value by value. Formulas and orders: docs/models.md.
#pragma once

#include "entente/nn/dropout.hpp"
#include "entente/nn/model_spec.hpp"
#include "nn/op.hpp"

namespace entente::nn {

// tanh, sigmoid, gelu. Same shape.
std::unique_ptr<Op> make_activation(LayerKind kind, Value& input, Value& output);

// Of layer number `layer`; nothing happens outside of training. `draw` is read at each step.
std::unique_ptr<Op> make_dropout(float rate, std::size_t layer, const Dropout& draw, Value& input, Value& output);

// The mean of each window: its pixels row-major from +0, times 1 / pixels. An incomplete window is dropped.
std::unique_ptr<Op> make_avg_pool(std::size_t pool_height, std::size_t pool_width, Value& input, Value& output);

// Sequences: stride - 1 zeros between neighbours. output: [(length - 1) * stride + 1, channels].
std::unique_ptr<Op> make_spread(std::size_t stride, Value& input, Value& output);

// output = input + other. The gradient of `other` is the fork's business.
std::unique_ptr<Op> make_residual(Value& input, Value& other, Value& output);

// Stands before the layer that reads a residual's `other` first: adds the gradients that come over `sums`, the outputs
// of those residuals, to what that layer has left. They are not known yet when the fork is made: add them afterwards.
class Fork : public Op {
public:
    explicit Fork(Value& value) : value_(value) {}
    void add(Value& sum) { sums_.push_back(&sum); }

    [[nodiscard]] std::uint64_t workspace(std::size_t, unsigned) const override { return 0; }
    void allocate(std::size_t, unsigned) override {}
    void forward(const Pass&) override {}
    void backward(const Pass& pass) override;

private:
    Value& value_;
    std::vector<Value*> sums_;
};

}  // namespace entente::nn
