#include "entente/task/metrics.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace entente;

namespace {

const std::vector<float> scores{.1f, .4f, .35f, .8f, .4f, .4f, .05f, .9f, .35f, .6f};
const std::vector<std::uint32_t> labels{0, 0, 1, 1, 1, 0, 0, 1, 0, 0};

}  // namespace

// Against scikit-learn 1.x: roc_auc_score, average_precision_score, brier_score_loss, the largest F1 of precision_recall_curve, f1_score and
// confusion_matrix of scores > threshold, mean_squared_error; the NASA score from its definition in numpy.
TEST_CASE("metrics, ties included") {
    CHECK(task::roc_auc(scores, labels).value() == doctest::Approx(0.7708333333333334).epsilon(1e-12));
    CHECK(task::average_precision(scores, labels).value() == doctest::Approx(0.75).epsilon(1e-12));
    CHECK(task::brier(scores, labels).value() == doctest::Approx(0.16475000349432242).epsilon(1e-12));
    CHECK(task::best_f1(scores, labels).value() == doctest::Approx(0.6666666666666666).epsilon(1e-12));
    CHECK(task::confusion_at(scores, labels, 0.38) == task::Confusion{3, 3, 3, 1});
    CHECK(task::confusion_at(scores, labels, 0.38).f1().value() == doctest::Approx(0.6).epsilon(1e-12));
    CHECK(task::confusion_at(scores, labels, 0.7) == task::Confusion{2, 0, 6, 2});
    CHECK(task::confusion_at(scores, labels, 0.38).false_alarm_rate() == 0.5);
    CHECK(task::confusion_at(scores, labels, 0.38).missed_alarm_rate() == 0.25);
    const std::vector<float> predicted{10, 50, 100, 120}, truth{12, 40, 100, 90};
    CHECK(task::rmse(predicted, truth).value() == doctest::Approx(15.84297951775486).epsilon(1e-12));
    CHECK(task::nasa_score(predicted, truth).value() == doctest::Approx(20.970130192092643).epsilon(1e-12));
}

TEST_CASE("the highest scores, ties to the earlier row") {
    CHECK(task::precision_at(scores, labels, 0.2) == 1.0);
    CHECK(task::precision_at(scores, labels, 0.35) == doctest::Approx(2.0 / 3.0));
    // Of the three scores of 0.4 the first is no event, the second is one.
    CHECK(task::precision_at(scores, labels, 0.4) == 0.5);
    CHECK(task::precision_at(scores, labels, 0.5) == 0.6);
    CHECK(task::precision_at(scores, labels, 0.01) == 1.0);
    CHECK(task::quantile(scores, 0.5) == static_cast<double>(.4f));
    CHECK(task::quantile(scores, 0.9) == static_cast<double>(.8f));
    CHECK(task::quantile(scores, 1.0) == static_cast<double>(.9f));
}

TEST_CASE("what is undefined is said to be") {
    const std::vector<std::uint32_t> none(scores.size(), 0), all(scores.size(), 1);
    CHECK_FALSE(task::roc_auc(scores, none).has_value());
    CHECK_FALSE(task::roc_auc(scores, all).has_value());
    CHECK_FALSE(task::average_precision(scores, none).has_value());
    CHECK_FALSE(task::best_f1(scores, none).has_value());
    CHECK_FALSE(task::confusion_at(scores, all, 0.5).false_alarm_rate().has_value());
    CHECK_FALSE(task::precision_at({}, {}, 0.1).has_value());
    CHECK_FALSE(task::rmse({}, {}).has_value());
    const std::vector<float> bad{0.5f, std::numeric_limits<float>::quiet_NaN()};
    const std::vector<std::uint32_t> two{0, 1};
    CHECK_FALSE(task::roc_auc(bad, two).has_value());
    CHECK_FALSE(task::quantile(bad, 0.5).has_value());
}
