// What a model card says of a task on tables: what is asked, which rows, how good it is for whom.
//
//   const TaskFacts facts = task_facts(tables, trainings);   // of a simulation
//   ENTENTE_TRY(read_given(lines, facts));                   // or of a federation: the last lines of its partners' `entente join --json`
//   card += task_section(facts);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "commands/table_outcome.hpp"

namespace entente::commands {

struct CardPartner {
    std::string who;
    std::string data;  // digest, hexadecimal; empty: not given
    std::uint64_t train = 0;
    std::uint64_t test = 0;
};

// Of one metric: a text for each training.
struct CardScores {
    std::string metric;
    std::vector<std::string> trainings;
    std::vector<std::pair<std::string, std::vector<std::string>>> rows;  // who, and its texts
};

struct TaskFacts {
    task::Task task;
    std::vector<CardPartner> partners;
    std::vector<CardScores> scores;
    std::string how;  // a sentence behind the scores
};

TaskFacts task_facts(const Tables& tables, const std::vector<Training>& trainings);

// One JSON object a line. invalid_argument "card.given" with the line; "json.malformed".
Status read_given(std::string_view lines, TaskFacts& facts);

// Markdown.
std::string task_section(const TaskFacts& facts);

}  // namespace entente::commands
