#include "commands/model_toml.hpp"

#include <limits>

namespace entente::commands {
namespace {

constexpr std::uint32_t any32 = std::numeric_limits<std::uint32_t>::max();

}  // namespace

std::vector<std::string_view> words(std::span<const std::string_view> names) { return {names.begin(), names.end()}; }

const std::vector<std::string_view>& model_names() {
    static const std::vector<std::string_view> names{"2nn", "cnn"};
    return names;
}

nn::ModelSpec named_model(std::size_t index) { return index == 0 ? nn::two_nn() : nn::mcmahan_cnn(); }

void read_model_toml(TomlTable task, nn::ModelSpec& model) {
    if (task.is_table("model")) {
        read_layers_toml(task.table("model"), model);
    } else {
        task.choice("model", model_names(), [&model](std::size_t index) { model = named_model(index); });
    }
}

void read_layers_toml(TomlTable table, nn::ModelSpec& model) {
    nn::ModelSpec own;
    table.numbers("input", own.input_shape);
    for (TomlTable& entry : table.tables("layers")) {
        nn::LayerSpec layer;
        entry.choice("kind", words(nn::layer_kind_names()),
                     [&layer](std::size_t index) { layer.kind = static_cast<nn::LayerKind>(index + 1); });
        entry.text("name", layer.name);
        entry.number<std::uint32_t>("units", layer.units, 0, any32);
        entry.number<std::uint32_t>("kernel", layer.kernel, 0, any32);
        entry.boolean("same_padding", layer.same_padding);
        entry.number<std::uint32_t>("pool", layer.pool, 0, any32);
        entry.number<std::uint32_t>("stride", layer.stride, 0, any32);
        entry.number<std::uint32_t>("groups", layer.groups, 0, any32);
        entry.real("rate", layer.rate);
        entry.number<std::uint32_t>("vocabulary", layer.vocabulary, 0, any32);
        entry.boolean("sequences", layer.sequences);
        entry.number<std::uint32_t>("skip", layer.skip, 0, any32);
        own.layers.push_back(std::move(layer));
    }
    model = std::move(own);
}

void read_loss_toml(TomlTable table, nn::LossSpec& loss) {
    table.choice("kind", words(nn::loss_kind_names()),
                 [&loss](std::size_t index) { loss.kind = static_cast<nn::LossKind>(index + 1); });
    table.reals("class_weights", loss.class_weights);
    table.real("delta", loss.delta);
    table.real("quantile", loss.quantile);
}

}  // namespace entente::commands
