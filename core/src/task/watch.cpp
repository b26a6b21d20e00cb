#include "entente/task/watch.hpp"

#include <algorithm>

namespace entente::task {
namespace {
constexpr std::size_t block_examples = 256;

template <class Chosen>
Result<Watch> watch_over(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows, Chosen chosen) {
    Watch w;
    w.statistics = examples.statistics();
    Seen seen;
    std::vector<std::uint32_t> last_rows;
    const std::size_t size = examples.inputs();
    std::vector<float> block;
    std::vector<double> sums(size);
    for (std::size_t first = 0; first < examples.size(); first += block.size() / size) {
        block.resize(std::min(block_examples, examples.size() - first) * size);
        examples.put(first, block);
        ENTENTE_ASSIGN(const std::vector<float> scores, predictor.scores(block));
        for (std::size_t k = 0; k < scores.size(); ++k) {
            const std::size_t e = first + k;
            if (!chosen(e)) continue;
            seen.scores.push_back(scores[k]);
            seen.events.push_back(examples.event(e));
            seen.times.push_back(examples.time(e));
            last_rows.push_back(examples.last_row(e));
            for (std::size_t i = 0; i < size; ++i) sums[i] += static_cast<double>(block[k * size + i]);
        }
    }
    if (last_rows.empty()) return Error{Code::invalid_argument, "alarm.too-few", "alarm: expected examples before the split to calibrate with, found none"};
    for (const double sum : sums) w.usual.push_back(static_cast<float>(sum / static_cast<double>(last_rows.size())));
    ENTENTE_ASSIGN(w.alarm, calibrate(task, seen));
    w.inputs = summarise(task, rows, last_rows);
    return w;
}

}  // namespace

Result<Watch> start_watch(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows, bool all) {
    return watch_over(task, predictor, examples, rows, [&](std::size_t e) { return all || examples.is_past(e); });
}

Result<Watch> start_watch_from(const Task& task, Predictor& predictor, const ScoreRows& examples, const Rows& rows, std::uint32_t row) {
    return watch_over(task, predictor, examples, rows, [&](std::size_t e) { return examples.last_row(e) >= row; });
}

}  // namespace entente::task
