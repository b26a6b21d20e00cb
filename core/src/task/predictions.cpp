#include "entente/task/predictions.hpp"

#include <algorithm>
#include <cmath>

#include "entente/base/math.hpp"
#include "entente/nn/model.hpp"
#include "entente/task/metrics.hpp"

namespace entente::task {
namespace {

constexpr std::uint32_t batch = 64;

double scale_of(const Task& task) { return task.label.kind == LabelKind::remaining ? task.label.cap : 1.0; }

float value_of(const Task& task, float output) {
    const double value = scale_of(task) * static_cast<double>(output);
    return static_cast<float>(task.label.kind == LabelKind::remaining ? std::clamp(value, 0.0, task.label.cap) : value);
}

// One number an example: a probability, a value in the label's unit, or how badly a window is given again.
Result<std::vector<float>> predictions(const Task& task, std::span<const float> parameters, const data::Dataset& d) {
    ENTENTE_ASSIGN(nn::Model model, nn::Model::create(task.model, batch));
    ENTENTE_TRY(model.load(parameters));
    const std::size_t size = d.example_size(), count = size == 0 ? 0 : d.features.size() / size;
    std::vector<float> result;
    for (std::size_t at = 0; at < count; at += batch) {
        const std::size_t n = std::min<std::size_t>(batch, count - at);
        const std::span<const float> inputs(&d.features[at * size], n * size);
        ENTENTE_ASSIGN(const std::span<const float> outputs, model.forward(inputs));
        for (std::size_t e = 0; e < n; ++e) {
            if (task.label.kind == LabelKind::none) {
                double error = 0.0;
                for (std::size_t i = 0; i < size; ++i) error += std::fabs(static_cast<double>(outputs[e * size + i]) - static_cast<double>(inputs[e * size + i]));
                result.push_back(static_cast<float>(error / static_cast<double>(size)));
            } else {
                result.push_back(d.classes == 2 ? math::sigmoid(outputs[e]) : value_of(task, outputs[e]));
            }
        }
    }
    return result;
}

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
    ENTENTE_ASSIGN(s.scores, predictions(task, parameters, p.test.dataset));
    if (task.label.kind == LabelKind::none) {
        ENTENTE_ASSIGN(const std::vector<float> normal, predictions(task, parameters, p.train.dataset));
        const double limit = quantile(normal, task.alarm.quantile).value_or(1.0) * task.alarm.margin;
        for (float& score : s.scores) score = static_cast<float>(static_cast<double>(score) / std::max(limit, 1e-12));
    }
    return s;
}

Predictions predict_examples(const Task& task, const Prepared& p, const trees::Forest& forest) {
    Predictions s = truth_of(task, p);
    for (std::size_t e = 0; e < p.test.last_rows.size(); ++e) {
        const float output = trees::predict(forest, p.test.dataset.example(e));
        s.scores.push_back(p.test.dataset.classes == 2 ? output : value_of(task, output));
    }
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
