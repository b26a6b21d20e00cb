#include "entente/task/predictions.hpp"

#include <algorithm>
#include <cmath>

#include "entente/task/metrics.hpp"
#include "entente/task/predictor.hpp"

namespace entente::task {
namespace {

double scale_of(const Task& task) { return task.label.kind == LabelKind::remaining ? task.label.cap : 1.0; }

std::optional<double> metric_of(Metric metric, const Predictions& s) {
    switch (metric) {
        case Metric::auc: return roc_auc(s.scores, s.labels);
        case Metric::average_precision: return average_precision(s.scores, s.labels);
        case Metric::precision_at_10: return precision_at(s.scores, s.labels, 0.1);
        case Metric::f1: return confusion_at(s.scores, s.labels, s.threshold).f1();
        case Metric::false_alarm_rate: return confusion_at(s.scores, s.labels, s.threshold).false_alarm_rate();
        case Metric::missed_alarm_rate: return confusion_at(s.scores, s.labels, s.threshold).missed_alarm_rate();
        case Metric::rmse: return rmse(s.scores, s.truth);
        case Metric::nasa_score: return nasa_score(s.scores, s.truth);
        case Metric::brier: return brier(s.scores, s.labels);
        case Metric::best_f1: return best_f1(s.scores, s.labels);
    }
    return std::nullopt;
}

}  // namespace

Predictions truth_of(const Task& task, const Prepared& p) {
    Predictions s;
    s.labels = p.test.dataset.labels;
    if (task.label.kind == LabelKind::none) {
        s.labels.assign(p.test.abnormal.begin(), p.test.abnormal.end());
        s.labels.resize(p.test.last_rows.size(), 0);
        s.threshold = 1.0;
    } else if (p.test.dataset.outputs == 1) {
        for (const float target : p.test.dataset.targets) s.truth.push_back(static_cast<float>(scale_of(task) * static_cast<double>(target)));
    }
    return s;
}

Result<Predictions> predict_examples(const Task& task, const Prepared& p, std::span<const float> parameters) {
    Predictions s = truth_of(task, p);
    ENTENTE_ASSIGN(Predictor model, Predictor::of_network(task, parameters));
    ENTENTE_ASSIGN(s.scores, model.scores(p.test.dataset.features));
    if (task.label.kind == LabelKind::none) {
        ENTENTE_ASSIGN(const std::vector<float> normal, model.scores(p.train.dataset.features));
        const double limit = quantile(normal, task.alarm.quantile).value_or(1.0) * task.alarm.margin;
        for (float& score : s.scores) score = static_cast<float>(static_cast<double>(score) / std::max(limit, 1e-12));
    }
    return s;
}

Predictions predict_examples(const Task& task, const Prepared& p, const trees::Forest& forest) {
    Predictions s = truth_of(task, p);
    s.scores = Predictor::of_trees(task, forest).value().scores(p.test.dataset.features).value();
    return s;
}

float constant_prediction(const Task& task, std::span<const Prepared> partners) {
    if (task.label.kind == LabelKind::none) return 2.0f;
    double sum = 0.0, count = 0.0;
    for (const Prepared& p : partners) {
        const data::Dataset& d = p.train.dataset;
        for (const std::uint32_t label : d.labels) sum += static_cast<double>(label);
        for (const float target : d.targets) sum += static_cast<double>(target);
        count += static_cast<double>(d.size());
    }
    return static_cast<float>(count > 0 ? scale_of(task) * sum / count : 0.0);
}

std::vector<std::optional<double>> metrics_of(const Task& task, const Predictions& said) {
    std::vector<std::optional<double>> values;
    for (const Metric metric : task.metrics) {
        const bool of_numbers = metric == Metric::rmse || metric == Metric::nasa_score;
        values.push_back(of_numbers == said.truth.empty() ? std::nullopt : metric_of(metric, said));
    }
    return values;
}

}  // namespace entente::task
