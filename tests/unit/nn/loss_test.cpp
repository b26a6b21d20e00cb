#include "entente/nn/loss.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "../../golden/nn_training_golden.hpp"
#include "entente/nn/initialise.hpp"
#include "entente/nn/model.hpp"
#include "entente/nn/reference.hpp"
#include "entente/tensor/kernels.hpp"

using namespace entente;
using namespace entente::nn;

namespace {

std::vector<LossSpec> all() {
    return {{},
            {.class_weights = {0.5f, 2.0f, 1.25f}},
            {.kind = LossKind::binary_cross_entropy},
            {.kind = LossKind::binary_cross_entropy, .class_weights = {0.75f, 3.0f}},
            {.kind = LossKind::mean_squared},
            {.kind = LossKind::huber, .delta = 0.7f},
            {.kind = LossKind::quantile, .quantile = 0.8f}};
}

std::string reason(const LossSpec& spec, std::uint32_t outputs) {
    const Status status = check(spec, outputs);
    return status.ok() ? "ok" : status.error().reason;
}

}  // namespace

TEST_CASE("every loss and its slope agree with PyTorch to 1e-6") {
    const auto compare = [](const LossSpec& spec, const float* values, double expected, const float* slopes) {
        double sum = 0.0;
        for (std::size_t b = 0; b < 4; ++b) {
            const Target target{.label = golden::loss_labels[b], .values = values == nullptr ? nullptr : values + 3 * b};
            float slope[3];
            sum += loss(spec, {golden::loss_outputs + 3 * b, 3}, target, 0.25f, slope);
            for (std::size_t j = 0; j < 3; ++j) CHECK(std::abs(slope[j] - slopes[3 * b + j]) < 1e-6f);
        }
        INFO(std::string(to_string(spec.kind)));
        CHECK(std::abs(sum / 4.0 - expected) < 1e-6);
    };
    const auto specs = all();
    compare(specs[1], nullptr, golden::cross_entropy_loss, golden::cross_entropy_slope);
    compare(specs[3], golden::loss_shares, golden::binary_loss, golden::binary_slope);
    compare(specs[4], golden::loss_values, golden::mean_squared_loss, golden::mean_squared_slope);
    compare(specs[5], golden::loss_values, golden::huber_loss, golden::huber_slope);
    compare(specs[6], golden::loss_values, golden::quantile_loss, golden::quantile_slope);
}

TEST_CASE("every loss through a model: the reference's bits in both classes, and central differences in double") {
    const ModelSpec spec{{4}, {dense("a", 5), tanh(), dense("b", 3)}};
    const auto w = initialise(spec, {5, 6}).value();
    Philox random({7, 8});
    std::vector<float> inputs, values;
    std::vector<Target> by_value, by_label;
    for (int i = 0; i < 5 * 4; ++i) inputs.push_back(static_cast<float>(random.normal()));
    for (int i = 0; i < 5 * 3; ++i) values.push_back(random.uniform());
    for (std::size_t b = 0; b < 5; ++b) {
        by_label.push_back({.label = random.bounded(3)});
        by_value.push_back({.label = by_label[b].label, .values = values.data() + 3 * b});
    }
    for (const LossSpec& loss_spec : all()) {
        for (const auto& targets : {by_value, by_label}) {
            INFO(std::string(to_string(loss_spec.kind)));
            std::vector<float> expected(w.size()), found(w.size());
            for (const auto numerics : {kernels::Numerics::portable, kernels::Numerics::fused}) {
                if (kernels::find(numerics) == nullptr) continue;
                const double sum = numerics == kernels::Numerics::fused
                                       ? reference_gradients<float, true>(spec, w, inputs, loss_spec, targets, expected).value()
                                       : reference_gradients<float>(spec, w, inputs, loss_spec, targets, expected).value();
                Model model = Model::create(spec, 5, numerics).value();
                REQUIRE(model.load(w).ok());
                CHECK(model.gradients(inputs, loss_spec, targets, found).value() == sum);
                CHECK(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0);
            }
            std::vector<double> p(w.begin(), w.end()), gradient(w.size()), ignored(w.size());
            const std::vector<double> in(inputs.begin(), inputs.end());
            const auto mean = [&](std::vector<double>& out) {
                return reference_gradients<double>(spec, p, in, loss_spec, targets, out).value() / 5.0;
            };
            mean(gradient);
            for (std::size_t i = 0; i < p.size(); i += 2) {
                const double kept = p[i];
                p[i] = kept + 1e-6;
                const double above = mean(ignored);
                p[i] = kept - 1e-6;
                const double below = mean(ignored);
                p[i] = kept;
                REQUIRE(std::abs(gradient[i] - (above - below) / 2e-6) < 1e-7);
            }
        }
    }
}

TEST_CASE("losses of extreme outputs stay finite and right") {
    float slope[2];
    const float far[2] = {200.0f, -200.0f};
    LossSpec binary{.kind = LossKind::binary_cross_entropy};
    const float truth[2] = {1.0f, 0.0f}, lie[2] = {0.0f, 1.0f};
    CHECK(loss(binary, far, {.values = truth}, 1.0f, slope) == doctest::Approx(0.0));
    CHECK(loss(binary, far, {.values = lie}, 1.0f, slope) == doctest::Approx(200.0));
    CHECK(slope[0] == doctest::Approx(0.5));
    CHECK(loss({}, far, {.label = 1}, 1.0f, slope) == doctest::Approx(400.0));
}

TEST_CASE("a loss that cannot be is refused") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const LossSpec& spec : all()) CHECK(reason(spec, 3) == "ok");
    CHECK(reason({.kind = static_cast<LossKind>(6)}, 3) == "loss.kind");
    CHECK(reason({.kind = LossKind::huber, .delta = nan}, 3) == "loss.key");
    CHECK(reason({.kind = LossKind::huber, .delta = 0.0f}, 3) == "loss.key");
    CHECK(reason({.delta = 2.0f}, 3) == "loss.key");
    CHECK(reason({.kind = LossKind::quantile, .quantile = 1.0f}, 3) == "loss.key");
    CHECK(reason({.kind = LossKind::huber, .quantile = 0.1f}, 3) == "loss.key");
    CHECK(reason({.class_weights = {1.0f, nan, 1.0f}}, 3) == "loss.key");
    CHECK(reason({.class_weights = {1.0f, -1.0f, 1.0f}}, 3) == "loss.key");
    CHECK(reason({.kind = LossKind::huber, .class_weights = {1.0f, 1.0f, 1.0f}}, 3) == "loss.key");
    CHECK(reason({.class_weights = {1.0f, 1.0f}}, 3) == "loss.outputs");
    CHECK(reason({}, 1) == "loss.outputs");
    CHECK(reason({.kind = LossKind::mean_squared}, 1) == "ok");
}

TEST_CASE("data that a loss cannot use are refused") {
    data::Dataset labelled{{1}, 3, {1.0f, 2.0f}, {0, 2}};
    data::Dataset valued{{1}, 0, {1.0f, 2.0f}, {}, 3, {0.0f, 1.0f, 0.5f, 0.2f, 0.3f, 0.4f}};
    const auto why = [](const LossSpec& spec, std::uint32_t outputs, const data::Dataset& set) {
        REQUIRE(data::validate(set).ok());
        const Status status = check(spec, outputs, set);
        return status.ok() ? "ok" : status.error().reason;
    };
    const LossSpec squared{.kind = LossKind::mean_squared}, binary{.kind = LossKind::binary_cross_entropy};
    CHECK(why({}, 3, labelled) == "ok");
    CHECK(why({}, 2, labelled) == "loss.labels");
    CHECK(why({}, 3, valued) == "loss.labels");
    CHECK(why(squared, 3, labelled) == "ok");
    CHECK(why(squared, 1, labelled) == "ok");
    CHECK(why(binary, 1, labelled) == "loss.labels");
    CHECK(why(squared, 3, valued) == "ok");
    CHECK(why(squared, 2, valued) == "loss.targets");
    CHECK(why(binary, 3, valued) == "ok");
    valued.targets[2] = 1.5f;
    CHECK(why(binary, 3, valued) == "loss.targets");
    valued.classes = 2;
    CHECK(data::validate(valued).error().reason == "data.targets");
    valued.classes = 0;
    valued.targets[2] = std::numeric_limits<float>::infinity();
    CHECK(data::validate(valued).error().reason == "data.non-finite");
    valued.targets.pop_back();
    CHECK_FALSE(data::validate(valued).ok());
}
