// entente data check: what a task makes of a partner's file, before anything is trained.
#pragma once

#include <string>

#include "commands/environment.hpp"
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
void print_prepared(const task::Prepared& prepared, Environment& environment);

int check_data(const DataCheckOptions& options, Environment& environment);

// The three files, read. Errors of read_file, read_task_toml, read_mapping_toml and task::RowReader.
Result<task::Task> read_task_file(const std::string& path, Environment& environment);
// With the [model] of `model_path` in place of its own, if that is not empty.
Result<task::Task> read_task_file(const std::string& path, const std::string& model_path, Environment& environment);
Result<task::Mapping> read_mapping_file(const std::string& path, const task::Task& task, Environment& environment);
Result<task::Rows> read_rows_file(const std::string& path, const task::Task& task, const task::Mapping& mapping, Environment& environment);

}  // namespace entente::commands
