#include "entente/nn/loss.hpp"

#include <array>
#include <cmath>
#include <string>

#include "entente/base/decimal.hpp"
#include "entente/base/math.hpp"
#include "entente/tensor/kernels.hpp"

namespace entente::nn {

namespace {

constexpr std::array<std::string_view, 5> names{"cross_entropy", "binary_cross_entropy", "mean_squared", "huber", "quantile"};
constexpr float max_weight = 1e6f;

Error fault(const char* reason, const std::string& message) {
    return {Code::invalid_argument, reason, "loss: " + message};
}

// log(1 + e^x), without overflow.
float softplus(float x) { return (x > 0.0f ? x : 0.0f) + math::log(1.0f + math::exp(x > 0.0f ? -x : x)); }

struct Term {
    float loss;
    float slope;  // by z
};

Term term(const LossSpec& s, float z, float y) {
    const float d = z - y;
    switch (s.kind) {
        case LossKind::binary_cross_entropy: {
            const bool weighted = !s.class_weights.empty();
            const float positive = weighted ? s.class_weights[1] * y : y;
            const float negative = weighted ? s.class_weights[0] * (1.0f - y) : 1.0f - y;
            const float p = math::sigmoid(z);
            return {positive * softplus(-z) + negative * softplus(z), positive * (p - 1.0f) + negative * p};
        }
        case LossKind::huber: {
            const float size = d < 0.0f ? -d : d;
            if (size <= s.delta) return {(0.5f * d) * d, d};
            return {s.delta * (size - 0.5f * s.delta), d < 0.0f ? -s.delta : s.delta};
        }
        case LossKind::quantile:
            if (d < 0.0f) return {s.quantile * -d, -s.quantile};
            return {(1.0f - s.quantile) * d, d > 0.0f ? 1.0f - s.quantile : 0.0f};
        default: return {d * d, 2.0f * d};
    }
}

}  // namespace

std::string_view to_string(LossKind kind) noexcept {
    const auto number = static_cast<std::size_t>(kind);
    return number >= 1 && number <= names.size() ? names[number - 1] : "unknown";
}

std::span<const std::string_view> loss_kind_names() noexcept { return names; }

Status check(const LossSpec& s, std::uint32_t outputs) {
    if (to_string(s.kind) == "unknown") {
        return fault("loss.kind", "expected a known kind, found number " + std::to_string(static_cast<std::uint32_t>(s.kind)));
    }
    const std::string kind(to_string(s.kind));
    // Written so that NaN is refused.
    if (s.kind == LossKind::huber ? !(s.delta >= 1e-6f && s.delta <= 1e6f) : s.delta != 1.0f) {
        return fault("loss.key", s.kind == LossKind::huber
                                     ? "expected delta from 1e-6 to 1e6, found " + decimal(s.delta)
                                     : "expected no key delta, which " + kind + " does not have, found " + decimal(s.delta));
    }
    if (s.kind == LossKind::quantile ? !(s.quantile > 0.0f && s.quantile < 1.0f) : s.quantile != 0.5f) {
        return fault("loss.key", s.kind == LossKind::quantile
                                     ? "expected quantile above 0 and below 1, found " + decimal(s.quantile)
                                     : "expected no key quantile, which " + kind + " does not have, found " +
                                           decimal(s.quantile));
    }
    for (const float weight : s.class_weights) {
        if (!(weight >= 0.0f && weight <= max_weight) || std::signbit(weight)) {
            return fault("loss.key", "expected class weights from 0 to 1e6, found " + decimal(weight));
        }
    }
    if (s.kind == LossKind::cross_entropy && outputs < 2) {
        return fault("loss.outputs", "expected a model with at least 2 outputs for cross_entropy, found " + std::to_string(outputs));
    }
    if (s.class_weights.empty()) return done();
    if (s.kind != LossKind::cross_entropy && s.kind != LossKind::binary_cross_entropy) {
        return fault("loss.key", "expected no key class_weights, which " + kind + " does not have, found " +
                                     std::to_string(s.class_weights.size()));
    }
    const std::size_t expected = s.kind == LossKind::cross_entropy ? outputs : 2;
    if (s.class_weights.size() != expected) {
        return fault("loss.outputs", "expected " + std::to_string(expected) + " class weights, found " +
                                         std::to_string(s.class_weights.size()));
    }
    return done();
}

Status check(const LossSpec& s, std::uint32_t outputs, const data::Dataset& dataset) {
    const bool binary = s.kind == LossKind::binary_cross_entropy;
    if (s.kind == LossKind::cross_entropy || dataset.outputs == 0) {
        const std::uint32_t most = outputs == 1 && binary ? 2 : outputs;
        const bool any = outputs == 1 && !binary;
        if (dataset.classes == 0 || (!any && dataset.classes > most)) {
            return fault("loss.labels", "expected labels of " + std::string(any ? "any" : "at most " + std::to_string(most)) +
                                            " classes for " + std::string(to_string(s.kind)) + ", found " +
                                            std::to_string(dataset.classes));
        }
        return done();
    }
    if (dataset.outputs != outputs) {
        return fault("loss.targets", "expected " + std::to_string(outputs) + " targets for each example, found " +
                                         std::to_string(dataset.outputs));
    }
    for (const float y : dataset.targets) {
        if (!binary || (y >= 0.0f && y <= 1.0f)) continue;
        return fault("loss.targets", "expected targets from 0 to 1 for binary_cross_entropy, found " + decimal(y));
    }
    return done();
}

Target target_of(const data::Dataset& dataset, std::size_t row) {
    Target target;
    if (!dataset.labels.empty()) target.label = dataset.labels[row];
    if (dataset.outputs != 0) target.values = dataset.targets.data() + row * dataset.outputs;
    return target;
}

double loss(const LossSpec& s, std::span<const float> z, const Target& target, float factor, float* gradient) {
    const std::size_t outputs = z.size();
    if (s.kind == LossKind::cross_entropy) {
        const float weight = s.class_weights.empty() ? 1.0f : s.class_weights[target.label];
        return static_cast<double>(weight) * kernels::softmax_cross_entropy(z.data(), &target.label, 1, outputs, outputs,
                                                                            factor * weight, gradient);
    }
    const float share = factor / static_cast<float>(outputs);
    double sum = 0.0;
    for (std::size_t j = 0; j < outputs; ++j) {
        const float label = outputs == 1 ? static_cast<float>(target.label) : (j == target.label ? 1.0f : 0.0f);
        const Term t = term(s, z[j], target.values == nullptr ? label : target.values[j]);
        sum += static_cast<double>(t.loss);
        if (gradient != nullptr) gradient[j] = t.slope * share;
    }
    return sum / static_cast<double>(outputs);
}

}  // namespace entente::nn
