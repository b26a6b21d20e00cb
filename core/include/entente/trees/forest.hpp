// Gradient-boosted trees: a sum of small decision trees over the numbers of an example.
//
//   ENTENTE_ASSIGN(const trees::Forest forest, trees::grow(settings, width, parts));   // trees/grow.hpp
//   float probability = trees::predict(forest, example);
//   std::vector<double> shares = trees::importance(forest);     // [features], their sum is 1
//
// An example x goes left at a node where x[feature] < threshold. Its margin is base + the values of the leaves that it comes to,
// added in double in the order of the trees; what is predicted is 1 / (1 + e^-margin) under logistic, the margin under squared.
// Plain values; reading from several threads is fine. Shapes: an example has `features` numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::trees {

enum class Objective : std::uint32_t { logistic = 1, squared = 2 };

struct Node {
    std::uint32_t feature = 0;
    float threshold = 0.0f;
    std::uint32_t left = 0;  // its left child; the right one is the next. 0: a leaf
    float value = 0.0f;      // of a leaf, times the rate
    double gain = 0.0;       // of a split

    friend bool operator==(const Node&, const Node&) = default;
};

using Tree = std::vector<Node>;  // the root first, each level behind the one above it

struct Forest {
    Objective objective = Objective::logistic;
    std::uint32_t features = 0;
    double base = 0.0;
    std::vector<Tree> trees;

    friend bool operator==(const Forest&, const Forest&) = default;
};

// invalid_argument "trees.malformed": a child that does not come behind its parent, a feature that there is not, a number that
// is not finite. What passes can be walked.
Status check(const Forest& forest);

// REQUIRES of the rest: check(forest) is ok, and x has forest.features numbers.
float leaf_value(const Tree& tree, std::span<const float> x);
double margin(const Forest& forest, std::span<const float> x);
float predict(const Forest& forest, std::span<const float> x);

// Of each feature, its share in the gains of all splits (Hastie, Tibshirani, Friedman 2009, equation 10.42 with the gain of
// Chen and Guestrin); all 0 where nothing was split.
std::vector<double> importance(const Forest& forest);

}  // namespace entente::trees
