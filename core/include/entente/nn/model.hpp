// A network that computes: a spec, its parameters, and the workspace for batches up to a fixed size.
//
//   ENTENTE_ASSIGN(nn::Model model, nn::Model::create(spec, 32));
//   ENTENTE_TRY(model.load(parameters));
//   ENTENTE_ASSIGN(double loss_sum, model.gradients(inputs, labels, gradient));
//
// Parameters and gradients are the caller's flat float32 spans in the order of infer_layout(spec); inputs are
// [batch, product of input_shape], row-major. Nothing is allocated after create() and the first gradients().
//
// Bits: every output element is accumulated in one order, so they depend neither on the kernels' variant, nor on the
// number of threads, nor on the batch that an example sits in. One step of a sum is mac(c, a, b) of the numerics class
// (entente/tensor/kernel_table.hpp). Orders (k):
//   dense     forward from the bias, input ascending; dX from +0, output ascending; dW from +0, example ascending
//   conv1d, conv2d: forward from the bias, (ky, kx, channel), padding zeros multiplied like data; dW (image, y, x); dX
//             (source y, source x, output channel); all from +0
//   the same with a max pool and a ReLU behind it (in either order), kernel * in channels a multiple of 16: gradients
//             count the one pixel of each window whose output is positive, and nothing else: dW and the bias (image,
//             pooled column, pooled row); dX (output channel, source y, source x)
//   conv2d 5 x 5 of even output with a pool of 2 and a ReLU behind it, channels multiples of 16: forward by Winograd's
//             F(2x2, 5x5), formulas in core/src/tensor/impl/winograd.hpp
//   gru       core/src/nn/gru_op.hpp; norms, embedding, pools and activations: docs/models.md. No fused multiply-add there
// A residual's gradient is added to what the other branch leaves, nearest residual first. Bias gradients as their dW. Ties in a pool go to the first maximum in row-major order.
//
// Ownership: owns its workspace and a copy of the parameters; borrows everything passed in for the duration of the
// call, and the executor for its life. Thread-safety: one thread at a time; movable, not copyable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "entente/base/executor.hpp"
#include "entente/nn/dropout.hpp"
#include "entente/nn/loss.hpp"
#include "entente/nn/model_spec.hpp"
#include "entente/tensor/kernel_table.hpp"

namespace entente::nn {

class Model {
public:
    // invalid_argument as infer_layout and output_count; "model.batch" if max_batch is 0 or the workspace would hold
    // more than 2^29 floats; "model.numerics" if this machine has no kernels of the class.
    static Result<Model> create(const ModelSpec& spec, std::uint32_t max_batch,
                                kernels::Numerics numerics = kernels::Numerics::portable,
                                Executor& executor = inline_executor());

    // Floats that such a model needs for training on one thread, without allocating them. Errors of create().
    static Result<std::uint64_t> workspace(const ModelSpec& spec, std::uint32_t max_batch);

    Model(Model&&) noexcept;
    Model& operator=(Model&&) noexcept;
    ~Model();

    [[nodiscard]] const ModelSpec& spec() const noexcept;
    [[nodiscard]] const Layout& layout() const noexcept;
    [[nodiscard]] std::uint32_t max_batch() const noexcept;
    [[nodiscard]] std::uint64_t example_size() const noexcept;  // floats of one input
    [[nodiscard]] std::uint32_t outputs() const noexcept;

    // Copies the parameters; all zero until then. invalid_argument "model.sizes" if their number is wrong.
    Status load(std::span<const float> parameters);

    // Outputs [batch, outputs], of a classifier the logits, valid until the next call. The batch follows from inputs.size().
    // invalid_argument "model.sizes" if a size is wrong, "model.word" if an embedding's input is not one. Nothing is
    // dropped.
    Result<std::span<const float>> forward(std::span<const float> inputs);

    // Returns the SUM of the losses of the batch; `gradient` (overwritten) is that of their MEAN. invalid_argument
    // "model.sizes", "model.label" (a label >= outputs()), "model.word", and those of check(loss, outputs()). A non-finite
    // loss is returned as it is: the caller decides. `draw` says what dropout layers drop.
    Result<double> gradients(std::span<const float> inputs, const LossSpec& loss, std::span<const Target> targets,
                             std::span<float> gradient, const Dropout& draw = {});
    // The same with softmax cross-entropy.
    Result<double> gradients(std::span<const float> inputs, std::span<const std::uint32_t> labels,
                             std::span<float> gradient, const Dropout& draw = {});

private:
    struct State;
    Result<std::span<const float>> run(std::span<const float> inputs, bool training);
    explicit Model(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace entente::nn
