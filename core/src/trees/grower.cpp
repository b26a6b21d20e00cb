// The coordinator's half: which split wins, from summed answers alone.
#include <algorithm>
#include <string>

#include "entente/base/math.hpp"
#include "entente/base/philox.hpp"
#include "trees/units.hpp"

namespace entente::trees {
namespace {

double base_of(Objective objective, const Sketch& sketch) {
    const double mean = from_units(sketch.labels) / static_cast<double>(sketch.rows);
    if (objective == Objective::squared) return mean;
    const double p = std::clamp(mean, 1e-6, 1.0 - 1e-6);
    return math::log(p / (1.0 - p));
}

}  // namespace

Result<Grower> Grower::start(const Settings& settings, std::uint32_t features, const Sketch& sketch) {
    ENTENTE_TRY(check(settings));
    if (sketch.rows == 0 || sketch.counts.size() != std::size_t{features} * sketch_cells) {
        return Error{Code::invalid_argument, "trees.rows", "expected counts of " + std::to_string(features) + " features of some rows, found " +
                                                               std::to_string(sketch.counts.size() / sketch_cells) + " of " + std::to_string(sketch.rows)};
    }
    Grower g(settings, features);
    g.edges_ = edges_of(sketch, settings.bins);
    g.forest_.objective = settings.objective;
    g.forest_.base = base_of(settings.objective, sketch);
    // Where no feature tells rows apart the base is all there is to say.
    if (std::all_of(g.edges_.begin(), g.edges_.end(), [](const std::vector<float>& e) { return e.empty(); })) g.settings_.trees = 0;
    if (!g.finished()) g.begin_tree();
    return g;
}

void Grower::begin_tree() {
    const auto tree = static_cast<std::uint32_t>(forest_.trees.size());
    question_.tree = tree;
    question_.before = tree == 0 ? Tree{} : forest_.trees.back();
    question_.so_far.assign(1, Node{});
    question_.columns.clear();
    for (std::uint32_t f = 0; f < forest_.features; ++f) {
        if (!edges_[f].empty()) question_.columns.push_back(f);
    }
    const auto all = static_cast<double>(question_.columns.size());
    const auto wanted = static_cast<std::size_t>(std::max(1.0, settings_.column_share * all + 0.5));
    if (wanted < question_.columns.size()) {
        Philox random(derive_key(settings_.seed, std::uint64_t{tree} + 1, "", Purpose::subsample));
        random.shuffle(question_.columns);
        question_.columns.resize(wanted);
        std::sort(question_.columns.begin(), question_.columns.end());
    }
    totals_.assign(1, Total{});
    level_ = 0;
    ask(0);
}

void Grower::ask(std::uint32_t first_open) {
    std::size_t width = 0;
    for (const std::uint32_t c : question_.columns) width += bins_of(edges_, c);
    question_.first_open = first_open;
    question_.size = (question_.so_far.size() - first_open) * width * 2;
}

float Grower::leaf(const Total& t) const {
    const double below = from_units(t.curvature) + settings_.lambda;
    return below > 0 ? static_cast<float>(-settings_.rate * from_units(t.gradient) / below) : 0.0f;
}

Grower::Split Grower::best_split(std::span<const std::int64_t> of_node, const Total& total) const {
    const auto score = [this](const Total& t) {
        const double g = from_units(t.gradient);
        return g * g / (from_units(t.curvature) + settings_.lambda);
    };
    Split best;
    if (total.curvature == 0) return best;
    const double whole = score(total);
    std::size_t at = 0;
    for (std::size_t c = 0; c < question_.columns.size(); ++c) {
        const std::size_t bins = bins_of(edges_, question_.columns[c]);
        Total left;
        for (std::size_t b = 0; b + 1 < bins; ++b) {
            left.gradient += of_node[(at + b) * 2];
            left.curvature += of_node[(at + b) * 2 + 1];
            const Total right{total.gradient - left.gradient, total.curvature - left.curvature};
            if (left.curvature == 0 || right.curvature == 0) continue;
            if (from_units(left.curvature) < settings_.min_child_weight || from_units(right.curvature) < settings_.min_child_weight) continue;
            const double gain = (score(left) + score(right) - whole) / 2.0 - settings_.gamma;
            if (gain > best.gain) best = {gain, c, b, left};
        }
        at += bins;
    }
    return best;
}

Status Grower::take(std::span<const std::int64_t> sums) {
    const auto refuse = [](const std::string& message) { return Error{Code::invalid_argument, "trees.sums", message}; };
    if (sums.size() != question_.size) return refuse("expected " + std::to_string(question_.size) + " sums, found " + std::to_string(sums.size()));
    Tree& tree = question_.so_far;
    const std::size_t open = tree.size() - question_.first_open, stride = sums.size() / open;
    for (std::size_t k = 0; k < open; ++k) {
        const auto of_node = sums.subspan(k * stride, stride);
        Total& total = totals_[question_.first_open + k];
        std::size_t at = 0;
        for (std::size_t c = 0; c < question_.columns.size(); ++c) {
            Total here;
            for (std::size_t end = at + bins_of(edges_, question_.columns[c]); at < end; ++at) {
                if (of_node[at * 2 + 1] < 0) return refuse("expected curvatures from 0 on");
                here.gradient += of_node[at * 2];
                here.curvature += of_node[at * 2 + 1];
            }
            if (level_ == 0 && c == 0) total = here;
            if (here.gradient != total.gradient || here.curvature != total.curvature) return refuse("expected each column's sums to be those of the same rows");
        }
    }
    const std::uint32_t first_open = question_.first_open;
    const auto next_open = static_cast<std::uint32_t>(tree.size());
    for (std::size_t k = 0; k < open; ++k) {
        const Total total = totals_[first_open + k];
        tree[first_open + k].value = leaf(total);
        const Split split = best_split(sums.subspan(k * stride, stride), total);
        if (split.gain <= 0) continue;
        const std::uint32_t feature = question_.columns[split.column];
        tree[first_open + k] = {feature, edges_[feature][split.bin], static_cast<std::uint32_t>(tree.size()), 0.0f, split.gain};
        for (const Total& side : {split.left, Total{total.gradient - split.left.gradient, total.curvature - split.left.curvature}}) {
            tree.push_back({0, 0.0f, 0, leaf(side), 0.0});
            totals_.push_back(side);
        }
    }
    ++level_;
    if (tree.size() > next_open && level_ < settings_.depth) {
        ask(next_open);
    } else {
        end_tree();
    }
    return done();
}

void Grower::end_tree() {
    forest_.trees.push_back(question_.so_far);
    if (!finished()) begin_tree();
}

Result<Forest> grow(const Settings& settings, std::uint32_t features, std::span<const Part> parts, Executor& executor, std::uint64_t* answered) {
    ENTENTE_TRY(check(settings));
    Sketch sketch;
    for (const Part& part : parts) {
        ENTENTE_TRY(check(part, settings, features));
        sketch.add(sketch_of(part, settings, features));
    }
    ENTENTE_ASSIGN(Grower grower, Grower::start(settings, features, sketch));
    std::vector<RowSums> partners;
    partners.reserve(parts.size());
    for (const Part& part : parts) partners.emplace_back(settings, grower.edges(), grower.base(), part);
    std::vector<std::int64_t> sums;
    std::uint64_t numbers = 0;
    while (!grower.finished()) {
        sums.assign(grower.question().size, 0);
        numbers += sums.size();
        for (RowSums& partner : partners) partner.add_to(grower.question(), sums, executor);
        ENTENTE_TRY(grower.take(sums));
    }
    if (answered != nullptr) *answered = numbers;
    return grower.forest();
}

}  // namespace entente::trees
