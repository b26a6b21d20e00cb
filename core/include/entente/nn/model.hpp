// A network that computes: a spec plus the workspace for batches up to a fixed size.
//
//   ENTENTE_ASSIGN(nn::Model model, nn::Model::create(spec, 32));
//   ENTENTE_ASSIGN(double loss_sum, model.gradients(parameters, inputs, labels, gradient));
//
// Parameters and gradients are the caller's flat float32 spans in the order of infer_layout(spec); inputs are
// [batch, product of input_shape], row-major. Nothing is allocated after create().
//
// Bits: every output element is accumulated in one order, so they depend neither on the kernels' variant nor
// on the batch that an example sits in. Orders (k): dense forward from the bias, input ascending; dense dX
// output ascending; dense dW example ascending; conv2d forward from the bias, (ky, kx, channel), padding
// zeros multiplied like data; conv2d dW (image, y, x); conv2d dX (source y, source x, output channel); bias
// gradients as their dW. Ties in a pool go to the first maximum in row-major order.
//
// Ownership: owns its workspace, borrows everything passed in for the duration of the call.
// Thread-safety: one thread at a time; movable, not copyable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "entente/nn/model_spec.hpp"

namespace entente::nn {

class Model {
public:
    // invalid_argument as infer_layout and output_classes; "model.batch" if max_batch is 0 or the workspace
    // would hold more than 2^29 floats.
    static Result<Model> create(const ModelSpec& spec, std::uint32_t max_batch);

    Model(Model&&) noexcept;
    Model& operator=(Model&&) noexcept;
    ~Model();

    [[nodiscard]] const ModelSpec& spec() const noexcept;
    [[nodiscard]] const Layout& layout() const noexcept;
    [[nodiscard]] std::uint32_t max_batch() const noexcept;
    [[nodiscard]] std::uint64_t example_size() const noexcept;  // floats of one input
    [[nodiscard]] std::uint32_t classes() const noexcept;

    // Logits [batch, classes], valid until the next call. The batch follows from inputs.size().
    // invalid_argument "model.sizes" if a size is wrong.
    Result<std::span<const float>> forward(std::span<const float> parameters, std::span<const float> inputs);

    // Softmax cross-entropy. Returns the SUM of the losses of the batch; `gradient` (overwritten) is that of
    // their MEAN. invalid_argument "model.sizes", "model.label" (a label >= classes()). A non-finite loss is
    // returned as it is: the caller decides.
    Result<double> gradients(std::span<const float> parameters, std::span<const float> inputs,
                             std::span<const std::uint32_t> labels, std::span<float> gradient);

private:
    struct State;
    explicit Model(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace entente::nn
