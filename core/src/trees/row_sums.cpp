// A partner's half: sums over its rows.
#include <algorithm>
#include <numeric>

#include "entente/base/math.hpp"
#include "entente/base/philox.hpp"
#include "trees/units.hpp"

namespace entente::trees {

RowSums::RowSums(const Settings& settings, const Edges& edges, double base, const Part& part) : settings_(settings), edges_(edges), part_(part) {
    const std::size_t features = edges.size(), rows = features == 0 ? 0 : part.numbers.size() / features;
    margins_.assign(rows, base);
    bins_.resize(rows * features);
    for (std::size_t f = 0; f < features; ++f) {
        const std::vector<float>& cuts = edges[f];
        for (std::size_t r = 0; r < rows; ++r) {
            bins_[f * rows + r] = static_cast<std::uint8_t>(std::upper_bound(cuts.begin(), cuts.end(), part.numbers[r * features + f]) - cuts.begin());
        }
    }
}

void RowSums::begin(const Question& question) {
    const std::size_t rows = margins_.size(), features = edges_.size();
    for (std::size_t r = 0; r < rows && !question.before.empty(); ++r) {
        margins_[r] += static_cast<double>(leaf_value(question.before, part_.numbers.subspan(r * features, features)));
    }
    drawn_.clear();
    if (settings_.row_share < 1.0) {
        Philox random(derive_key(settings_.seed, std::uint64_t{question.tree} + 1, part_.name, Purpose::subsample));
        for (std::size_t r = 0; r < rows; ++r) {
            if (random.uniform_double() < settings_.row_share) drawn_.push_back(static_cast<std::uint32_t>(r));
        }
    } else {
        drawn_.resize(rows);
        std::iota(drawn_.begin(), drawn_.end(), 0u);
    }
    node_of_.assign(drawn_.size(), 0);
    gradients_.resize(drawn_.size());
    curvatures_.resize(drawn_.size());
    for (std::size_t i = 0; i < drawn_.size(); ++i) {
        const std::uint32_t r = drawn_[i];
        if (settings_.objective == Objective::logistic) {
            const auto p = static_cast<double>(math::sigmoid(static_cast<float>(margins_[r])));
            gradients_[i] = in_units(p - static_cast<double>(part_.labels[r]));
            // A row is never without weight, however sure the trees are.
            curvatures_[i] = std::max<std::int64_t>(1, in_units(p * (1.0 - p)));
        } else {
            gradients_[i] = in_units(std::clamp(margins_[r] - static_cast<double>(part_.targets[r]), -4096.0, 4096.0));
            curvatures_[i] = in_units(1.0);
        }
    }
    asked_ = question.tree + 1;
}

void RowSums::add_to(const Question& question, std::span<std::int64_t> sums, Executor& executor) {
    if (asked_ == question.tree) begin(question);
    const std::size_t rows = margins_.size(), features = edges_.size();
    for (std::size_t i = 0; i < drawn_.size(); ++i) {
        std::uint32_t& node = node_of_[i];
        while (question.so_far[node].left != 0) {
            const Node& n = question.so_far[node];
            node = part_.numbers[drawn_[i] * features + n.feature] < n.threshold ? n.left : n.left + 1;
        }
    }
    std::vector<std::size_t> begin_of;
    std::size_t width = 0;
    for (const std::uint32_t c : question.columns) {
        begin_of.push_back(width);
        width += bins_of(edges_, c);
    }
    const auto add_column = [&](std::size_t c, unsigned) {
        const std::uint8_t* const bins = &bins_[question.columns[c] * rows];
        for (std::size_t i = 0; i < drawn_.size(); ++i) {
            if (node_of_[i] < question.first_open) continue;
            const std::size_t at = ((node_of_[i] - question.first_open) * width + begin_of[c] + bins[drawn_[i]]) * 2;
            sums[at] += gradients_[i];
            sums[at + 1] += curvatures_[i];
        }
    };
    if (!drawn_.empty()) executor.run(question.columns.size(), add_column);
}

}  // namespace entente::trees
