#include "entente/nn/model.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "nn/engine.hpp"

namespace entente::nn {

struct Model::State {
    std::unique_ptr<Engine> engine;
    std::vector<float> outputs;  // [max_batch, outputs]
    std::vector<Target> targets;
};

namespace {

Error wrong_size(const char* what, std::uint64_t expected, std::uint64_t found) {
    return {Code::invalid_argument, "model.sizes",
            std::string("Model: expected ") + what + " of " + std::to_string(expected) + " floats, found " +
                std::to_string(found)};
}

}  // namespace

Result<Model> Model::create(const ModelSpec& spec, std::uint32_t max_batch, kernels::Numerics numerics, Executor& executor) {
    auto state = std::make_unique<State>();
    ENTENTE_ASSIGN(state->engine, Engine::create(spec, max_batch, numerics, executor));
    state->outputs.resize(std::size_t{max_batch} * state->engine->outputs());
    return Model(std::move(state));
}

Result<std::uint64_t> Model::workspace(const ModelSpec& spec, std::uint32_t max_batch) {
    return Engine::workspace(spec, max_batch);
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const ModelSpec& Model::spec() const noexcept { return state_->engine->spec(); }
const Layout& Model::layout() const noexcept { return state_->engine->layout(); }
std::uint32_t Model::max_batch() const noexcept { return static_cast<std::uint32_t>(state_->engine->max_batch()); }
std::uint64_t Model::example_size() const noexcept { return state_->engine->example_size(); }
std::uint32_t Model::outputs() const noexcept { return state_->engine->outputs(); }

Status Model::load(std::span<const float> parameters) {
    Engine& e = *state_->engine;
    if (parameters.size() != e.layout().parameter_count)
        return wrong_size("parameters", e.layout().parameter_count, parameters.size());
    e.pack(parameters, e.weights());
    return done();
}

Result<std::span<const float>> Model::forward(std::span<const float> inputs) { return run(inputs, false); }

Result<std::span<const float>> Model::run(std::span<const float> inputs, bool training) {
    Engine& e = *state_->engine;
    const std::size_t batch = inputs.size() / e.example_size();
    if (batch == 0 || batch > e.max_batch() || batch * e.example_size() != inputs.size()) {
        return Error{Code::invalid_argument, "model.sizes",
                     "Model: expected 1 to " + std::to_string(e.max_batch()) + " examples of " +
                         std::to_string(e.example_size()) + " floats, found " + std::to_string(inputs.size()) +
                         " floats"};
    }
    ENTENTE_TRY(e.check_inputs(inputs));
    for (std::size_t b = 0; b < batch; ++b) e.set_input(b, inputs.data() + b * e.example_size());
    e.forward(batch, training);
    for (std::size_t b = 0; b < batch; ++b) std::copy_n(e.result(b), e.outputs(), state_->outputs.data() + b * e.outputs());
    return std::span<const float>(state_->outputs.data(), batch * e.outputs());
}

Result<double> Model::gradients(std::span<const float> inputs, std::span<const std::uint32_t> labels,
                                std::span<float> gradient, const Dropout& draw) {
    state_->targets.clear();
    for (const std::uint32_t label : labels) state_->targets.push_back({.label = label});
    return gradients(inputs, LossSpec{}, state_->targets, gradient, draw);
}

Result<double> Model::gradients(std::span<const float> inputs, const LossSpec& loss, std::span<const Target> targets,
                                std::span<float> gradient, const Dropout& draw) {
    Engine& e = *state_->engine;
    ENTENTE_TRY(check(loss, e.outputs()));
    if (gradient.size() != e.layout().parameter_count)
        return wrong_size("a gradient", e.layout().parameter_count, gradient.size());
    if (targets.size() * e.example_size() != inputs.size())
        return wrong_size("inputs", targets.size() * e.example_size(), inputs.size());
    for (const Target& target : targets) {
        const bool reads_label = target.values == nullptr || loss.kind == LossKind::cross_entropy;
        if (reads_label && target.label >= e.outputs() && e.outputs() > 1) {
            return Error{Code::invalid_argument, "model.label",
                         "Model: expected labels below " + std::to_string(e.outputs()) + ", found " +
                             std::to_string(target.label)};
        }
    }
    e.prepare_gradients();
    e.set_loss(loss);
    e.set_dropout(draw);
    ENTENTE_TRY(run(inputs, true));
    for (std::size_t b = 0; b < targets.size(); ++b) e.set_target(b, targets[b]);
    const double sum = e.backward(1.0f / static_cast<float>(targets.size()), false, 0.0f);
    e.unpack(e.gradient(), gradient);
    return sum;
}

}  // namespace entente::nn
