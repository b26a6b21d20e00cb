// Tasks and mappings as people write them. docs/tasks.md lists every key.
//
//   ENTENTE_ASSIGN(const task::Task late, read_task_toml(text, "examples/late-deliveries/task.toml"));
//   ENTENTE_ASSIGN(const task::Mapping mine, read_mapping_toml(text, "mine.toml", late));
#pragma once

#include <string_view>

#include "commands/toml_table.hpp"
#include "commands/toml_writer.hpp"
#include "entente/base/result.hpp"
#include "entente/task/mapping.hpp"
#include "entente/task/task.hpp"

namespace entente::commands {

// invalid_argument "task.toml", "task.unknown-key", "task.wrong-type", "task.out-of-range", and task::check's.
Result<task::Task> read_task_toml(std::string_view text, std::string_view file_name);

// The [model] of a file that holds nothing else, in place of the task's own. Errors as above.
Status replace_model_toml(std::string_view text, std::string_view file_name, task::Task& t);

// The keys of a task in a table of another file. Errors that the table keeps for its finish() come with that one; what
// task::check says is the caller's to ask.
Status read_task(TomlTable root, task::Task& t);
// The task without model and loss, as the table `section`.
void write_task(TomlWriter& w, const std::string& section, const task::Task& t);

// invalid_argument "mapping.toml", "mapping.unknown-key" (a column that the task does not have, too), ...
Result<task::Mapping> read_mapping_toml(std::string_view text, std::string_view file_name, const task::Task& task);

}  // namespace entente::commands
