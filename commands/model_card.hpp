// What somebody must know who is handed a model: where it comes from, how good it is, and under which terms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/task_card.hpp"
#include "entente/plan/plan.hpp"
#include "entente/round/journal.hpp"
#include "entente/task/score.hpp"

namespace entente::commands {

struct CardFacts {
    std::string federation;
    Digest plan;
    Digest model;                             // content digest
    const plan::Plan* terms = nullptr;        // with it: architecture, training, strategy
    std::optional<task::Score> score;         // on the evaluation data
    const std::vector<round::Entry>* ledger = nullptr;  // with it: rounds, rows counted, agreements
    const TaskFacts* task = nullptr;          // with it: what is asked of tables, their rows, scores of each partner
};

// Markdown. What is not known is not there, and the card says so.
std::string model_card(const CardFacts& facts);

}  // namespace entente::commands
