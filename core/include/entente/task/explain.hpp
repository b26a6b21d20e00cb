// Why a score is what it is: each column's share in it, in words, and the partner's own past rows that were most like it.
//
//   ENTENTE_ASSIGN(const task::Explanation why, task::explain(late, model, example, watch.usual));
//   for (const task::Reason& r : task::reasons(late, why, watch.inputs, rows, row, 3)) print(r.text);
//                                          // "ordered 9 days before scheduled, usually 35 to 80 (+0.31)"
//
// usual + sum of shares = score. Of an autoencoder, whose score is a mean error, a column's share is its own part of that mean, and usual
// is 0. Of anything else it is the column's Shapley value between the mean training example and this one (Lundberg and Lee 2017, equation 4,
// with a single background example): what the score gains when the column takes this row's numbers, averaged over orders in which the columns
// may do so. Up to four columns: over all orders. More: over eight drawn ones and the same backwards (Castro, Gomez, Tejada 2009;
// antithetic as in Mitchell et al. 2022), always the same eight: the sum is exact with any orders, a share is an estimate.
// Everything that is made of a column, its one-hot numbers and its history, is one share; days between two columns count for `column`.
// Thread-safety: pure but for the predictor.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entente/task/drift.hpp"
#include "entente/task/predictor.hpp"

namespace entente::task {

struct Share {
    std::uint32_t column = 0;  // in task.columns
    double amount = 0.0;
};

struct Explanation {
    double score = 0.0;
    double usual = 0.0;
    std::vector<Share> shares;  // of each column that features are made of, in the task's order
};

// REQUIRES: check(task) is ok, and example and usual are the predictor's inputs.
Result<Explanation> explain(const Task& task, Predictor& predictor, std::span<const float> example, std::span<const float> usual);

struct Reason {
    std::uint32_t column = 0;
    double amount = 0.0;
    std::string text;
};

// The columns that bring the score nearest to an alert, the most first, at most `most`; those that speak against one are left out. `row` is
// the example's last row, and usual what summarise() said.
std::vector<Reason> reasons(const Task& task, const Explanation& why, std::span<const InputSummary> usual, const Rows& rows, std::uint32_t row, std::size_t most);

// The column's cell in the row, and what is usual of it: "weight 900 kg, usually 4 to 8". REQUIRES: a feature is made of the column.
std::string cell_text(const Task& task, std::uint32_t column, std::span<const InputSummary> usual, const Rows& rows, std::uint32_t row);

// A partner's own past examples, to find those like a new one. Keeps them in memory: [examples, inputs]. Their ids lie in the rows, which outlive it.
class Past {
public:
    // Those before the split; of more than most_past_numbers allow, the last ones.
    explicit Past(const ScoreRows& rows);

    struct Case {
        std::uint32_t row = 0;  // of the file, from 0: the last of its window
        Event event = Event::unknown;
        double distance = 0.0;  // Euclidean, of the scaled numbers
    };
    // The nearest first; of equally near ones the earlier row. The example itself may be among the past: the case of its id is left out, and
    // where one of the two has none, a case at distance 0.
    [[nodiscard]] std::vector<Case> nearest(std::span<const float> example, std::size_t count, std::string_view id) const;

private:
    std::size_t inputs_ = 1;
    std::vector<float> numbers_;
    std::vector<Case> cases_;
    std::vector<std::string_view> ids_;
};

inline constexpr std::uint64_t most_past_numbers = std::uint64_t{1} << 26;

}  // namespace entente::task
