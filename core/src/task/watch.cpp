#include "entente/task/watch.hpp"

#include "task/score_blocks.hpp"

namespace entente::task {
namespace {

template <class Chosen>
Result<Watch> watch_over(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows, Chosen chosen) {
    Watch w;
    w.statistics = examples.statistics();
    Seen seen;
    std::vector<std::uint32_t> last_rows;
    std::vector<double> sums(examples.inputs());
    ENTENTE_TRY(score_in_blocks(predictor, examples, [&](std::size_t e, float score, std::span<const float> numbers) {
        if (!chosen(e)) return;
        seen.scores.push_back(score);
        seen.events.push_back(examples.event(e));
        seen.times.push_back(examples.time(e));
        last_rows.push_back(examples.last_row(e));
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(numbers[i]);
    }));
    if (last_rows.empty()) return Error{Code::invalid_argument, "alarm.too-few", "alarm: expected examples before the split to calibrate with, found none"};
    for (const double sum : sums) w.usual.push_back(static_cast<float>(sum / static_cast<double>(last_rows.size())));
    ENTENTE_ASSIGN(w.alarm, calibrate(task, seen));
    w.inputs = summarise(task, rows, last_rows);
    return w;
}

}  // namespace

Result<Watch> start_watch(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows) {
    return watch_over(task, predictor, examples, rows, [&](std::size_t e) { return examples.is_past(e); });
}

Result<Watch> start_watch_from(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows, std::uint32_t row) {
    return watch_over(task, predictor, examples, rows, [&](std::size_t e) { return examples.last_row(e) >= row; });
}

}  // namespace entente::task
