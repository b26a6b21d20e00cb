#include "entente/nn/model.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "nn/engine.hpp"

namespace entente::nn {

struct Model::State {
    std::unique_ptr<Engine> engine;
    std::vector<float> logits;  // [max_batch, classes]
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
    state->logits.resize(std::size_t{max_batch} * state->engine->classes());
    return Model(std::move(state));
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const ModelSpec& Model::spec() const noexcept { return state_->engine->spec(); }
const Layout& Model::layout() const noexcept { return state_->engine->layout(); }
std::uint32_t Model::max_batch() const noexcept { return static_cast<std::uint32_t>(state_->engine->max_batch()); }
std::uint64_t Model::example_size() const noexcept { return state_->engine->example_size(); }
std::uint32_t Model::classes() const noexcept { return state_->engine->classes(); }

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
    for (std::size_t b = 0; b < batch; ++b) std::copy_n(e.logits(b), e.classes(), state_->logits.data() + b * e.classes());
    return std::span<const float>(state_->logits.data(), batch * e.classes());
}

Result<double> Model::gradients(std::span<const float> inputs, std::span<const std::uint32_t> labels,
                                std::span<float> gradient, const Dropout& draw) {
    Engine& e = *state_->engine;
    if (gradient.size() != e.layout().parameter_count)
        return wrong_size("a gradient", e.layout().parameter_count, gradient.size());
    if (labels.size() * e.example_size() != inputs.size())
        return wrong_size("inputs", labels.size() * e.example_size(), inputs.size());
    for (const std::uint32_t label : labels) {
        if (label >= e.classes()) {
            return Error{Code::invalid_argument, "model.label",
                         "Model: expected labels below " + std::to_string(e.classes()) + ", found " +
                             std::to_string(label)};
        }
    }
    e.prepare_gradients();
    e.set_dropout(draw);
    ENTENTE_TRY(run(inputs, true));
    const double loss = e.backward(labels.data(), 1.0f / static_cast<float>(labels.size()), false, 0.0f);
    e.unpack(e.gradient(), gradient);
    return loss;
}

}  // namespace entente::nn
