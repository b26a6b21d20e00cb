// Partners who bring tables: their files read by one task, and what a model is worth to each of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "commands/environment.hpp"
#include "entente/data/examples.hpp"
#include "entente/data/partition.hpp"
#include "entente/task/metrics.hpp"
#include "entente/task/predictions.hpp"
#include "entente/task/prepare.hpp"
#include "entente/trees/forest.hpp"

namespace entente::commands {

struct TablesOptions {
    std::string task_file;             // empty: no tables
    std::string model_file;            // empty: the task's own model
    std::string mapping_file;          // the same for all
    std::vector<std::string> files;    // one a partner
    std::string by;                    // or one file, dealt by this column: the most frequent values a partner each, the rest one more
    std::uint32_t partners = 0;        // with by: so many, the rest included
};

struct Tables {
    task::Task task;
    std::vector<std::string> names;        // of the partners
    std::vector<Digest> digests;           // of their rows: digest_of_rows
    std::vector<task::Prepared> partners;  // scaled by themselves or by everybody, as the task says
    std::vector<task::Prepared> by_row;    // label.kind none: the same rows without windows, each partner scaled by itself
    data::Examples train;                  // of all, one partner behind the other
    data::Examples test;
    data::Partition shares;                // of train
};

// What was trained: a network's parameters, or trees.
struct TableModel {
    std::vector<float> parameters;
    std::optional<trees::Forest> forest;
};

// Errors of the readers and of task::prepare, each naming the partner; "usage.tables".
Result<Tables> read_tables(const TablesOptions& options, Environment& environment);

// What the task's metrics are of one partner's rows, in the order of task.metrics.
struct TableScore {
    std::string who;
    std::uint64_t examples = 0;
    std::vector<std::optional<double>> metrics;
};

// Of each partner, in their order. The model is everybody's, or there is one for each partner.
Result<std::vector<task::Predictions>> predict_tables(const Tables& tables, std::span<const TableModel> models);
// What needs no model: task::constant_prediction.
std::vector<task::Predictions> predict_constant(const Tables& tables);

// A control chart of each partner's own rows (entente/task/control_chart.hpp): T² alone, against twice its limit, or T² and Q. REQUIRES: tables.by_row.
Result<std::vector<task::Predictions>> predict_control(const Tables& tables, bool with_q);

// Each partner with rows to score, and last all of their rows together ("all").
std::vector<TableScore> score_tables(const Tables& tables, const std::vector<task::Predictions>& predictions);

}  // namespace entente::commands
