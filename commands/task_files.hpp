// A task, a mapping and a table from their files.
#pragma once

#include <string>

#include "commands/environment.hpp"
#include "entente/task/rows.hpp"

namespace entente::commands {

// Errors of read_file, read_task_toml, read_mapping_toml and task::RowReader. Without a path the mapping is empty: headers are
// found by themselves.
Result<task::Task> read_task_file(const std::string& path, Environment& environment);
// With the [model] of `model_path` in place of its own, if that is not empty.
Result<task::Task> read_task_file(const std::string& path, const std::string& model_path, Environment& environment);
Result<task::Mapping> read_mapping_file(const std::string& path, const task::Task& task, Environment& environment);
Result<task::Rows> read_rows_file(const std::string& path, const task::Task& task, const task::Mapping& mapping, Environment& environment);

}  // namespace entente::commands
