#include "entente/plan/plan.hpp"

#include <cmath>

#include "entente/codec/archive.hpp"
#include "entente/codec/merkle.hpp"
#include "entente/contract/contract.hpp"
#include "entente/nn/initialise.hpp"
#include "serial.hpp"

namespace entente::plan {
namespace {


Error refuse(const char* reason, std::string message) {
    return Error{Code::invalid_argument, reason, std::move(message)};
}

template <class T>
Status in_range(const char* key, T value, T low, T high) {
    if (value >= low && value <= high) return done();
    return refuse("plan.range", std::string(key) + ": expected " + std::to_string(low) + " to " + std::to_string(high) +
                                    ", found " + std::to_string(value));
}

Status check_text(const char* key, const std::string& text, std::size_t limit) {
    if (text.size() <= limit) return done();
    return refuse("plan.text", std::string(key) + ": expected at most " + std::to_string(limit) + " bytes, found " +
                                   std::to_string(text.size()));
}

Status check_rounds(const RoundTerms& r, const ContractTerms& c, std::uint32_t max_participants) {
    ENTENTE_TRY(in_range<std::uint32_t>("round.rounds", r.rounds, 1, 1'000'000));
    ENTENTE_TRY(in_range<std::uint32_t>("round.min_cohort", r.min_cohort, 1, max_participants));
    ENTENTE_TRY(in_range<std::uint32_t>("round.goal", r.goal, 0, max_participants));
    ENTENTE_TRY(in_range<std::uint32_t>("round.deadline_s", r.deadline_s, 1, 30 * 86'400));
    ENTENTE_TRY(in_range<std::uint32_t>("round.presence_s", r.presence_s, 1, 30 * 86'400));
    if (r.goal != 0 && r.goal < r.min_cohort) {
        return refuse("plan.range", "round.goal: expected 0 or at least round.min_cohort, found " + std::to_string(r.goal));
    }
    ENTENTE_TRY(in_range<std::uint32_t>("contract.min_cohort_size", c.min_cohort_size, 1, max_participants));
    ENTENTE_TRY(in_range<std::uint32_t>("contract.max_rounds", c.max_rounds, 1, 10'000'000));
    ENTENTE_TRY(in_range<std::uint32_t>("contract.valid_days", c.valid_days, 1, 36'500));
    if (c.max_rounds < r.rounds) {
        return refuse("plan.range", "contract.max_rounds: expected at least round.rounds (" + std::to_string(r.rounds) +
                                        "), found " + std::to_string(c.max_rounds));
    }
    return done();
}

Status check_training(const TrainingTerms& t) {
    ENTENTE_TRY(in_range<std::uint32_t>("training.epochs", t.epochs, 1, 10'000));
    ENTENTE_TRY(in_range<std::uint32_t>("training.batch", t.batch, 1, 65'536));
    const auto finite = [](float v, float low, float high) { return std::isfinite(v) && v >= low && v <= high; };
    if (!finite(t.learning_rate, 1e-9f, 1e3f)) return refuse("plan.range", "training.learning_rate: expected 1e-9 to 1000");
    if (!finite(t.momentum, 0, 0.9999f)) return refuse("plan.range", "training.momentum: expected 0 to 0.9999");
    if (!finite(t.weight_decay, 0, 1)) return refuse("plan.range", "training.weight_decay: expected 0 to 1");
    if (!finite(t.proximal_mu, 0, 1e3f)) return refuse("plan.range", "training.proximal_mu: expected 0 to 1000");
    return done();
}

Digest digest_of_bytes(const Bytes& bytes) { return codec::merkle_root(bytes); }

policy::Policy terms_of(const Plan& plan) {
    using policy::Constraint;
    return policy::federation_policy({
        Constraint{policy::operand::purpose, "eq", {federation_iri(plan)}},
        Constraint{policy::operand::min_cohort_size, "gteq", {std::to_string(plan.contract.min_cohort_size)}},
        Constraint{policy::operand::max_rounds, "lteq", {std::to_string(plan.contract.max_rounds)}},
        Constraint{policy::operand::model_schema_hash, "eq", {"sha256:" + to_hex(schema_digest(plan))}},
        Constraint{policy::operand::in_force_date, "lteq",
                   {"contractAgreement+" + std::to_string(plan.contract.valid_days) + "d"}},
    });
}

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
    if (plan.task.kind != "digits") {
        return refuse("plan.task", "task.kind: expected digits, found \"" + plan.task.kind + "\"");
    }
    if (plan.numerics != "portable") {
        return refuse("plan.numerics", "numerics: expected portable, found \"" + plan.numerics + "\"");
    }
    ENTENTE_ASSIGN(const nn::Layout layout, nn::infer_layout(plan.task.model));
    ENTENTE_ASSIGN(const std::uint32_t classes, nn::output_classes(plan.task.model));
    if (classes != plan.task.classes) {
        return refuse("plan.model", "task.classes: expected the model's " + std::to_string(classes) + " outputs, found " +
                                        std::to_string(plan.task.classes));
    }
    ENTENTE_TRY(check_training(plan.training));
    ENTENTE_TRY(aggregate::check(fold_bounds(plan)));
    ENTENTE_TRY(aggregate::make_strategy(plan.aggregation.strategy, layout.parameter_count));
    return check_rounds(plan.round, plan.contract, plan.aggregation.max_participants);
}

Bytes canonical_bytes(const Plan& plan) { return codec::encode(plan); }

Result<Plan> from_canonical_bytes(ByteView bytes) {
    auto plan = codec::decode<Plan>(bytes, codec::ArchiveLimits{.depth = 32, .allocation_bytes = 1024 * 1024});
    if (!plan.ok()) return refuse("plan.malformed", "plan: " + plan.error().message);
    ENTENTE_TRY(check(*plan));
    return plan;
}

Digest digest_of(const Plan& plan) { return digest_of_bytes(canonical_bytes(plan)); }

Digest schema_digest(const Plan& plan) { return digest_of_bytes(codec::encode(plan.task.model)); }

std::string federation_iri(const Plan& plan) { return "urn:fl:federation:" + plan.federation.id; }

aggregate::FoldBounds fold_bounds(const Plan& plan) {
    return {plan.aggregation.grid, plan.aggregation.max_weight, plan.aggregation.max_participants};
}

nn::TrainingOptions training_options(const Plan& plan, std::uint64_t round, std::string_view participant) {
    nn::TrainingOptions options;
    options.epochs = plan.training.epochs;
    options.batch = plan.training.batch;
    options.learning_rate = plan.training.learning_rate;
    options.momentum = plan.training.momentum;
    options.weight_decay = plan.training.weight_decay;
    options.proximal_mu = plan.training.proximal_mu;
    options.key = derive_key(plan.training.seed, round, participant, Purpose::shuffle);
    options.dropout_key = derive_key(plan.training.seed, round, participant, Purpose::dropout);
    return options;
}

codec::FrameLimits model_limits(const Plan& plan) {
    return limits(4 * parameter_count(plan), codec::FrameKind::model, codec::Encoding::float32);
}

codec::FrameLimits update_limits(const Plan& plan) {
    return limits(plan.aggregation.grid.bytes_per_value() * parameter_count(plan), codec::FrameKind::update,
                  update_encoding(plan));
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
    switch (plan.aggregation.grid.bits) {
        case 8: return codec::Encoding::int8;
        case 16: return codec::Encoding::int16;
        default: return codec::Encoding::int32;
    }
}

std::vector<codec::TensorShape> tensor_shapes(const Plan& plan) {
    std::vector<codec::TensorShape> shapes;
    const auto layout = nn::infer_layout(plan.task.model);
    if (!layout.ok()) return shapes;
    for (const nn::TensorInfo& tensor : layout->tensors) shapes.push_back({tensor.name, tensor.shape});
    return shapes;
}

// Both directions promise the same: what a partner gives is bound as what it gets.
policy::Policy update_policy(const Plan& plan) { return terms_of(plan); }
policy::Policy model_policy(const Plan& plan) { return terms_of(plan); }

std::vector<float> initial_parameters(const Plan& plan) {
    auto parameters = nn::initialise(plan.task.model, derive_key(plan.training.seed, 0, {}, Purpose::initialise));
    return parameters.ok() ? std::move(parameters).value() : std::vector<float>{};
}

}  // namespace entente::plan
