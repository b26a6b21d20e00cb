#include "entente/task/predictor.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "entente/base/math.hpp"

namespace entente::task {
namespace {

constexpr std::uint32_t batch = 64;
constexpr std::uint64_t most_floats = std::uint64_t{1} << 26;  // beside the parameters, 256 MiB

Error refuse(const char* reason, const std::string& expected, std::uint64_t found) {
    return Error{Code::invalid_argument, reason, "expected " + expected + ", found " + std::to_string(found)};
}

// Does the model say what the label is?
Status check_outputs(const Task& task, std::size_t inputs) {
    ENTENTE_ASSIGN(const std::uint32_t outputs, nn::output_count(task.model));
    switch (task.label.kind) {
        case LabelKind::none: return outputs == inputs ? done() : Status(refuse("task.model", "a network with as many outputs as inputs for label.kind \"none\", " + std::to_string(inputs), outputs));
        case LabelKind::flag:
        case LabelKind::later: return outputs == 1 || outputs == 2 ? done() : Status(refuse("task.model", "a network with 1 or 2 outputs for a label of two classes", outputs));
        case LabelKind::value:
        case LabelKind::remaining: break;
    }
    return outputs == 1 ? done() : Status(refuse("task.model", "a network with 1 output for a label that is a number", outputs));
}

// So many examples at once as the bound has room for: layers without parameters can be large in a file that is small.
Result<std::uint32_t> fitting_batch(const nn::ModelSpec& model, std::uint64_t parameters) {
    const std::uint64_t most = most_floats + 4 * parameters;
    for (std::uint32_t n = batch; n > 1; n /= 2) {
        const auto floats = nn::Model::workspace(model, n);
        if (floats.ok() && *floats <= most) return n;
    }
    ENTENTE_ASSIGN(const std::uint64_t floats, nn::Model::workspace(model, 1));
    if (floats > most) return refuse("model.sizes", "a model that scores an example with " + std::to_string(most) + " floats at most", floats);
    return std::uint32_t{1};
}

double apart(float a, float b) { return std::fabs(static_cast<double>(a) - static_cast<double>(b)); }

}  // namespace

Predictor::Predictor(const Task& task, std::optional<nn::Model> model, std::optional<trees::Forest> forest)
    : label_(task.label), inputs_(1), model_(std::move(model)), forest_(std::move(forest)) {
    for (const std::uint32_t n : example_shape(task)) inputs_ *= n;
}

Result<Predictor> Predictor::of_network(const Task& task, std::span<const float> parameters) {
    std::size_t inputs = 1;
    for (const std::uint32_t n : example_shape(task)) inputs *= n;
    ENTENTE_TRY(check_outputs(task, inputs));
    ENTENTE_ASSIGN(const nn::Layout layout, nn::infer_layout(task.model));
    if (layout.parameter_count != parameters.size()) return refuse("model.sizes", std::to_string(layout.parameter_count) + " parameters", parameters.size());
    ENTENTE_ASSIGN(const std::uint32_t examples, fitting_batch(task.model, parameters.size()));
    ENTENTE_ASSIGN(nn::Model model, nn::Model::create(task.model, examples));
    ENTENTE_TRY(model.load(parameters));
    return Predictor(task, std::move(model), std::nullopt);
}

Result<Predictor> Predictor::of_trees(const Task& task, trees::Forest forest) {
    if (task.label.kind == LabelKind::none) return Error{Code::invalid_argument, "task.model", "expected a network for label.kind \"none\", found trees"};
    ENTENTE_TRY(trees::check(forest));
    Predictor made(task, std::nullopt, std::move(forest));
    if (made.forest_->features != made.inputs_) {
        return refuse("task.model", "trees over the task's " + std::to_string(made.inputs_) + " numbers", made.forest_->features);
    }
    return made;
}

float Predictor::score_of(std::span<const float> outputs, std::span<const float> example) const {
    switch (label_.kind) {
        case LabelKind::none: {
            double error = 0.0;
            for (std::size_t i = 0; i < example.size(); ++i) error += apart(outputs[i], example[i]);
            return static_cast<float>(error / static_cast<double>(example.size()));
        }
        case LabelKind::flag:
        case LabelKind::later: return math::sigmoid(outputs.size() == 2 ? outputs[1] - outputs[0] : outputs[0]);
        case LabelKind::remaining: return static_cast<float>(std::clamp(label_.cap * static_cast<double>(outputs[0]), 0.0, label_.cap));
        case LabelKind::value: break;
    }
    return outputs[0];
}

Result<std::vector<float>> Predictor::scores(std::span<const float> examples) {
    const std::size_t count = examples.size() / inputs_;
    if (count * inputs_ != examples.size()) {
        return Error{Code::invalid_argument, "model.sizes", "expected examples of " + std::to_string(inputs_) + " numbers, found " + std::to_string(examples.size()) + " in all"};
    }
    std::vector<float> result;
    result.reserve(count);
    const std::size_t most = model_ ? model_->max_batch() : batch;
    for (std::size_t at = 0; at < count; at += most) {
        const std::size_t n = std::min(most, count - at);
        const std::span<const float> inputs = examples.subspan(at * inputs_, n * inputs_);
        if (forest_) {
            for (std::size_t e = 0; e < n; ++e) {
                const std::span<const float> x = inputs.subspan(e * inputs_, inputs_);
                const bool logistic = forest_->objective == trees::Objective::logistic;
                const float margin = static_cast<float>(trees::margin(*forest_, x));
                result.push_back(logistic ? math::sigmoid(margin) : score_of(std::span(&margin, 1), x));
            }
            continue;
        }
        ENTENTE_ASSIGN(const std::span<const float> outputs, model_->forward(inputs));
        const std::size_t width = model_->outputs();
        for (std::size_t e = 0; e < n; ++e) result.push_back(score_of(outputs.subspan(e * width, width), inputs.subspan(e * inputs_, inputs_)));
    }
    return result;
}

Result<std::vector<double>> Predictor::errors(std::span<const float> example) {
    if (label_.kind != LabelKind::none || !model_) return Error{Code::invalid_argument, "task.label", "expected a network that gives its input again"};
    ENTENTE_ASSIGN(const std::span<const float> outputs, model_->forward(example));
    std::vector<double> errors;
    for (std::size_t i = 0; i < example.size(); ++i) errors.push_back(apart(outputs[i], example[i]));
    return errors;
}

}  // namespace entente::task
