// Slices of a batch that others compute, such as Workers of a browser that share no memory with the training.
//
//   leader (nn::LocalTraining)                  helper (SliceHelper of the same model and options)
//   training.slice(s), its examples         ->
//   training.weights()                      ->  copied into helper.weights()
//                                               ENTENTE_ASSIGN(double loss, helper.compute(draw, batch, inputs, targets));
//   copied into training.slice_gradient(s)  <-  helper.gradient()
//   training.take_slice(s, loss)
//   training.step(1)                            computes the slices that nobody gave it, adds all in order, steps
//
// The bits are those of a training that computes every slice itself; nn/training.hpp has the sum. Weights and gradients
// cross in the order of the kernels, padding zero, which follows from the model alone. A helper is a part of its leader:
// of the same build, in the same hands.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "entente/nn/training.hpp"

namespace entente::nn {

class SliceHelper {
public:
    // Errors of LocalTraining::start that do not concern data. Of the options it reads batch, slices, loss and numerics.
    static Result<SliceHelper> create(const ModelSpec& spec, const TrainingOptions& options, Executor& executor = inline_executor());
    SliceHelper(SliceHelper&&) noexcept;
    SliceHelper& operator=(SliceHelper&&) noexcept;
    ~SliceHelper();

    [[nodiscard]] std::uint64_t example_size() const noexcept;  // floats of one input
    [[nodiscard]] std::span<float> weights() noexcept;
    [[nodiscard]] std::span<const float> gradient() noexcept;  // of the last compute()

    // A slice of a batch of `batch` examples: inputs [n, example_size], targets [n]. Returns the sum of its losses.
    // invalid_argument "training.slice" if a size or a label is out of range, "model.word".
    Result<double> compute(const Dropout& draw, std::uint32_t batch, std::span<const float> inputs, std::span<const Target> targets);

private:
    struct State;
    explicit SliceHelper(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace entente::nn
