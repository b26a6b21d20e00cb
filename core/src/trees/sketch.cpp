// What is settled before the first tree: how the rows spread, and where features are cut.
#include <algorithm>
#include <cmath>
#include <string>

#include "trees/units.hpp"

namespace entente::trees {
namespace {

constexpr double reach = 8.0;
constexpr double cells_per_unit = sketch_cells / (2.0 * reach);
constexpr double largest_target = 1000.0;

std::size_t cell_of(float x) {
    const double cell = std::floor((static_cast<double>(x) + reach) * cells_per_unit);
    return static_cast<std::size_t>(std::clamp(cell, 0.0, static_cast<double>(sketch_cells - 1)));
}

float begin_of(std::size_t cell) { return static_cast<float>(static_cast<double>(cell) / cells_per_unit - reach); }

Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

// A cut where a bin has its share, and on both sides of a cell that alone has as much: a number that many rows share.
std::vector<float> cuts_of(std::span<const std::uint64_t> counts, std::uint32_t bins) {
    std::uint64_t left = 0;
    for (const std::uint64_t n : counts) left += n;
    const std::uint64_t share = left / bins + 1;
    std::vector<float> cuts;
    std::uint64_t waiting = 0;
    for (std::size_t cell = 0; cell < counts.size(); ++cell) {
        const std::uint64_t n = counts[cell];
        if (n == 0) continue;
        if (waiting > 0 && n >= share) {
            cuts.push_back(begin_of(cell));
            waiting = 0;
        }
        waiting += n;
        left -= n;
        if (waiting >= share && left > 0) {
            cuts.push_back(begin_of(cell + 1));
            waiting = 0;
        }
    }
    return cuts;
}

}  // namespace

Status check(const Settings& s) {
    const auto between = [](double value, double least, double most) { return value >= least && value <= most; };
    const auto key = [](const char* name, const char* range) { return refuse("trees.settings", std::string(name) + ": expected " + range); };
    if (s.objective != Objective::logistic && s.objective != Objective::squared) return key("objective", "logistic or squared");
    if (s.trees < 1 || s.trees > 10'000) return key("trees", "1 to 10000");
    if (s.depth < 1 || s.depth > 10) return key("depth", "1 to 10");
    if (s.bins < 2 || s.bins > 64) return key("bins", "2 to 64");
    if (!(s.rate > 0) || !(s.rate <= 1)) return key("rate", "above 0 and at most 1");
    if (!between(s.lambda, 0, 1e6)) return key("lambda", "0 to 1000000");
    if (!between(s.gamma, 0, 1e6)) return key("gamma", "0 to 1000000");
    if (!between(s.min_child_weight, 0, 1e9)) return key("min_child_weight", "0 to 1000000000");
    if (!(s.row_share > 0) || !(s.row_share <= 1)) return key("row_share", "above 0 and at most 1");
    if (!(s.column_share > 0) || !(s.column_share <= 1)) return key("column_share", "above 0 and at most 1");
    return done();
}

Status check(const Part& part, const Settings& settings, std::uint32_t features) {
    const bool classes = settings.objective == Objective::logistic;
    const std::size_t rows = classes ? part.labels.size() : part.targets.size();
    if (features == 0 || part.numbers.size() / features != rows || part.numbers.size() % features != 0 || rows > (std::size_t{1} << 30)) {
        return refuse("trees.rows", std::string(part.name) + ": expected " + std::to_string(features) + " numbers for each of " + std::to_string(rows) + " rows, found " +
                                        std::to_string(part.numbers.size()));
    }
    if (std::any_of(part.numbers.begin(), part.numbers.end(), [](float x) { return !std::isfinite(x); })) {
        return refuse("trees.rows", std::string(part.name) + ": expected finite numbers");
    }
    if (classes && std::any_of(part.labels.begin(), part.labels.end(), [](std::uint32_t y) { return y > 1; })) {
        return refuse("trees.rows", std::string(part.name) + ": expected labels of 0 or 1");
    }
    if (!classes && std::any_of(part.targets.begin(), part.targets.end(), [](float y) { return !(std::fabs(static_cast<double>(y)) <= largest_target); })) {
        return refuse("trees.rows", std::string(part.name) + ": expected targets between -1000 and 1000; the label's scale brings them there");
    }
    return done();
}

void Sketch::add(const Sketch& other) {
    if (counts.empty()) counts.resize(other.counts.size());
    for (std::size_t i = 0; i < other.counts.size(); ++i) counts[i] += other.counts[i];
    rows += other.rows;
    labels += other.labels;
}

Sketch sketch_of(const Part& part, const Settings& settings, std::uint32_t features) {
    Sketch s;
    s.counts.resize(std::size_t{features} * sketch_cells);
    s.rows = part.numbers.size() / features;
    for (std::size_t i = 0; i < part.numbers.size(); ++i) ++s.counts[(i % features) * sketch_cells + cell_of(part.numbers[i])];
    if (settings.objective == Objective::logistic) {
        for (const std::uint32_t y : part.labels) s.labels += in_units(static_cast<double>(y));
    } else {
        for (const float y : part.targets) s.labels += in_units(static_cast<double>(y));
    }
    return s;
}

Edges edges_of(const Sketch& sketch, std::uint32_t bins) {
    Edges edges;
    for (std::size_t at = 0; at + sketch_cells <= sketch.counts.size(); at += sketch_cells) {
        edges.push_back(cuts_of(std::span(sketch.counts).subspan(at, sketch_cells), bins));
    }
    return edges;
}

}  // namespace entente::trees
