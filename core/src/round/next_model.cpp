#include "next_model.hpp"

#include <cmath>

#include "entente/task/sums.hpp"

namespace entente::round {
namespace {

// FedNova's mean is of gradients: its unit is one step of tau_eff. Where all have taken the same number of steps the
// two cancel, and they do so exactly.
double unit_of_mean(const plan::Plan& plan, const aggregate::Fold& fold, const std::map<std::string, UpdateAccepted>& accepted) {
    if (!aggregate::traits_of(plan.aggregation.strategy.name).normalised) return 1;
    if (const auto common = fold.common_factor()) return static_cast<double>(*common) / static_cast<double>(fold.whole());
    double weights = 0;
    double weighted = 0;
    for (const auto& [id, record] : accepted) {
        const auto weight = static_cast<double>(record.weight);
        weights += weight;
        weighted += weight * plan::gradient_weight(plan, record.base_round, steps_of(record.measures).value());
    }
    return weights / weighted;
}

}  // namespace

Result<std::uint64_t> steps_of(const std::vector<codec::Measure>& measures) {
    constexpr double most = 1e9;
    for (const codec::Measure& measure : measures) {
        if (measure.name != "train.steps") continue;
        if (measure.value >= 1 && measure.value <= most && std::floor(measure.value) == measure.value) {
            return static_cast<std::uint64_t>(measure.value);
        }
    }
    return Error{Code::invalid_argument, "update.steps",
                 "update: expected a whole number of local steps from 1 to 1000000000 in its measure train.steps"};
}

Status next_model(const plan::Plan& plan, const aggregate::Fold& fold, const std::map<std::string, UpdateAccepted>& accepted,
                  std::uint64_t population, aggregate::Strategy& strategy, std::vector<float>& parameters, std::vector<float>& sums,
                  Executor& executor) {
    if (!sums.empty() && !task::has_sums(sums)) {
        if (fold.participants() == 0) return Error{Code::invalid_argument, "fold.empty", "statistics: expected at least one update, found none"};
        sums = task::carried(fold.sums().last(sums.size()));
        return done();
    }
    std::vector<float> mean(static_cast<std::size_t>(fold.parameters()));
    ENTENTE_TRY(fold.report(mean, unit_of_mean(plan, fold, accepted), executor));
    mean.resize(mean.size() - sums.size());
    const float share = static_cast<float>(accepted.size()) / static_cast<float>(population);
    for (std::size_t i = parameters.size(); i < mean.size(); ++i) mean[i] *= share;
    strategy.step(parameters, mean);
    return done();
}

}  // namespace entente::round
