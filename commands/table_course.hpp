// How a federation on tables came to its model: the common model's metrics after each round (of trees, after so many of them), and what
// crossed the border meanwhile. Of the first seed.
//
//   Course course;
//   ENTENTE_TRY(add_step(course, tables, 7, {parameters, {}}));     // round 7: scores the model
//   add_bytes(course, tables, plan, federation.rounds());
//   page += course_curves(course, tables, local_auc) + course_bytes(course, tables);
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/tables.hpp"
#include "connectors/memory/federation.hpp"

namespace entente::commands {

struct CourseStep {
    std::uint64_t at = 0;
    std::vector<TableScore> scores;  // score_tables: each partner, "all" last
    std::optional<double> loss;      // rows behind the split, mean
    std::optional<double> train_loss;
};

// Of all partners together, over the whole training.
struct Crossing {
    std::string what;  // "models", "updates", ...
    bool up = false;   // from a partner to the coordinator
    std::uint64_t bytes = 0;
};

struct Course {
    std::string_view counted = "round";  // what CourseStep::at counts
    std::vector<CourseStep> steps;
    std::vector<Crossing> crossed;
    std::string how;  // in which form the bytes were counted: a sentence
    // Of a network:
    std::optional<plan::Plan> plan;  // as it was carried out
    Digest model;                    // content
    std::vector<round::Entry> ledger;
};

// Errors of predict_tables.
Status add_step(Course& course, const Tables& tables, std::uint64_t at, TableModel model);

// A network's rounds, as they were sent; statistics as the plan's grid would carry them.
void add_bytes(Course& course, const Tables& tables, const plan::Plan& plan, const std::vector<memory::RoundResult>& rounds);
// The steps of a forest, at some twenty numbers of trees, and what partners answered while it grew: `answered` numbers each.
Status follow_trees(Course& course, const Tables& tables, const trees::Forest& forest, std::uint64_t answered);

// Curves, each round as a table, and the bytes by kind: HTML. `local` is what partners alone come to, of all their rows in the first metric.
std::string course_curves(const Course& course, const Tables& tables, std::optional<double> local);
std::string course_bytes(const Course& course, const Tables& tables);

// round,who,metric,value: every step and metric, and as "all" the losses.
std::string course_csv(const Course& course, const Tables& tables);

}  // namespace entente::commands
