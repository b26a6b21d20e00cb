#include "commands/plan_toml.hpp"

#include <limits>

#include "commands/model_toml.hpp"
#include "commands/policy_toml.hpp"
#include "commands/task_toml.hpp"
#include "commands/toml_table.hpp"
#include "commands/toml_writer.hpp"

namespace entente::commands {
namespace {

constexpr std::uint32_t any32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t any64 = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

void read_training(TomlTable table, plan::TrainingTerms& t) {
    table.number<std::uint32_t>("epochs", t.epochs, 1, any32);
    table.number<std::uint32_t>("batch", t.batch, 1, any32);
    table.number<std::uint32_t>("slices", t.slices, 1, any32);
    table.real("learning_rate", t.learning_rate);
    table.choice("optimiser", words(nn::optimiser_names()),
                 [&t](std::size_t index) { t.optimiser = static_cast<nn::Optimiser>(index + 1); });
    table.real("momentum", t.momentum);
    table.boolean("nesterov", t.nesterov);
    table.real("beta1", t.beta1);
    table.real("beta2", t.beta2);
    table.real("epsilon", t.epsilon);
    table.real("weight_decay", t.weight_decay);
    table.real("clip_norm", t.clip_norm);
    table.choice("schedule", words(nn::schedule_kind_names()),
                 [&t](std::size_t index) { t.schedule.kind = static_cast<nn::ScheduleKind>(index + 1); });
    table.number<std::uint32_t>("warmup_rounds", t.schedule.warmup_rounds, 0, any32);
    table.number<std::uint32_t>("step_rounds", t.schedule.step_rounds, 1, any32);
    table.real("step_factor", t.schedule.step_factor);
    table.real("cosine_floor", t.schedule.floor);
    table.real("proximal_mu", t.proximal_mu);
    table.number<std::uint64_t>("seed", t.seed, 0, any64);
}

void write_model(TomlWriter& w, const nn::ModelSpec& model) {
    for (std::size_t i = 0; i < model_names().size(); ++i) {
        if (named_model(i) == model) return w.text("model", model_names()[i]);
    }
    w.section("task.model");
    std::string input;
    for (const std::uint32_t n : model.input_shape) input += (input.empty() ? "" : ", ") + std::to_string(n);
    w.line("input", "[" + input + "]");
    for (const nn::LayerSpec& layer : model.layers) {
        w.section("[task.model.layers]");
        w.text("kind", nn::to_string(layer.kind));
        if (!layer.name.empty()) w.text("name", layer.name);
        if (layer.units > 0) w.whole("units", layer.units);
        if (layer.kernel > 0) w.whole("kernel", layer.kernel);
        if (layer.same_padding) w.line("same_padding", "true");
        if (layer.pool > 0) w.whole("pool", layer.pool);
        if (layer.stride != 1) w.whole("stride", layer.stride);
        if (layer.groups > 0) w.whole("groups", layer.groups);
        if (layer.rate > 0.0f) w.number("rate", layer.rate);
        if (layer.vocabulary > 0) w.whole("vocabulary", layer.vocabulary);
        if (layer.sequences) w.line("sequences", "true");
        if (layer.skip > 0) w.whole("skip", layer.skip);
    }
}

void write_schedule(TomlWriter& w, const nn::Schedule& s) {
    w.text("schedule", nn::to_string(s.kind));
    w.whole("warmup_rounds", s.warmup_rounds);
    if (s.kind == nn::ScheduleKind::step) {
        w.whole("step_rounds", s.step_rounds);
        w.number("step_factor", s.step_factor);
    }
    if (s.kind == nn::ScheduleKind::cosine) w.number("cosine_floor", s.floor);
}

void write_loss(TomlWriter& w, const nn::LossSpec& loss) {
    w.section("task.loss");
    w.text("kind", nn::to_string(loss.kind));
    std::string weights;
    for (const float weight : loss.class_weights) weights += (weights.empty() ? "" : ", ") + toml_real(weight);
    if (!weights.empty()) w.line("class_weights", "[" + weights + "]");
    if (loss.kind == nn::LossKind::huber) w.number("delta", loss.delta);
    if (loss.kind == nn::LossKind::quantile) w.number("quantile", loss.quantile);
}

// The task on tables, from a file of its own or written into the plan.
Result<std::optional<task::Task>> read_table(TomlTable& task, const ReadTask& read_task_file) {
    std::string file;
    task.text("file", file);
    const bool inside = task.is_table("table");
    if (file.empty() && !inside) return std::optional<task::Task>();
    if (inside && !file.empty()) return task.error_at("file", "task", "expected the task in a file or in [task.table], found both");
    std::string kind = "table";
    task.text("kind", kind);
    if (kind != "table") return task.error_at("kind", "task", "expected \"table\" with a task on tables, found \"" + kind + "\"");
    if (inside) {
        task::Task table;
        ENTENTE_TRY(read_task(task.table("table"), table));
        return std::optional(std::move(table));
    }
    if (!read_task_file) return task.error_at("file", "task", "expected the task in [task.table]: there is no file beside this plan");
    ENTENTE_ASSIGN(task::Task table, read_task_file(file));
    return std::optional(std::move(table));
}

}  // namespace

Result<plan::Plan> read_plan_toml(std::string_view text, std::string_view file_name, const ReadTask& read_task_file) {
    ENTENTE_ASSIGN(TomlTable root, parse_toml(text, file_name, "plan"));
    plan::Plan p = plan::default_digits_plan();
    // A strategy's name decides the defaults of the keys that follow; an unknown one is reported by the plan's check.
    TomlTable aggregation = root.table("aggregation");
    aggregation.text("strategy", p.aggregation.strategy.name);
    static_cast<void>(plan::use_strategy(p, std::string(p.aggregation.strategy.name)));
    root.text("numerics", p.numerics);

    TomlTable federation = root.table("federation");
    federation.text("id", p.federation.id);
    federation.text("name", p.federation.name);
    federation.text("operator", p.federation.operator_name);
    federation.text("coordinator", p.federation.coordinator);
    federation.text("purpose", p.federation.purpose);

    TomlTable task = root.table("task");
    task.text("kind", p.task.kind);
    task.number<std::uint32_t>("classes", p.task.classes, 2, any32);
    read_model_toml(task, p.task.model);
    read_loss_toml(task.table("loss"), p.task.loss);
    ENTENTE_ASSIGN(std::optional<task::Task> table, read_table(task, read_task_file));

    read_training(root.table("training"), p.training);

    for (const aggregate::StrategyKey& key : aggregate::strategy_keys()) {
        aggregation.real(key.name, p.aggregation.strategy.*key.member);
    }
    aggregation.choice("weighting", {"examples", "uniform"}, [&p](std::size_t index) {
        p.aggregation.weighting = static_cast<plan::Weighting>(index);
    });
    aggregation.number<std::uint64_t>("max_weight", p.aggregation.max_weight, 1, any64);
    aggregation.number<std::uint32_t>("max_participants", p.aggregation.max_participants, 1, any32);
    aggregation.number<std::uint8_t>("bits", p.aggregation.grid.bits, 1, 255);
    aggregation.number<std::uint8_t>("scale_log2", p.aggregation.grid.scale_log2, 0, 255);
    // So few bits want an exponent for each block, unless the plan says 0.
    if (p.aggregation.grid.bits <= 8) p.aggregation.grid.block = 256;
    aggregation.number<std::uint16_t>("block", p.aggregation.grid.block, 0, 65535);
    aggregation.real("top", p.aggregation.top);

    TomlTable round = root.table("round");
    round.number<std::uint32_t>("rounds", p.round.rounds, 1, any32);
    round.number<std::uint32_t>("min_cohort", p.round.min_cohort, 1, any32);
    round.number<std::uint32_t>("goal", p.round.goal, 0, any32);
    round.real("fraction", p.round.fraction);
    round.real("over_selection", p.round.over_selection);
    round.number<std::uint32_t>("max_staleness", p.round.max_staleness, 0, any32);
    round.real("staleness_exponent", p.round.staleness_exponent);
    round.number<std::uint32_t>("witnesses", p.round.witnesses, 0, any32);
    round.number<std::uint32_t>("deadline_s", p.round.deadline_s, 1, any32);
    round.number<std::uint32_t>("presence_s", p.round.presence_s, 1, any32);

    // [contract] is the table's former name.
    read_policy(root.table(root.has("contract") ? "contract" : "policy"), p.contract);

    ENTENTE_TRY(root.finish());
    if (table) {
        if (task.has("model")) table->model = p.task.model;
        if (task.has("loss")) table->loss = p.task.loss;
        plan::use_task(p, std::move(*table));
        task.number<std::uint32_t>("classes", p.task.classes, 2, any32);
    }
    if (auto checked = plan::check(p); !checked.ok()) {
        Error error = checked.error();
        error.message = std::string(file_name) + ": " + error.message;
        return error;
    }
    return p;
}

std::string write_plan_toml(const plan::Plan& p) {
    TomlWriter w;
    w.text("numerics", p.numerics);
    w.section("federation");
    w.text("id", p.federation.id);
    w.text("name", p.federation.name);
    w.text("operator", p.federation.operator_name);
    w.text("coordinator", p.federation.coordinator);
    w.text("purpose", p.federation.purpose);
    w.section("training");
    w.whole("epochs", p.training.epochs);
    w.whole("batch", p.training.batch);
    w.whole("slices", p.training.slices);
    w.number("learning_rate", p.training.learning_rate);
    w.text("optimiser", nn::to_string(p.training.optimiser));
    if (p.training.optimiser == nn::Optimiser::sgd) {
        w.number("momentum", p.training.momentum);
        w.line("nesterov", p.training.nesterov ? "true" : "false");
    } else {
        w.number("beta1", p.training.beta1);
        w.number("beta2", p.training.beta2);
        w.number("epsilon", p.training.epsilon);
    }
    w.number("weight_decay", p.training.weight_decay);
    w.number("clip_norm", p.training.clip_norm);
    write_schedule(w, p.training.schedule);
    w.number("proximal_mu", p.training.proximal_mu);
    w.whole("seed", p.training.seed);
    w.section("aggregation");
    w.text("strategy", p.aggregation.strategy.name);
    for (const aggregate::StrategyKey& key : aggregate::strategy_keys()) {
        const aggregate::StrategyTerms& terms = p.aggregation.strategy;
        if (aggregate::uses(terms.name, key)) w.number(std::string(key.name).c_str(), terms.*key.member);
    }
    w.text("weighting", p.aggregation.weighting == plan::Weighting::examples ? "examples" : "uniform");
    w.whole("max_weight", p.aggregation.max_weight);
    w.whole("max_participants", p.aggregation.max_participants);
    w.whole("bits", p.aggregation.grid.bits);
    w.whole("scale_log2", p.aggregation.grid.scale_log2);
    w.whole("block", p.aggregation.grid.block);
    w.number("top", p.aggregation.top);
    w.section("round");
    w.whole("rounds", p.round.rounds);
    w.whole("min_cohort", p.round.min_cohort);
    w.whole("goal", p.round.goal);
    w.number("fraction", p.round.fraction);
    w.number("over_selection", p.round.over_selection);
    w.whole("max_staleness", p.round.max_staleness);
    w.number("staleness_exponent", p.round.staleness_exponent);
    w.whole("witnesses", p.round.witnesses);
    w.whole("deadline_s", p.round.deadline_s);
    w.whole("presence_s", p.round.presence_s);
    w.section("policy");
    for (const auto& [key, value] : policy_lines(p.contract)) w.line(key, value);
    w.section("task");
    w.text("kind", p.task.kind);
    w.whole("classes", p.task.classes);
    write_model(w, p.task.model);
    write_loss(w, p.task.loss);
    if (p.task.table) write_task(w, "task.table", *p.task.table);
    return w.take();
}

}  // namespace entente::commands
