// What a simulation on tables came to, as one HTML page that opens from a disk without a network.
#pragma once

#include <string>
#include <vector>

#include "commands/table_course.hpp"
#include "commands/table_outcome.hpp"

namespace entente::commands {

// `federated` are the first seed's predictions of the common model: how well its probabilities are met, and what its alarms hit. `importance` may be
// empty.
std::string table_report(const Tables& tables, const std::vector<Training>& trainings, const Course& course, const std::vector<task::Predictions>& federated,
                         const std::vector<double>& importance);

}  // namespace entente::commands
