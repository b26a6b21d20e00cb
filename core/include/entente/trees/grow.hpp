// Trees grown by a federation: partners answer with sums of integers, and nothing else leaves them.
//
//   Sketch sketch = trees::sketch_of(part, settings, width);                 // each partner, once; summed by add()
//   ENTENTE_ASSIGN(Grower grower, Grower::start(settings, width, sketch));   // the coordinator
//   RowSums mine(settings, grower.edges(), part);                            // each partner
//   while (!grower.finished()) {
//       std::vector<std::int64_t> sums(grower.question().size);              // zeros
//       mine.add_to(grower.question(), sums);                                // every partner; any order, any grouping
//       ENTENTE_TRY(grower.take(sums));
//   }
//   use(grower.forest());
//
// grow() is all of that for partners in one process. Chen and Guestrin 2016 (arXiv 1603.02754), with G and H the sums of the
// first and second derivatives of the loss over the rows of a node:
//   a leaf says   rate times -G / (H + lambda)                                                           (equation 5)
//   a split wins  (G_l^2 / (H_l + lambda) + G_r^2 / (H_r + lambda) - G^2 / (H + lambda)) / 2 - gamma     (equation 7)
// where that is above 0 and both H are at least min_child_weight; the lowest feature and threshold of equals. Derivatives at the margin m of
// a row with label y: under logistic p - y and p (1 - p), p = 1 / (1 + e^-m); under squared m - y and 1. Each is rounded to a
// multiple of 2^-20, so that sums are exact: the forest is the same, bit for bit, in whatever order partners answer, and where
// row_share is 1, however the rows are dealt to them.
//
// Thresholds are common ones, settled before the first tree: each partner counts its numbers in cells of 1/64 from -8 to 8, which
// suits numbers scaled by their deviation and clipped, and of the summed counts each feature is cut where about as many rows
// lie between two cuts. A tree asks columns drawn by Purpose::subsample from the seed alone, and of its rows each partner takes
// those that Purpose::subsample draws from seed, tree and its name.
//
// Sizes: a question asks (open nodes) x (sum of bins of the drawn columns) x 2 numbers. Thread-safety: one thread each; add_to()
// may be given an executor, which never changes a bit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/executor.hpp"
#include "entente/base/result.hpp"
#include "entente/trees/forest.hpp"

namespace entente::trees {

struct Settings {
    Objective objective = Objective::logistic;
    std::uint32_t trees = 200;      // 1 to 10,000
    std::uint32_t depth = 4;        // splits from the root to a leaf, 1 to 10
    std::uint32_t bins = 32;        // of a feature, 2 to 64; numbers that many rows share have a bin of their own beside them
    double rate = 0.05;             // above 0, at most 1
    double lambda = 1.0;            // from 0
    double gamma = 0.0;             // from 0
    double min_child_weight = 1.0;  // from 0
    double row_share = 1.0;         // of each tree, above 0, at most 1
    double column_share = 1.0;
    std::uint64_t seed = 1;

    friend bool operator==(const Settings&, const Settings&) = default;
};

// invalid_argument "trees.settings"; the message names the key and its range.
Status check(const Settings& settings);

// A partner's rows. Borrowed.
struct Part {
    std::string_view name;                   // decides which rows are drawn
    std::span<const float> numbers;          // [n, features]
    std::span<const std::uint32_t> labels;   // [n], 0 or 1: logistic
    std::span<const float> targets;          // [n]: squared; within ± 1,000
};

// invalid_argument "trees.rows": sizes that do not agree, a label above 1, a target or number that is not finite or too large.
Status check(const Part& part, const Settings& settings, std::uint32_t features);

inline constexpr std::uint32_t sketch_cells = 1024;

struct Sketch {
    std::vector<std::uint64_t> counts;  // [features, sketch_cells]
    std::uint64_t rows = 0;
    std::int64_t labels = 0;  // labels or targets, in units of 2^-20

    void add(const Sketch& other);  // REQUIRES: as many features
    friend bool operator==(const Sketch&, const Sketch&) = default;
};

// REQUIRES: check(part, settings, features) is ok.
Sketch sketch_of(const Part& part, const Settings& settings, std::uint32_t features);

using Edges = std::vector<std::vector<float>>;  // of each feature, ascending: the thresholds that a split may have

Edges edges_of(const Sketch& sketch, std::uint32_t bins);

// What every partner is asked next.
struct Question {
    std::uint32_t tree = 0;                  // from 0
    std::vector<std::uint32_t> columns;      // drawn for this tree, ascending
    Tree so_far;
    std::uint32_t first_open = 0;            // its nodes from here on want sums
    Tree before;                             // the tree before this one, finished; empty: there is none
    std::size_t size = 0;                    // numbers of an answer: [open node][column][bin][2]
};

class Grower {
public:
    // invalid_argument: those of check(settings), "trees.rows" where the sketch has none.
    static Result<Grower> start(const Settings& settings, std::uint32_t features, const Sketch& sketch);

    [[nodiscard]] const Edges& edges() const noexcept { return edges_; }
    [[nodiscard]] double base() const noexcept { return forest_.base; }
    [[nodiscard]] bool finished() const noexcept { return forest_.trees.size() == settings_.trees; }
    [[nodiscard]] const Question& question() const noexcept { return question_; }  // REQUIRES: !finished()
    // The partners' answers, summed. invalid_argument "trees.sums": another size, or sums that no rows have. REQUIRES: !finished().
    Status take(std::span<const std::int64_t> sums);
    [[nodiscard]] const Forest& forest() const noexcept { return forest_; }

private:
    struct Total {
        std::int64_t gradient = 0, curvature = 0;
    };
    struct Split {
        double gain = 0.0;
        std::size_t column = 0;  // of the question
        std::size_t bin = 0;     // the last on the left
        Total left;
    };

    Grower(const Settings& settings, std::uint32_t features) : settings_(settings) { forest_.features = features; }
    void ask(std::uint32_t first_open);
    void begin_tree();
    void end_tree();
    [[nodiscard]] Split best_split(std::span<const std::int64_t> of_node, const Total& total) const;
    [[nodiscard]] float leaf(const Total& total) const;

    Settings settings_;
    Edges edges_;
    Forest forest_;
    Question question_;
    std::vector<Total> totals_;   // of the nodes of the tree that grows
    std::uint32_t level_ = 0;
};

class RowSums {
public:
    // Borrows edges and the part's spans. REQUIRES: check(part, settings, features) is ok; base is the grower's.
    RowSums(const Settings& settings, const Edges& edges, double base, const Part& part);

    // Adds this partner's sums. REQUIRES: questions in the order of one grower, none left out; sums.size() == question.size.
    void add_to(const Question& question, std::span<std::int64_t> sums, Executor& executor = inline_executor());

private:
    void begin(const Question& question);

    Settings settings_;
    const Edges& edges_;
    Part part_;
    std::uint32_t asked_ = 0;               // trees
    std::vector<std::uint8_t> bins_;        // [features, n]
    std::vector<double> margins_;
    std::vector<std::uint32_t> drawn_;      // rows of this tree
    std::vector<std::uint32_t> node_of_;    // of each of them
    std::vector<std::int64_t> gradients_, curvatures_;
};

// A federation in this process. Errors of the checks; invalid_argument "trees.rows" where there are none. `answered`, if it is there,
// becomes how many numbers all questions together asked of a partner.
Result<Forest> grow(const Settings& settings, std::uint32_t features, std::span<const Part> parts, Executor& executor = inline_executor(),
                    std::uint64_t* answered = nullptr);

}  // namespace entente::trees
