// One training in a page, called by ours.html: the same work as the others' pages, batches in the order in which they lie.
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "entente/nn/training.hpp"
#include "models.hpp"

namespace {

using namespace entente;

// The dataset is borrowed by the training.
struct Work {
    data::Dataset set;
    std::optional<nn::LocalTraining> training;
};

Work work;
std::string error;

Status start(const char* name, std::uint32_t batch, std::uint32_t rows, const float* features, const std::uint32_t* labels,
             std::uint32_t classes, const float* initial, std::uint32_t parameters, float rate) {
    const auto spec = bench::find_model(name);
    if (!spec) return Error{Code::invalid_argument, "bench.model", "expected a model of models.hpp, found " + std::string(name)};
    work.training.reset();
    work.set = {};
    work.set.example_shape = spec->input_shape;
    work.set.classes = classes;
    work.set.features.assign(features, features + rows * work.set.example_size());
    if (classes > 0) work.set.labels.assign(labels, labels + rows);
    if (classes == 0) {
        work.set.outputs = static_cast<std::uint32_t>(work.set.example_size());
        work.set.targets = work.set.features;
    }
    nn::TrainingOptions options;
    options.epochs = 1'000'000;
    options.batch = batch;
    options.learning_rate = rate;
    if (classes == 0) options.loss.kind = nn::LossKind::mean_squared;
    // Each epoch is shuffled: rows that the first one's shuffle puts in order.
    std::vector<std::uint32_t> shuffled(rows);
    std::vector<std::uint32_t> order(rows);
    std::iota(shuffled.begin(), shuffled.end(), 0u);
    Philox(options.key, 0).shuffle(shuffled);
    for (std::uint32_t i = 0; i < rows; ++i) order[shuffled[i]] = i;
    ENTENTE_ASSIGN(work.training, nn::LocalTraining::start(*spec, options, work.set, order, {initial, parameters}));
    return done();
}

}  // namespace

extern "C" {

// 0, or 1 with the reason in bench_error().
int bench_start(const char* name, std::uint32_t batch, std::uint32_t rows, const float* features, const std::uint32_t* labels,
                std::uint32_t classes, const float* initial, std::uint32_t parameters, float rate) {
    const Status status = start(name, batch, rows, features, labels, classes, initial, parameters, rate);
    if (!status.ok()) error = status.error().message;
    return status.ok() ? 0 : 1;
}

// The mean loss of the last of so many steps; NaN when the training has diverged.
double bench_steps(std::uint32_t count) {
    if (count > 1 && !work.training->step(count - 1).ok()) return std::numeric_limits<double>::quiet_NaN();
    const auto report = work.training->step(1);
    if (!report.ok()) return std::numeric_limits<double>::quiet_NaN();
    return report.value().mean_loss;
}

const char* bench_error() { return error.c_str(); }
}
