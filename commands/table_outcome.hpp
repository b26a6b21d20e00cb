// What trainings on tables came to over several seeds, and who gains or loses by joining.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/tables.hpp"

namespace entente::commands {

// One way to train, with each seed; each seed has the same partners.
struct Training {
    std::string name;  // "local", "federated", ...
    std::vector<std::vector<TableScore>> seeds;
};

// Of task.metrics.
std::string_view metric_name(const Tables& tables, std::size_t metric);
// A metric's value: "0.812", "31.4"; without one a dash.
std::string value_text(std::optional<double> value);
// In quotes.
std::string csv_text(const std::string& text);

struct Spread {
    double mean = 0.0;
    double error = 0.0;     // standard error of the mean; 0 with one seed
    double interval = 0.0;  // half of the 95 % interval (Student's t); 0 with one seed
};

std::string spread_text(const std::optional<Spread>& spread);  // "0.820 ± 0.005"
const Training* find_training(const std::vector<Training>& trainings, std::string_view name);  // null: there is none

// Nothing where a value is missing or there are none.
std::optional<Spread> spread_of(const std::vector<std::optional<double>>& values);
std::optional<Spread> spread_of(const Training& training, std::size_t who, std::size_t metric);

// What a partner gains by one training instead of another, in the task's first metric and so that more is better: differences seed by seed.
struct Gain {
    std::string who;
    std::optional<Spread> spread;
    int verdict = 0;  // 1 gains, -1 loses, 0: the interval holds 0, or nothing is known. With one seed the sign alone
};

std::vector<Gain> gains_of(const Tables& tables, const Training& from, const Training& to);

// "8 of 13 partners gain; 1 loses: Zambia."
std::string joining_sentence(const Tables& tables, const std::vector<Gain>& gains);

// A table for each metric, partners as rows.
void print_scores(const Tables& tables, const std::vector<Training>& trainings, Environment& environment);
// Who gains and who loses by joining, and with the partner's own last epochs, where there are such.
void print_gains(const Tables& tables, const std::vector<Training>& trainings, Environment& environment);

std::string outcome_json(const Tables& tables, const std::vector<Training>& trainings, const std::vector<double>& importance);
// training,seed,who,examples,metric,value and who,instead_of,training,metric,mean,low,high,verdict
std::string scores_csv(const Tables& tables, const std::vector<Training>& trainings, const std::vector<std::uint64_t>& seeds);
std::string gains_csv(const Tables& tables, const std::vector<Training>& trainings);

}  // namespace entente::commands
