#include "entente/plan/plan.hpp"

#include <algorithm>
#include <cmath>

#include "entente/aggregate/local_work.hpp"
#include "entente/base/decimal.hpp"
#include "entente/codec/archive.hpp"
#include "entente/codec/merkle.hpp"
#include "entente/contract/contract.hpp"
#include "entente/nn/initialise.hpp"
#include "entente/nn/model.hpp"
#include "entente/task/sums.hpp"
#include "entente/tensor/kernels.hpp"
#include "checks.hpp"
#include "serial.hpp"

namespace entente::plan {

#if defined(__wasm__)
extern const Tables linked_tables __attribute__((weak));
#else
extern const Tables linked_tables;
#endif
const Tables* tables() noexcept { return &linked_tables; }

namespace {

constexpr const char* no_tables = "plan.no-tables";

Status check_text(const char* key, const std::string& text, std::size_t limit) {
    if (text.size() <= limit) return done();
    return refuse("plan.text", std::string(key) + ": expected at most " + std::to_string(limit) + " bytes, found " +
                                   std::to_string(text.size()));
}

Status check_rounds(const RoundTerms& r, std::uint32_t max_participants) {
    ENTENTE_TRY(in_range<std::uint32_t>("round.rounds", r.rounds, 1, 1'000'000));
    ENTENTE_TRY(in_range<std::uint32_t>("round.min_cohort", r.min_cohort, 1, max_participants));
    ENTENTE_TRY(in_range<std::uint32_t>("round.goal", r.goal, 0, max_participants));
    ENTENTE_TRY(in_range<std::uint32_t>("round.deadline_s", r.deadline_s, 1, 30 * 86'400));
    ENTENTE_TRY(in_range<std::uint32_t>("round.presence_s", r.presence_s, 1, 30 * 86'400));
    const auto finite = [](float v, float low, float high) { return std::isfinite(v) && v >= low && v <= high; };
    if (!finite(r.fraction, 1e-6f, 1)) return refuse("plan.range", "round.fraction: expected 0.000001 to 1");
    if (!finite(r.over_selection, 1, 10)) return refuse("plan.range", "round.over_selection: expected 1 to 10");
    ENTENTE_TRY(in_range<std::uint32_t>("round.witnesses", r.witnesses, 0, 100'000));
    ENTENTE_TRY(in_range<std::uint32_t>("round.max_staleness", r.max_staleness, 0, 100));
    if (!finite(r.staleness_exponent, 0, 10)) return refuse("plan.range", "round.staleness_exponent: expected 0 to 10");
    if (r.goal != 0 && r.goal < r.min_cohort) {
        return refuse("plan.range", "round.goal: expected 0 or at least round.min_cohort, found " + std::to_string(r.goal));
    }
    return done();
}

Status check_training(const TrainingTerms& t) {
    ENTENTE_TRY(in_range<std::uint32_t>("training.epochs", t.epochs, 1, 10'000));
    ENTENTE_TRY(in_range<std::uint32_t>("training.batch", t.batch, 1, 65'536));
    ENTENTE_TRY(in_range<std::uint32_t>("training.slices", t.slices, 1, std::min(nn::max_slices, t.batch)));
    const auto finite = [](float v, float low, float high) { return std::isfinite(v) && v >= low && v <= high; };
    if (!finite(t.learning_rate, 1e-9f, 1e3f)) return refuse("plan.range", "training.learning_rate: expected 1e-9 to 1000");
    if (!finite(t.momentum, 0, 0.9999f)) return refuse("plan.range", "training.momentum: expected 0 to 0.9999");
    if (nn::to_string(t.optimiser) == "unknown") return refuse("plan.range", "training.optimiser: expected a known one");
    if (t.optimiser == nn::Optimiser::sgd) {
        const TrainingTerms defaults;
        if (t.beta1 != defaults.beta1 || t.beta2 != defaults.beta2 || t.epsilon != defaults.epsilon) {
            return refuse("plan.range", "training.beta1, beta2, epsilon: expected only with the optimiser adam or adamw, found with sgd");
        }
        if (t.nesterov && t.momentum == 0) return refuse("plan.range", "training.nesterov: expected a momentum above 0 with it, found 0");
    } else if (t.momentum != 0 || t.nesterov) {
        return refuse("plan.range", "training.momentum, nesterov: expected only with the optimiser sgd, found with " +
                                        std::string(nn::to_string(t.optimiser)));
    }
    if (!finite(t.beta1, 0, 0.9999f)) return refuse("plan.range", "training.beta1: expected 0 to 0.9999");
    if (!finite(t.beta2, 0, 0.99999f)) return refuse("plan.range", "training.beta2: expected 0 to 0.99999");
    if (!finite(t.epsilon, 1e-12f, 1)) return refuse("plan.range", "training.epsilon: expected 1e-12 to 1");
    if (!finite(t.clip_norm, 0, 1e6f)) return refuse("plan.range", "training.clip_norm: expected 0 (off) to 1e6");
    if (auto schedule = nn::check(t.schedule); !schedule.ok()) return refuse("plan.range", "training." + schedule.error().message);
    if (!finite(t.weight_decay, 0, 1)) return refuse("plan.range", "training.weight_decay: expected 0 to 1");
    if (!finite(t.proximal_mu, 0, 1e3f)) return refuse("plan.range", "training.proximal_mu: expected 0 to 1000");
    return done();
}

// One output stands for two classes under binary cross-entropy, otherwise for a number.
Status check_outputs(const TaskTerms& task) {
    ENTENTE_ASSIGN(const std::uint32_t outputs, nn::output_count(task.model));
    if (auto loss = nn::check(task.loss, outputs); !loss.ok()) return refuse("plan.loss", "task." + loss.error().message);
    const bool binary = task.loss.kind == nn::LossKind::binary_cross_entropy;
    const std::uint32_t classes = outputs > 1 ? outputs : (binary ? 2 : task.classes);
    if (classes == task.classes) return in_range<std::uint32_t>("task.classes", classes, 2, 1u << 24);
    return refuse("plan.model", "task.classes: expected " + std::to_string(classes) + " for the model's " +
                                    std::to_string(outputs) + " outputs, found " + std::to_string(task.classes));
}

// What a strategy's equations presume of the local training and of the round.
Status check_presumed(const Plan& plan) {
    const std::string& name = plan.aggregation.strategy.name;
    const aggregate::StrategyTraits traits = aggregate::traits_of(name);
    if (traits.normalised && plan.training.momentum > 0 && plan.training.proximal_mu > 0) {
        return refuse("plan.strategy", "aggregation.strategy: " + name +
                                           " expects training.momentum or training.proximal_mu to be 0, found both");
    }
    if (traits.normalised && (plan.training.optimiser != nn::Optimiser::sgd || plan.training.nesterov)) {
        return refuse("plan.strategy", "training.optimiser: expected sgd without nesterov with " + name +
                                           ", whose weights of the gradients are known for that alone");
    }
    if (traits.normalised && plan.training.learning_rate * plan.training.proximal_mu >= 1) {
        return refuse("plan.strategy", "training.proximal_mu: " + name + " expects it below 1 / training.learning_rate");
    }
    if (traits.normalised && plan.round.max_staleness > 0) {
        return refuse("plan.strategy", "round.max_staleness: expected 0 with " + name + ", found " +
                                           std::to_string(plan.round.max_staleness));
    }
    if (traits.control && (plan.training.momentum > 0 || plan.training.optimiser != nn::Optimiser::sgd)) {
        return refuse("plan.strategy", "training.optimiser: expected sgd with training.momentum 0 with " + name +
                                           ", whose control variates presume plain steps (K eta_l)");
    }
    if (traits.control && plan.round.max_staleness > 0) {
        return refuse("plan.strategy", "round.max_staleness: expected 0 with " + name +
                                           ", because a participant's state must know what was counted");
    }
    if (traits.max_staleness > 0 && (plan.round.max_staleness == 0 || plan.round.goal == 0)) {
        return refuse("plan.strategy", "aggregation.strategy: " + name +
                                           " expects round.goal (the size of its buffer) and round.max_staleness above 0");
    }
    return done();
}

Status check_sparse(const Plan& plan) {
    const float top = plan.aggregation.top;
    if (!(std::isfinite(top) && (top == 0 || (top >= 1e-6f && top <= 0.5f)))) {
        return refuse("plan.range", "aggregation.top: expected 0 (everything is sent) or 0.000001 to 0.5, found " +
                                        decimal(top));
    }
    if (top > 0 && aggregate::traits_of(plan.aggregation.strategy.name).control) {
        return refuse("plan.strategy", "aggregation.top: expected 0 with " + plan.aggregation.strategy.name +
                                           ", whose control variates are the mean of those that were sent whole");
    }
    return done();
}

Digest digest_of_bytes(const Bytes& bytes) { return codec::merkle_root(bytes); }

codec::FrameLimits limits(std::uint64_t content, codec::FrameKind kind, codec::Encoding encoding) {
    codec::FrameLimits l;
    l.content_bytes = content;
    l.payload_bytes = codec::payload_bound(content);
    l.kind = kind;
    l.encoding = encoding;
    return l;
}

}  // namespace

Plan default_digits_plan() {
    Plan plan;
    plan.federation.purpose = "Reading handwritten digits, as a demonstration.";
    plan.task.model = nn::two_nn();
    return plan;
}

Status check(const Plan& plan) {
    ENTENTE_TRY(contract::check_id(plan.federation.id));
    ENTENTE_TRY(contract::check_id(plan.federation.coordinator));
    ENTENTE_TRY(check_text("federation.name", plan.federation.name, 200));
    ENTENTE_TRY(check_text("federation.operator", plan.federation.operator_name, 200));
    ENTENTE_TRY(check_text("federation.purpose", plan.federation.purpose, 2000));
    if (plan.task.kind != "digits" && plan.task.kind != "table") {
        return refuse("plan.task", "task.kind: expected digits or table, found \"" + plan.task.kind + "\"");
    }
    if ((plan.task.kind == "table") != plan.task.table.has_value()) {
        return refuse("plan.task", plan.task.table ? "task.table: expected only with the kind \"table\"" : "task.table: expected the task whose rows partners bring, found none");
    }
    if (plan.task.table) {
        if (tables() == nullptr) return refuse(no_tables, "plan: this program reads no tasks on tables");
        ENTENTE_TRY(tables()->check(plan));
    }
    if (plan.numerics != "portable" && plan.numerics != "fused") {
        return refuse("plan.numerics", "numerics: expected portable or fused, found \"" + plan.numerics + "\"");
    }
    ENTENTE_ASSIGN(const nn::Layout layout, nn::infer_layout(plan.task.model));
    ENTENTE_TRY(nn::Model::workspace(plan.task.model, 1));
    ENTENTE_TRY(check_outputs(plan.task));
    ENTENTE_TRY(check_training(plan.training));
    ENTENTE_TRY(aggregate::check(fold_bounds(plan)));
    ENTENTE_TRY(aggregate::check(plan.aggregation.strategy));
    ENTENTE_TRY(check_presumed(plan));
    ENTENTE_TRY(check_sparse(plan));
    ENTENTE_TRY(check_rounds(plan.round, plan.aggregation.max_participants));
    return check_contract(plan);
}

Status check_machine(const Plan& plan) {
    if (plan.numerics != "fused" || kernels::find(kernels::Numerics::fused) != nullptr) return done();
    return refuse("plan.numerics",
                  "numerics: this plan's are fused, which browsers and old processors cannot compute: expected a machine with "
                  "fused multiply-add and the native program, found neither or one of them");
}

Bytes canonical_bytes(const Plan& plan) { return codec::encode(plan); }

Result<Plan> from_canonical_bytes(ByteView bytes) {
    auto plan = codec::decode<Plan>(bytes, codec::ArchiveLimits{.depth = 32, .allocation_bytes = 1024 * 1024});
    if (!plan.ok() && plan.error().reason == no_tables) return plan.error();
    if (!plan.ok()) return refuse("plan.malformed", "plan: " + plan.error().message);
    ENTENTE_TRY(check(*plan));
    return plan;
}

Digest digest_of(const Plan& plan) { return digest_of_bytes(canonical_bytes(plan)); }

Digest schema_digest(const Plan& plan) { return digest_of_bytes(codec::encode(plan.task.model)); }

std::string federation_iri(const Plan& plan) { return "urn:fl:federation:" + plan.federation.id; }

aggregate::FoldBounds fold_bounds(const Plan& plan) {
    aggregate::FoldBounds bounds{plan.aggregation.grid, plan.aggregation.max_weight, plan.aggregation.max_participants, 0};
    const bool whole = !aggregate::traits_of(plan.aggregation.strategy.name).normalised && plan.round.max_staleness == 0;
    if (whole) return bounds;
    // Fractions as fine as the sum has room for, and never coarser than 2^-12.
    bounds.factor_log2 = 30;
    while (bounds.factor_log2 > 12 && !aggregate::check(bounds).ok()) --bounds.factor_log2;
    return bounds;
}

Status use_strategy(Plan& plan, std::string_view name) {
    ENTENTE_ASSIGN(plan.aggregation.strategy, aggregate::default_terms(name));
    const aggregate::StrategyTraits traits = aggregate::traits_of(name);
    plan.training.proximal_mu = traits.proximal_mu;
    plan.round.goal = traits.goal;
    plan.round.max_staleness = traits.max_staleness;
    return done();
}

std::uint32_t lot_of(const Plan& plan, std::uint64_t round, std::string_view participant) {
    return Philox(derive_key(plan.training.seed, round, participant, Purpose::select)).next_u32();
}

double gradient_weight(const Plan& plan, std::uint64_t round, std::uint64_t steps) {
    const nn::TrainingOptions local = training_options(plan, round, {});
    return aggregate::gradient_weight({steps, static_cast<double>(local.momentum), static_cast<double>(local.learning_rate),
                                       static_cast<double>(local.proximal_mu)});
}

nn::TrainingOptions training_options(const Plan& plan, std::uint64_t round, std::string_view participant) {
    nn::TrainingOptions options;
    options.epochs = plan.training.epochs;
    options.batch = plan.training.batch;
    options.slices = plan.training.slices;
    options.learning_rate =
        nn::learning_rate(plan.training.schedule, plan.training.learning_rate, std::max<std::uint64_t>(round, 1), plan.round.rounds);
    options.optimiser = plan.training.optimiser;
    options.momentum = plan.training.momentum;
    options.nesterov = plan.training.nesterov;
    options.beta1 = plan.training.beta1;
    options.beta2 = plan.training.beta2;
    options.epsilon = plan.training.epsilon;
    options.clip_norm = plan.training.clip_norm;
    options.loss = plan.task.loss;
    if (plan.numerics == "fused") options.numerics = kernels::Numerics::fused;
    options.weight_decay = plan.training.weight_decay;
    options.proximal_mu = plan.training.proximal_mu;
    options.key = derive_key(plan.training.seed, round, participant, Purpose::shuffle);
    options.dropout_key = derive_key(plan.training.seed, round, participant, Purpose::dropout);
    return options;
}

codec::FrameLimits model_limits(const Plan& plan) {
    return limits(4 * wire_length(plan), codec::FrameKind::model, codec::Encoding::float32);
}

codec::FrameLimits update_limits(const Plan& plan) {
    const std::uint64_t content =
        is_sparse(plan) ? sparse_form(plan).content_bytes() : plan.aggregation.grid.content_bytes(wire_length(plan));
    return limits(content, codec::FrameKind::update, update_encoding(plan));
}

std::uint64_t envelope_limit(const codec::FrameLimits& l) {
    constexpr std::uint64_t signature_bytes = 64;
    return codec::frame_prefix_bytes + l.header_bytes + l.payload_bytes + signature_bytes;
}

std::uint64_t parameter_count(const Plan& plan) {
    const auto layout = nn::infer_layout(plan.task.model);
    return layout.ok() ? layout->parameter_count : 0;
}

codec::Encoding update_encoding(const Plan& plan) {
    if (is_sparse(plan)) return codec::Encoding::sparse;
    if (plan.aggregation.grid.block > 0) return codec::Encoding::packed;
    switch (plan.aggregation.grid.bits) {
        case 8: return codec::Encoding::int8;
        case 16: return codec::Encoding::int16;
        default: return codec::Encoding::int32;
    }
}

bool is_sparse(const Plan& plan) noexcept { return plan.aggregation.top > 0; }

aggregate::SparseForm sparse_form(const Plan& plan) {
    const std::uint64_t length = wire_length(plan);
    return {plan.aggregation.grid, length, aggregate::kept_count(length, plan.aggregation.top)};
}

std::vector<codec::TensorShape> tensor_shapes(const Plan& plan) {
    std::vector<codec::TensorShape> shapes;
    const auto layout = nn::infer_layout(plan.task.model);
    if (!layout.ok()) return shapes;
    for (const nn::TensorInfo& tensor : layout->tensors) shapes.push_back({tensor.name, tensor.shape});
    return shapes;
}

std::vector<codec::TensorShape> wire_tensors(const Plan& plan) {
    std::vector<codec::TensorShape> shapes = tensor_shapes(plan);
    const bool control = aggregate::traits_of(plan.aggregation.strategy.name).control;
    const std::size_t count = shapes.size();
    for (std::size_t i = 0; i < count && control; ++i) shapes.push_back({"control." + shapes[i].name, shapes[i].shape});
    if (const std::uint64_t sums = sums_length(plan); sums > 0) {
        shapes.push_back({"sums", {static_cast<std::uint32_t>(sums / task::sum_digits), static_cast<std::uint32_t>(task::sum_digits)}});
    }
    return shapes;
}

std::uint64_t sums_length(const Plan& plan) {
    return plan.task.table && tables() != nullptr ? tables()->sums_length(*plan.task.table) : 0;
}

Result<task::Shared> read_sums(const Plan& plan, std::span<const float> digits) { return tables()->read_sums(*plan.task.table, digits); }

void serialize_table(codec::BoundedInputArchive& archive, task::Task& table) {
    if (tables() == nullptr) return archive.fail(no_tables, "plan: this program reads no tasks on tables");
    tables()->load(archive, table);
}

void serialize_table(codec::BoundedOutputArchive& archive, task::Task& table) {
    if (tables() != nullptr) tables()->save(archive, table);
}

std::uint64_t wire_length(const Plan& plan) {
    return parameter_count(plan) * (aggregate::traits_of(plan.aggregation.strategy.name).control ? 2 : 1) + sums_length(plan);
}

std::uint64_t state_length(const Plan& plan) {
    return is_sparse(plan) || aggregate::traits_of(plan.aggregation.strategy.name).control ? parameter_count(plan) : 0;
}

std::vector<float> initial_parameters(const Plan& plan) {
    auto parameters = nn::initialise(plan.task.model, derive_key(plan.training.seed, 0, {}, Purpose::initialise));
    return parameters.ok() ? std::move(parameters).value() : std::vector<float>{};
}

}  // namespace entente::plan
