#include "entente/nn/slices.hpp"

#include <string>
#include <utility>

#include "nn/engine.hpp"

namespace entente::nn {

struct SliceHelper::State {
    std::unique_ptr<Engine> engine;
    LossSpec loss;
};

SliceHelper::SliceHelper(std::unique_ptr<State> state) : state_(std::move(state)) {}
SliceHelper::SliceHelper(SliceHelper&&) noexcept = default;
SliceHelper& SliceHelper::operator=(SliceHelper&&) noexcept = default;
SliceHelper::~SliceHelper() = default;

Result<SliceHelper> SliceHelper::create(const ModelSpec& spec, const TrainingOptions& options, Executor& executor) {
    ENTENTE_TRY(check(options));
    ENTENTE_ASSIGN(const std::uint32_t outputs, output_count(spec));
    ENTENTE_TRY(check(options.loss, outputs));
    auto state = std::make_unique<State>();
    ENTENTE_ASSIGN(state->engine, Engine::create(spec, (options.batch + options.slices - 1) / options.slices, options.numerics, executor));
    state->engine->prepare_gradients();
    state->engine->set_loss(options.loss);
    state->loss = options.loss;
    return SliceHelper(std::move(state));
}

std::uint64_t SliceHelper::example_size() const noexcept { return state_->engine->example_size(); }
std::span<float> SliceHelper::weights() noexcept { return {state_->engine->weights(), state_->engine->packed_size()}; }
std::span<const float> SliceHelper::gradient() noexcept { return {state_->engine->gradient(), state_->engine->packed_size()}; }

Result<double> SliceHelper::compute(const Dropout& draw, std::uint32_t batch, std::span<const float> inputs,
                                    std::span<const Target> targets) {
    Engine& e = *state_->engine;
    const std::size_t count = targets.size();
    if (count == 0 || count > e.max_batch() || batch < count || inputs.size() != count * e.example_size()) {
        return Error{Code::invalid_argument, "training.slice",
                     "SliceHelper: expected 1 to " + std::to_string(e.max_batch()) + " examples of " +
                         std::to_string(e.example_size()) + " floats, found " + std::to_string(count) + " in " +
                         std::to_string(inputs.size()) + " floats, of a batch of " + std::to_string(batch)};
    }
    for (const Target& target : targets) {
        const bool reads_label = target.values == nullptr || state_->loss.kind == LossKind::cross_entropy;
        if (reads_label && target.label >= e.outputs() && e.outputs() > 1) {
            return Error{Code::invalid_argument, "training.slice",
                         "SliceHelper: expected labels below " + std::to_string(e.outputs()) + ", found " + std::to_string(target.label)};
        }
    }
    ENTENTE_TRY(e.check_inputs(inputs));
    for (std::size_t b = 0; b < count; ++b) {
        e.set_input(b, inputs.data() + b * e.example_size());
        e.set_target(b, targets[b]);
    }
    e.set_dropout(draw);
    e.forward(count, true);
    return e.backward(1.0f / static_cast<float>(batch), false, 0.0f);
}

}  // namespace entente::nn
