#include "task/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace entente::task {
namespace {

// Two passes: a sum of squares less a square of sums loses what a large mean hides.
RegimeStatistics of_rows(std::int64_t regime, const RowNumbers& numbers, const std::vector<std::uint32_t>& rows) {
    const std::size_t stride = numbers.dense_at.size();
    RegimeStatistics s{regime, std::vector<std::uint64_t>(stride), std::vector<double>(stride), std::vector<double>(stride)};
    for (const std::uint32_t r : rows) {
        for (std::size_t i = 0; i < stride; ++i) {
            const double x = numbers.dense[r * stride + i];
            if (std::isnan(x)) continue;
            ++s.rows[i];
            s.mean[i] += x;
        }
    }
    for (std::size_t i = 0; i < stride; ++i) s.mean[i] = s.rows[i] > 0 ? s.mean[i] / static_cast<double>(s.rows[i]) : 0.0;
    for (const std::uint32_t r : rows) {
        for (std::size_t i = 0; i < stride; ++i) {
            const double x = numbers.dense[r * stride + i];
            if (!std::isnan(x)) s.deviation[i] += (x - s.mean[i]) * (x - s.mean[i]);
        }
    }
    for (std::size_t i = 0; i < stride; ++i) {
        s.deviation[i] = s.rows[i] > 0 ? std::sqrt(s.deviation[i] / static_cast<double>(s.rows[i])) : 0.0;
    }
    return s;
}

}  // namespace

std::vector<std::int64_t> regimes_of(const Task& task, const Rows& rows) {
    if (task.scaling.regime.empty()) return {};
    const Values& v = rows.columns[*find_column(task, task.scaling.regime)];
    std::vector<std::int64_t> regimes(static_cast<std::size_t>(rows.size), no_regime);
    for (std::size_t r = 0; r < v.numbers.size(); ++r) {
        const double step = std::floor(v.numbers[r] / task.scaling.regime_step + 0.5);
        if (std::fabs(step) < 1e15) regimes[r] = static_cast<std::int64_t>(step);
    }
    return regimes;
}

Statistics measure(const RowNumbers& numbers, const std::vector<std::uint8_t>& sides, const std::vector<std::int64_t>& regimes) {
    std::vector<std::uint32_t> all;
    std::map<std::int64_t, std::vector<std::uint32_t>> of_regime;
    for (std::size_t r = 0; r < sides.size(); ++r) {
        if (sides[r] != side_train) continue;
        all.push_back(static_cast<std::uint32_t>(r));
        if (!regimes.empty() && regimes[r] != no_regime) of_regime[regimes[r]].push_back(static_cast<std::uint32_t>(r));
    }
    Statistics s;
    s.all = of_rows(0, numbers, all);
    for (const auto& [regime, rows] : of_regime) s.regimes.push_back(of_rows(regime, numbers, rows));
    return s;
}

void scale(const Task& task, const Statistics& statistics, const std::vector<std::int64_t>& regimes, RowNumbers& numbers) {
    const std::size_t stride = numbers.dense_at.size();
    const double clip = task.scaling.clip;
    for (std::size_t r = 0; stride > 0 && r < numbers.dense.size() / stride; ++r) {
        const RegimeStatistics* s = &statistics.all;
        if (!regimes.empty()) {
            const auto found = std::lower_bound(statistics.regimes.begin(), statistics.regimes.end(), regimes[r],
                                                [](const RegimeStatistics& a, std::int64_t regime) { return a.regime < regime; });
            if (found != statistics.regimes.end() && found->regime == regimes[r]) s = &*found;
        }
        for (std::size_t i = 0; i < stride; ++i) {
            double& x = numbers.dense[r * stride + i];
            if (std::isnan(x)) {
                x = 0.0;
            } else if (task.scaling.kind != ScalingKind::none) {
                x = (x - s->mean[i]) / std::max(task.scaling.floor, s->deviation[i]);
                if (clip > 0) x = std::clamp(x, -clip, clip);
            }
        }
    }
}

}  // namespace entente::task
