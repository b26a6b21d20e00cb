// entente simulate: a whole federation in this process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "commands/deal.hpp"
#include "commands/environment.hpp"
#include "commands/tables.hpp"

namespace entente::commands {

struct SimulateOptions {
    std::string plan_file;      // empty: the default plan
    std::string data_folder;    // four IDX files
    TablesOptions tables;       // or a task on tables, commands/simulate_tables.hpp
    DealOptions deal;
    std::optional<std::uint32_t> rounds;
    std::vector<std::uint64_t> seeds;   // instead of the plan's; several: a run for each
    std::uint32_t seed_count = 0;       // so many seeds from the first on; 0: those that are named
    std::vector<std::string> sweep;     // commands/sweep.hpp
    unsigned threads = 0;       // 0: all there are; no bit depends on it
    std::optional<double> sample;  // the plan's round.fraction, McMahan's C
    std::uint32_t evaluate_every = 1;
    std::optional<std::uint64_t> shuffle_arrivals;
    bool alone = false;
    std::uint32_t fine_tune = 0;  // tables: epochs that each partner goes on by itself
    bool check_everything = false;
    bool json = false;
    bool quiet = false;
    bool resume = false;     // from the checkpoint that an interrupted run left
    std::uint32_t checkpoint_every_s = 60;  // 0: after each round
    std::string out;         // folder for everything that a run leaves
    std::string save_model;  // safetensors
    std::string save_ledger;
};

int simulate(const SimulateOptions& options, Environment& environment);

}  // namespace entente::commands
