// How good a model is on some rows of a data set: its mean loss, and of a classifier how often it is right.
//
//   ENTENTE_ASSIGN(task::Score score, task::evaluate(spec, parameters, test_set, {}));
//   double percent = 100.0 * score.accuracy();
//
// The predicted class is the first maximum of the logits, of one output under binary cross-entropy whether it is above
// 0. Where there are no labels or no classes, `classes` is 0 and only the loss counts. loss_sum adds in the order of the rows, in double,
// so the result does not depend on how the work is sliced.
// Thread-safety: one Evaluation, one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "entente/data/dataset.hpp"
#include "entente/nn/loss.hpp"
#include "entente/nn/model_spec.hpp"

namespace entente::task {

struct Score {
    std::uint64_t examples = 0;
    std::uint64_t correct = 0;
    double loss_sum = 0.0;  // of nn::loss
    std::uint32_t classes = 0;
    std::vector<std::uint64_t> confusion;  // [true class, predicted class], counts

    [[nodiscard]] double accuracy() const noexcept;   // 0 when there are no examples
    [[nodiscard]] double mean_loss() const noexcept;  // 0 when there are no examples
    [[nodiscard]] std::uint64_t confused(std::uint32_t truth, std::uint32_t predicted) const noexcept;
    // Adds the counts of other rows. REQUIRES: the same classes, or one of the two is empty.
    void add(const Score& other);

    friend bool operator==(const Score&, const Score&) = default;
};

class Evaluation {
public:
    // Empty `rows` = all of them. Borrows `dataset`, which must outlive the evaluation at the same address;
    // copies rows and parameters. invalid_argument: the errors of nn::Model and data::validate,
    // both checks of nn/loss.hpp, "evaluation.shape" (dataset and model disagree), "evaluation.rows" (out of range, or none),
    // "evaluation.parameters" (wrong length).
    static Result<Evaluation> start(const nn::ModelSpec& spec, std::span<const float> parameters,
                                    const data::Dataset& dataset, std::span<const std::uint32_t> rows,
                                    std::uint32_t batch = 64, const nn::LossSpec& loss = {});

    Evaluation(Evaluation&&) noexcept;
    Evaluation& operator=(Evaluation&&) noexcept;
    ~Evaluation();

    // Up to max_batches batches. invalid_argument "evaluation.non-finite" if a loss is not finite; final.
    Status step(std::uint32_t max_batches);
    [[nodiscard]] bool finished() const noexcept;
    [[nodiscard]] double progress() const noexcept;     // 0 to 1
    [[nodiscard]] const Score& score() const noexcept;  // of the rows done so far

private:
    struct State;
    explicit Evaluation(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

Result<Score> evaluate(const nn::ModelSpec& spec, std::span<const float> parameters,
                       const data::Dataset& dataset, std::span<const std::uint32_t> rows,
                       const nn::LossSpec& loss = {});

// What the model says about one example [product of input_shape]: under cross-entropy the probabilities [classes], under
// binary cross-entropy that of each output, otherwise the outputs as they are. Errors as Model::forward.
Result<std::vector<float>> predict(const nn::ModelSpec& spec, std::span<const float> parameters,
                                   std::span<const float> example, const nn::LossSpec& loss = {});

}  // namespace entente::task
