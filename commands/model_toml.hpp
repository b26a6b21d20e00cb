// The keys of a model and of a loss, the same in a plan and in a task.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "commands/toml_table.hpp"
#include "entente/nn/loss.hpp"
#include "entente/nn/model_spec.hpp"

namespace entente::commands {

// The names of an enumeration whose first value is 1.
std::vector<std::string_view> words(std::span<const std::string_view> names);

const std::vector<std::string_view>& model_names();
nn::ModelSpec named_model(std::size_t index);  // REQUIRES: index < model_names().size()

// `task.model`: one of model_names(), or a table.
void read_model_toml(TomlTable task, nn::ModelSpec& model);
// The table of one: input and layers.
void read_layers_toml(TomlTable table, nn::ModelSpec& model);
void read_loss_toml(TomlTable table, nn::LossSpec& loss);

}  // namespace entente::commands
