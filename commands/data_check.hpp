// entente data check: what a task makes of a partner's file, before anything is trained.
#pragma once

#include <string>

#include "commands/task_files.hpp"
#include "entente/task/prepare.hpp"

namespace entente::commands {

struct DataCheckOptions {
    std::string task_file;
    std::string mapping_file;  // empty: headers are found by themselves
    std::string data_file;
    bool json = false;
};

// What stands in its first half, columns and what they are mapped to, and in its second, what is trained on and scored.
void print_table(const task::Task& task, const task::TableReport& report, const std::string& file, Environment& environment);
// What is not used, left out or taken as missing.
void print_remarks(const task::Task& task, const task::TableReport& report, Environment& environment);
void print_prepared(const task::Prepared& prepared, Environment& environment);

int check_data(const DataCheckOptions& options, Environment& environment);

}  // namespace entente::commands
