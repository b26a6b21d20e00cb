// A model that computes, on packed parameters: what Model and LocalTraining share.
//
// create() turns a spec into a program, fuses what belongs together (a convolution with the pool and the ReLU behind
// it), fixes how parameters lie (nn/packing.hpp) and allocates what a forward pass needs; prepare_gradients() the rest.
// Afterwards nothing is allocated.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "entente/base/executor.hpp"
#include "entente/nn/dropout.hpp"
#include "entente/nn/loss.hpp"
#include "entente/nn/model_spec.hpp"
#include "entente/tensor/kernels.hpp"
#include "nn/conv_op.hpp"
#include "nn/op.hpp"
#include "nn/packing.hpp"

namespace entente::nn {

class Engine {
public:
    // Errors of Model::create. The executor is borrowed and must outlive the engine.
    static Result<std::unique_ptr<Engine>> create(const ModelSpec& spec, std::uint32_t max_batch, kernels::Numerics numerics,
                                                  Executor& executor);

    // Floats that create() and prepare_gradients() allocate, without allocating them. Errors of create().
    static Result<std::uint64_t> workspace(const ModelSpec& spec, std::uint32_t max_batch);

    [[nodiscard]] const ModelSpec& spec() const noexcept { return spec_; }
    [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
    [[nodiscard]] std::size_t max_batch() const noexcept { return max_batch_; }
    [[nodiscard]] std::size_t example_size() const noexcept { return values_.front()->features(); }
    [[nodiscard]] std::uint32_t outputs() const noexcept { return outputs_; }
    [[nodiscard]] const kernels::Table& kernels() const noexcept { return k_; }

    // The packed parameters and the place of their gradient: padding is zero in both.
    [[nodiscard]] std::size_t packed_size() const noexcept { return packed_size_; }
    [[nodiscard]] float* weights() noexcept { return weights_.data(); }
    [[nodiscard]] float* gradient() noexcept { return gradient_.data(); }
    // The next one goes there instead. REQUIRES: packed_size() floats, padding zero.
    void swap_gradient(AlignedFloats& other) noexcept { std::swap(gradient_, other); }
    void pack(std::span<const float> flat, float* packed) const;
    void unpack(const float* packed, std::span<float> flat) const;

    // Words of an embedding are whole numbers below its vocabulary: "model.word". Ask before set_input().
    [[nodiscard]] Status check_inputs(std::span<const float> inputs) const;
    // Example number b of the next batch.
    void set_input(std::size_t b, const float* example);
    // What it should give, before backward(). Values are borrowed until then.
    void set_target(std::size_t b, const Target& target) { targets_[b] = target; }
    // Outputs of example b of the last batch: [outputs].
    [[nodiscard]] const float* result(std::size_t b) { return values_.back()->corner(b); }

    void set_loss(LossSpec spec) { loss_ = std::move(spec); }
    void set_dropout(const Dropout& draw) noexcept { dropout_ = draw; }
    void forward(std::size_t batch, bool training);
    void prepare_gradients();  // once, before the first backward()
    // After forward(batch, true): returns the SUM of the batch's losses; the gradient of loss * factor is left in
    // gradient(), or with `descend` applied at once, w = mac(w, -rate, g).
    double backward(float factor, bool descend, float rate);

private:
    Engine(const kernels::Table& k, Executor& executor) : k_(k), executor_(executor) {}
    // Everything but the memory.
    static Result<std::unique_ptr<Engine>> plan(const ModelSpec& spec, std::uint32_t max_batch, const kernels::Table& k,
                                                Executor& executor);
    [[nodiscard]] std::uint64_t floats() const;
    void build(const std::vector<std::vector<std::uint32_t>>& shapes);
    std::size_t add_tensor(PackedTensor tensor);
    ConvShape conv_shape(const LayerSpec& layer, const std::vector<std::uint32_t>& after, std::uint32_t pool, bool relu,
                         Value& x);
    Value& add_value(const std::vector<std::uint32_t>& shape, bool wants_gradient);
    [[nodiscard]] Pass pass(std::size_t batch, bool training);

    const kernels::Table& k_;
    Executor& executor_;
    ModelSpec spec_;
    Layout layout_;
    std::size_t max_batch_ = 0;
    std::uint32_t outputs_ = 0;
    std::size_t batch_ = 0;
    std::size_t packed_size_ = 0;
    std::size_t next_tensor_ = 0;
    std::vector<PackedTensor> tensors_;
    std::vector<std::unique_ptr<Value>> values_;  // the input first, the outputs last
    std::vector<std::unique_ptr<Op>> ops_;
    std::vector<bool> op_has_gradient_;
    Dropout dropout_;
    LossSpec loss_;
    std::vector<Target> targets_;  // of the batch
    AlignedFloats weights_;
    AlignedFloats gradient_;
};

}  // namespace entente::nn
