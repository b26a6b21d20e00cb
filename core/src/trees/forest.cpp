#include "entente/trees/forest.hpp"

#include <cmath>
#include <string>

#include "entente/base/math.hpp"

namespace entente::trees {
namespace {

Error malformed(std::size_t tree, std::size_t node, const std::string& what) {
    return Error{Code::invalid_argument, "trees.malformed", "tree " + std::to_string(tree + 1) + ", node " + std::to_string(node) + ": expected " + what};
}

}  // namespace

Status check(const Forest& forest) {
    if (!std::isfinite(forest.base)) return malformed(0, 0, "a finite base");
    for (std::size_t t = 0; t < forest.trees.size(); ++t) {
        const Tree& tree = forest.trees[t];
        if (tree.empty()) return malformed(t, 0, "a root");
        for (std::size_t i = 0; i < tree.size(); ++i) {
            const Node& n = tree[i];
            if (!std::isfinite(n.value) || !std::isfinite(n.threshold) || !std::isfinite(n.gain)) return malformed(t, i, "finite numbers");
            if (n.left == 0) continue;
            if (n.feature >= forest.features) return malformed(t, i, "one of " + std::to_string(forest.features) + " features, found " + std::to_string(n.feature));
            if (n.left <= i || std::uint64_t{n.left} + 1 >= tree.size()) return malformed(t, i, "two children behind it, found " + std::to_string(n.left));
        }
    }
    return done();
}

float leaf_value(const Tree& tree, std::span<const float> x) {
    std::size_t i = 0;
    while (tree[i].left != 0) i = x[tree[i].feature] < tree[i].threshold ? tree[i].left : tree[i].left + 1;
    return tree[i].value;
}

double margin(const Forest& forest, std::span<const float> x) {
    double sum = forest.base;
    for (const Tree& tree : forest.trees) sum += static_cast<double>(leaf_value(tree, x));
    return sum;
}

float predict(const Forest& forest, std::span<const float> x) {
    const auto m = static_cast<float>(margin(forest, x));
    return forest.objective == Objective::logistic ? math::sigmoid(m) : m;
}

std::vector<double> importance(const Forest& forest) {
    std::vector<double> shares(forest.features);
    double all = 0.0;
    for (const Tree& tree : forest.trees) {
        for (const Node& n : tree) {
            if (n.left == 0) continue;
            shares[n.feature] += n.gain;
            all += n.gain;
        }
    }
    for (double& share : shares) share = all > 0 ? share / all : 0.0;
    return shares;
}

}  // namespace entente::trees
