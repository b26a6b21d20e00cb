#include "entente/task/score.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "entente/base/philox.hpp"

using namespace entente;
using task::Score;

namespace {

// Logits = inputs: what is predicted can be read off the data.
const nn::ModelSpec identity{{3}, {nn::dense("a", 3)}};
const std::vector<float> identity_parameters{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};

data::Dataset four_rows() { return {{3}, 3, {5, 0, 0, 0, 5, 0, 0, 5, 0, 2, 2, 2}, {0, 1, 2, 1}}; }

}  // namespace

TEST_CASE("a score counts what is right, what is confused, and the loss") {
    const Score score = task::evaluate(identity, identity_parameters, four_rows(), {}).value();
    CHECK(score.examples == 4);
    CHECK(score.correct == 2);
    CHECK(score.accuracy() == 0.5);
    CHECK(score.confusion ==
          std::vector<std::uint64_t>{1, 0, 0, 1, 1, 0, 0, 1, 0});  // a tie goes to the first
    CHECK(score.confused(2, 1) == 1);
    CHECK(score.confused(3, 0) == 0);
    const double log_sum = std::log(std::exp(5.0) + 2.0);
    CHECK(score.loss_sum == doctest::Approx(2.0 * (log_sum - 5.0) + log_sum + std::log(3.0)));
    CHECK(score.mean_loss() == doctest::Approx(score.loss_sum / 4.0));
}

TEST_CASE("an empty score is zero, and scores of parts add up to the score of the whole") {
    const data::Dataset dataset = four_rows();
    Score sum;
    CHECK(sum.accuracy() == 0.0);
    CHECK(sum.mean_loss() == 0.0);
    for (std::uint32_t row = 0; row < 4; ++row) {
        sum.add(
            task::evaluate(identity, identity_parameters, dataset, std::vector<std::uint32_t>{row}).value());
    }
    CHECK(sum == task::evaluate(identity, identity_parameters, dataset, {}).value());
}

TEST_CASE("an evaluation gives the same bits however it is sliced") {
    data::Dataset dataset{{3}, 3, {}, {}};
    Philox random({1, 2});
    for (std::uint32_t i = 0; i < 150; ++i) {
        for (int j = 0; j < 3; ++j) dataset.features.push_back(static_cast<float>(random.normal()));
        dataset.labels.push_back(i % 3);
    }
    const Score whole = task::evaluate(identity, identity_parameters, dataset, {}).value();
    for (const std::uint32_t batch : {1u, 7u, 64u, 1000u}) {
        task::Evaluation evaluation =
            task::Evaluation::start(identity, identity_parameters, dataset, {}, batch).value();
        double last = -1.0;
        while (!evaluation.finished()) {
            CHECK(evaluation.progress() > last);
            last = evaluation.progress();
            REQUIRE(evaluation.step(2).ok());
        }
        task::Evaluation moved = std::move(evaluation);
        CHECK(moved.progress() == 1.0);
        CHECK(moved.score() == whole);
    }
}

TEST_CASE("predict gives probabilities") {
    const std::vector<float> example{0.0f, std::log(2.0f), 0.0f};
    const auto p = task::predict(identity, identity_parameters, example).value();
    REQUIRE(p.size() == 3);
    CHECK(p[0] == doctest::Approx(0.25));
    CHECK(p[1] == doctest::Approx(0.5));
    CHECK(task::predict(identity, identity_parameters, std::vector<float>(2)).error().reason ==
          "model.sizes");
    CHECK(task::predict(identity, std::vector<float>(2), example).error().reason == "model.sizes");
}

TEST_CASE("an evaluation refuses what it cannot score") {
    const auto reason = [](const nn::ModelSpec& spec, const std::vector<float>& w, const data::Dataset& d,
                           std::vector<std::uint32_t> rows) {
        const auto score = task::evaluate(spec, w, d, rows);
        return score.ok() ? "ok" : score.error().reason;
    };
    CHECK(reason(identity, std::vector<float>(5), four_rows(), {}) == "evaluation.parameters");
    CHECK(reason(identity, identity_parameters, four_rows(), {4}) == "evaluation.rows");
    CHECK(reason(identity, identity_parameters, {{3}, 3, {}, {}}, {}) == "evaluation.rows");
    CHECK(reason({{4}, {nn::dense("a", 3)}}, identity_parameters, four_rows(), {}) == "evaluation.shape");
    CHECK(reason({{3}, {nn::dense("a", 2)}}, identity_parameters, four_rows(), {}) == "loss.labels");
    CHECK(reason({{3}, {nn::dense("a", 5000)}}, std::vector<float>(20000), four_rows(), {}) ==
          "evaluation.shape");
    std::vector<float> broken = identity_parameters;
    broken[11] = std::numeric_limits<float>::quiet_NaN();
    CHECK(reason(identity, broken, four_rows(), {}) == "evaluation.non-finite");
    CHECK(reason(identity, identity_parameters, {{3}, 3, {1, 2, 3}, {3}}, {}) == "data.labels");
}
