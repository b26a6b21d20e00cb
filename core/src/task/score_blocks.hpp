// Scores of a file's examples, of which only so many are in memory at once.
#pragma once

#include <algorithm>

#include "entente/task/predictor.hpp"
#include "entente/task/score_rows.hpp"

namespace entente::task {

// on_score(example, score, its numbers), in their order.
template <class OnScore>
Status score_in_blocks(Predictor& predictor, const ScoreRows& examples, OnScore on_score) {
    constexpr std::size_t block_examples = 256;
    const std::size_t size = examples.inputs();
    std::vector<float> block;
    for (std::size_t first = 0; first < examples.size(); first += block_examples) {
        block.resize(std::min(block_examples, examples.size() - first) * size);
        examples.put(first, block);
        ENTENTE_ASSIGN(const std::vector<float> scores, predictor.scores(block));
        for (std::size_t k = 0; k < scores.size(); ++k) on_score(first + k, scores[k], std::span<const float>(block).subspan(k * size, size));
    }
    return done();
}

}  // namespace entente::task
