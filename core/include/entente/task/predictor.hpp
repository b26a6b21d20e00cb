// A trained model as a task uses it: examples in, one score an example out.
//
//   ENTENTE_ASSIGN(task::Predictor model, task::Predictor::of_network(late, parameters));
//   ENTENTE_ASSIGN(const std::vector<float> scores, model.scores(prepared.test.dataset.features));
//
// A score is, under a label of two classes, the probability of 1; of numbers the value in the label's unit (what remains: from 0 to the cap);
// of an autoencoder the mean absolute error of the example's numbers. Owns a copy of what it is made of. One thread at a time.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "entente/nn/model.hpp"
#include "entente/task/task.hpp"
#include "entente/trees/forest.hpp"

namespace entente::task {

class Predictor {
public:
    // REQUIRES: check(task) is ok. Errors of nn::Model, of trees::check; "task.model" for trees that take other examples and for outputs that
    // are not what the label is: as many as inputs without one (then no trees), 1 or 2 for two classes, 1 for a number; "model.sizes" for another
    // number of parameters, and for a model that needs more than 2^26 floats and four times its parameters to score one example.
    static Result<Predictor> of_network(const Task& task, std::span<const float> parameters);
    static Result<Predictor> of_trees(const Task& task, trees::Forest forest);

    // Of [n, inputs]; an error where the size is no multiple of the inputs. The bits do not depend on n.
    Result<std::vector<float>> scores(std::span<const float> examples);
    // label.kind none: |output - input| of each number of one example.
    Result<std::vector<double>> errors(std::span<const float> example);

    [[nodiscard]] std::size_t inputs() const noexcept { return inputs_; }

private:
    Predictor(const Task& task, std::optional<nn::Model> model, std::optional<trees::Forest> forest);
    [[nodiscard]] float score_of(std::span<const float> outputs, std::span<const float> example) const;

    Label label_;
    std::size_t inputs_ = 0;
    std::optional<nn::Model> model_;
    std::optional<trees::Forest> forest_;
};

}  // namespace entente::task
