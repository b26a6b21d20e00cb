#include "entente/task/score.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "entente/base/math.hpp"
#include "entente/nn/model.hpp"
#include "entente/tensor/kernels.hpp"

namespace entente::task {

namespace {
// The confusion matrix has its square as size.
constexpr std::uint32_t max_classes = 1024;
}  // namespace

double Score::accuracy() const noexcept {
    return examples == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(examples);
}

double Score::mean_loss() const noexcept {
    return examples == 0 ? 0.0 : loss_sum / static_cast<double>(examples);
}

std::uint64_t Score::confused(std::uint32_t truth, std::uint32_t predicted) const noexcept {
    return truth < classes && predicted < classes ? confusion[std::size_t{truth} * classes + predicted] : 0;
}

void Score::add(const Score& other) {
    if (confusion.empty()) {
        classes = other.classes;
        confusion.resize(other.confusion.size());
    }
    examples += other.examples;
    correct += other.correct;
    loss_sum += other.loss_sum;
    for (std::size_t i = 0; i < std::min(confusion.size(), other.confusion.size()); ++i) {
        confusion[i] += other.confusion[i];
    }
}

struct Evaluation::State {
    State(nn::Model m, const data::Dataset& d, const nn::LossSpec& l) : model(std::move(m)), dataset(&d), loss_spec(l) {}

    nn::Model model;
    const data::Dataset* dataset;
    nn::LossSpec loss_spec;
    std::vector<std::uint32_t> rows;
    std::vector<float> inputs;
    std::size_t next = 0;
    Score score;
    std::optional<Error> failure;

    Status one_batch(std::size_t count);
};

Status Evaluation::State::one_batch(std::size_t count) {
    const auto size = static_cast<std::size_t>(model.example_size());
    for (std::size_t i = 0; i < count; ++i) {
        const std::span<const float> example = dataset->example(rows[next + i]);
        std::copy(example.begin(), example.end(), inputs.begin() + static_cast<std::ptrdiff_t>(i * size));
    }
    ENTENTE_ASSIGN(const auto outputs, model.forward(std::span(inputs).first(count * size)));
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = rows[next + i];
        const auto row = outputs.subspan(i * model.outputs(), model.outputs());
        const double loss = nn::loss(loss_spec, row, nn::target_of(*dataset, at), 1.0f, nullptr);
        if (!std::isfinite(loss)) {
            return Error{Code::invalid_argument, "evaluation.non-finite",
                         "Evaluation: expected a finite loss, found none at row " + std::to_string(at)};
        }
        score.loss_sum += loss;
        score.examples += 1;
        if (score.classes == 0) continue;
        const std::uint32_t truth = dataset->labels[at];
        const auto predicted = static_cast<std::uint32_t>(
            row.size() == 1 ? (row[0] > 0.0f ? 1 : 0) : std::max_element(row.begin(), row.end()) - row.begin());
        score.correct += predicted == truth ? 1 : 0;
        score.confusion[std::size_t{truth} * score.classes + predicted] += 1;
    }
    next += count;
    return done();
}

Result<Evaluation> Evaluation::start(const nn::ModelSpec& spec, std::span<const float> parameters,
                                     const data::Dataset& dataset, std::span<const std::uint32_t> rows,
                                     std::uint32_t batch, const nn::LossSpec& loss) {
    ENTENTE_TRY(data::validate(dataset));
    ENTENTE_ASSIGN(const std::uint32_t outputs, nn::output_count(spec));
    ENTENTE_TRY(nn::check(loss, outputs));
    if (dataset.example_shape != spec.input_shape) {
        return Error{Code::invalid_argument, "evaluation.shape",
                     "Evaluation: expected examples of the model's input shape, found examples of " +
                         std::to_string(dataset.example_size()) + " values"};
    }
    ENTENTE_TRY(nn::check(loss, outputs, dataset));
    const bool binary = outputs == 1 && loss.kind == nn::LossKind::binary_cross_entropy;
    const std::uint32_t classes = dataset.classes == 0 || dataset.classes > std::max(outputs, 2u) ? 0
                                  : outputs > 1                                                   ? outputs
                                                                                                  : (binary ? 2u : 0u);
    std::vector<std::uint32_t> chosen(rows.begin(), rows.end());
    if (rows.empty()) {
        chosen.resize(dataset.size());
        std::iota(chosen.begin(), chosen.end(), 0u);
    }
    for (const std::uint32_t row : chosen) {
        if (row < dataset.size()) continue;
        return Error{Code::invalid_argument, "evaluation.rows",
                     "Evaluation: expected rows below " + std::to_string(dataset.size()) + ", found " +
                         std::to_string(row)};
    }
    if (chosen.empty()) {
        return Error{Code::invalid_argument, "evaluation.rows",
                     "Evaluation: expected at least one row, found none"};
    }
    if (classes > max_classes) {
        return Error{Code::invalid_argument, "evaluation.shape",
                     "Evaluation: expected at most " + std::to_string(max_classes) + " classes, found " +
                         std::to_string(classes)};
    }
    const std::size_t most = std::min<std::size_t>(std::max(batch, 1u), chosen.size());
    ENTENTE_ASSIGN(nn::Model model, nn::Model::create(spec, static_cast<std::uint32_t>(most)));
    if (parameters.size() != model.layout().parameter_count) {
        return Error{Code::invalid_argument, "evaluation.parameters",
                     "Evaluation: expected " + std::to_string(model.layout().parameter_count) +
                         " parameters, found " + std::to_string(parameters.size())};
    }
    auto state = std::make_unique<State>(std::move(model), dataset, loss);
    state->rows = std::move(chosen);
    ENTENTE_TRY(state->model.load(parameters));
    state->inputs.resize(most * static_cast<std::size_t>(state->model.example_size()));
    state->score.classes = classes;
    state->score.confusion.resize(std::size_t{classes} * classes);
    return Evaluation(std::move(state));
}

Evaluation::Evaluation(std::unique_ptr<State> state) : state_(std::move(state)) {}
Evaluation::Evaluation(Evaluation&&) noexcept = default;
Evaluation& Evaluation::operator=(Evaluation&&) noexcept = default;
Evaluation::~Evaluation() = default;

Status Evaluation::step(std::uint32_t max_batches) {
    State& s = *state_;
    if (s.failure) return *s.failure;
    for (std::uint32_t i = 0; i < max_batches && s.next < s.rows.size(); ++i) {
        const std::size_t count = std::min<std::size_t>(s.model.max_batch(), s.rows.size() - s.next);
        Status status = s.one_batch(count);
        if (!status) {
            s.failure = status.error();
            return *s.failure;
        }
    }
    return done();
}

bool Evaluation::finished() const noexcept { return state_->failure || state_->next >= state_->rows.size(); }

double Evaluation::progress() const noexcept {
    return static_cast<double>(state_->next) / static_cast<double>(state_->rows.size());
}

const Score& Evaluation::score() const noexcept { return state_->score; }

Result<Score> evaluate(const nn::ModelSpec& spec, std::span<const float> parameters,
                       const data::Dataset& dataset, std::span<const std::uint32_t> rows, const nn::LossSpec& loss) {
    ENTENTE_ASSIGN(Evaluation evaluation, Evaluation::start(spec, parameters, dataset, rows, 64, loss));
    while (!evaluation.finished()) ENTENTE_TRY(evaluation.step(64));
    return evaluation.score();
}

Result<std::vector<float>> predict(const nn::ModelSpec& spec, std::span<const float> parameters,
                                   std::span<const float> example, const nn::LossSpec& loss) {
    ENTENTE_ASSIGN(nn::Model model, nn::Model::create(spec, 1));
    ENTENTE_TRY(model.load(parameters));
    ENTENTE_ASSIGN(const auto outputs, model.forward(example));
    std::vector<float> result(outputs.begin(), outputs.end());
    if (loss.kind == nn::LossKind::cross_entropy) kernels::softmax(result.data(), result.size(), result.data());
    if (loss.kind == nn::LossKind::binary_cross_entropy)
        for (float& value : result) value = math::sigmoid(value);
    return result;
}

}  // namespace entente::task
