// The plan: the declarative, signed description of a federation. Data, never code.
//
//   Plan plan = default_digits_plan();
//   if (auto ok = check(plan); !ok) ...        // every bound, the shapes, the overflow of the fold, the terms
//   Bytes canonical = canonical_bytes(plan);   // what is signed and sent
//   Digest digest = digest_of(plan);           // what every envelope and receipt names
//
// TOML in (commands/plan_toml.hpp), canonical bytes out. docs/plan.md lists every key. Plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entente/aggregate/fold.hpp"
#include "entente/aggregate/sparse.hpp"
#include "entente/aggregate/strategy.hpp"
#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/frame.hpp"
#include "entente/nn/model_spec.hpp"
#include "entente/nn/schedule.hpp"
#include "entente/nn/training.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/policy/policy.hpp"
#include "entente/task/task.hpp"

namespace entente::plan {

struct FederationTerms {
    std::string id = "digits-demo";            // [a-z0-9-], part of every URN
    std::string name = "Digits demo";          // for people
    std::string operator_name = "The operator";
    std::string coordinator = "coordinator";   // the participant id of the global node
    std::string purpose;                       // one sentence: what is learned and for whom

    friend bool operator==(const FederationTerms&, const FederationTerms&) = default;
};

struct TaskTerms {
    std::string kind = "digits";  // which data the participant brings: "digits" reads MNIST IDX files, "table" rows of `table`
    std::uint32_t classes = 10;
    nn::ModelSpec model;
    nn::LossSpec loss;
    std::optional<task::Task> table;  // with kind "table"; its model and loss are those above, and empty in here

    friend bool operator==(const TaskTerms&, const TaskTerms&) = default;
};

struct TrainingTerms {
    std::uint32_t epochs = 1;  // E
    std::uint32_t batch = 32;  // B
    std::uint32_t slices = 1;  // of a batch, for as many threads or Workers: gradients are added in their order
    float learning_rate = 0.1f;
    nn::Optimiser optimiser = nn::Optimiser::sgd;
    float momentum = 0.0f;  // sgd
    bool nesterov = false;  // sgd with momentum
    float beta1 = 0.9f;     // adam, adamw
    float beta2 = 0.999f;
    float epsilon = 1e-8f;
    float weight_decay = 0.0f;
    float clip_norm = 0.0f;  // 0: off
    nn::Schedule schedule;   // of the learning rate, by round
    float proximal_mu = 0.0f;  // FedProx; 0 is FedAvg
    std::uint64_t seed = 1;    // initial weights, shuffling, rounding: everything but keys

    friend bool operator==(const TrainingTerms&, const TrainingTerms&) = default;
};

enum class Weighting : std::uint8_t { examples, uniform };

struct AggregationTerms {
    aggregate::StrategyTerms strategy;
    Weighting weighting = Weighting::examples;
    std::uint64_t max_weight = 1'000'000;    // examples that one participant may claim
    std::uint32_t max_participants = 1'000;  // in one round
    aggregate::FixedPoint grid;
    float top = 0.0f;  // the share of its numbers, the largest, that an update sends (aggregate/sparse.hpp); 0: all

    friend bool operator==(const AggregationTerms&, const AggregationTerms&) = default;
};

struct RoundTerms {
    std::uint32_t rounds = 10;
    std::uint32_t min_cohort = 2;      // fewer at the deadline: the round is abandoned and reopened
    std::uint32_t goal = 0;            // close as soon as this many are in; 0: as soon as all who were asked are
    float fraction = 1.0f;             // C: the share of those present that a round asks, at least min_cohort
    float over_selection = 1.0f;       // asks so many times as many as it waits for
    std::uint32_t deadline_s = 300;    // from opening
    std::uint32_t presence_s = 20;     // a participant not heard of for so long does not hold up the round
    std::uint32_t max_staleness = 0;   // a late update counts if its model is at most so many models old; 0: never
    float staleness_exponent = 0.5f;   // a: and then for (1 + s)^-a of itself
    std::uint32_t witnesses = 0;       // who must have cosigned the log with the last receipt before the next round opens

    friend bool operator==(const RoundTerms&, const RoundTerms&) = default;
};

// What both sides promise each other; update_policy and model_policy say it in ODRL (docs/policy.md).
struct ContractTerms {
    std::uint32_t min_cohort_size = 2;  // promised to every participant
    std::uint32_t max_rounds = 100;
    std::uint32_t valid_days = 30;      // from the agreement
    std::string valid_from;             // an instant, "2026-12-01T00:00:00Z"; empty: from the agreement
    std::string valid_until;            // an instant, in place of valid_days
    std::uint32_t updates_may = policy::operation::aggregate;
    std::uint32_t model_may = policy::operation::train | policy::operation::evaluate | policy::operation::export_model;
    bool redistribution = false;          // neither updates nor models are passed on
    std::uint32_t delete_after_days = 0;  // of its round's end; a longer time permits, and is not used up

    friend bool operator==(const ContractTerms&, const ContractTerms&) = default;
};

struct Plan {
    FederationTerms federation;
    TaskTerms task;
    std::string numerics = "portable";  // or "fused": fused multiply-add, which a browser does not have
    TrainingTerms training;
    AggregationTerms aggregation;
    RoundTerms round;
    ContractTerms contract;

    friend bool operator==(const Plan&, const Plan&) = default;
};

Plan default_digits_plan();  // 2NN of McMahan et al., E=1, B=32, lr 0.1, ten rounds

// invalid_argument with a reason "plan.*" and a message that names the key, what was expected and what was found.
Status check(const Plan& plan);
// Whether this machine can train what the plan asks for: "plan.numerics" where it lacks fused multiply-add.
Status check_machine(const Plan& plan);

Bytes canonical_bytes(const Plan& plan);
// Bounded; only accepts what canonical_bytes writes and check() passes.
Result<Plan> from_canonical_bytes(ByteView bytes);
Digest digest_of(const Plan& plan);

// Takes a task on tables with its model and loss. Its errors come with check(plan).
void use_task(Plan& plan, task::Task table);
// The same task, whole. REQUIRES: plan.task.table.
task::Task task_of(const Plan& plan);

// Names the strategy, with the tuned values of everything that it asks for in the whole plan. "plan.strategy".
Status use_strategy(Plan& plan, std::string_view name);

// Digest of the layout (names and shapes) and of what the layers are: equal digests can exchange parameters.
Digest schema_digest(const Plan& plan);

std::string federation_iri(const Plan& plan);  // urn:fl:federation:<id>
aggregate::FoldBounds fold_bounds(const Plan& plan);
nn::TrainingOptions training_options(const Plan& plan, std::uint64_t round, std::string_view participant);
// The participant's lot in a round, uniform in 32 bits: those up to the round's threshold take part. A function of the
// plan's seed, the round and the name alone, so nobody's arrival moves anybody else's.
std::uint32_t lot_of(const Plan& plan, std::uint64_t round, std::string_view participant);
// The fraction of itself that an update counts for in FedNova, before tau_eff: 1 / |a_i|_1.
double gradient_weight(const Plan& plan, std::uint64_t round, std::uint64_t steps);
// What a frame of this plan may be at most, before a byte of it is read.
codec::FrameLimits model_limits(const Plan& plan);
codec::FrameLimits update_limits(const Plan& plan);
// The most that a whole envelope within these limits can weigh on the wire.
std::uint64_t envelope_limit(const codec::FrameLimits& limits);
std::uint64_t parameter_count(const Plan& plan);
codec::Encoding update_encoding(const Plan& plan);
bool is_sparse(const Plan& plan) noexcept;                  // an update sends some of its numbers
aggregate::SparseForm sparse_form(const Plan& plan);        // REQUIRES: is_sparse(plan)
std::vector<codec::TensorShape> tensor_shapes(const Plan& plan);
// What crosses the border in one envelope: the model's tensors, for SCAFFOLD a "control." beside each, and behind them the sums
// that a federation on tables scales with (task/sums.hpp). The first round that ends with a result gathers those and leaves the
// model as it is; every model from then on carries them.
std::vector<codec::TensorShape> wire_tensors(const Plan& plan);
std::uint64_t wire_length(const Plan& plan);   // numbers in an update or a model
std::uint64_t sums_length(const Plan& plan);   // of these in sums; 0: none
std::uint64_t state_length(const Plan& plan);  // numbers that a participant keeps from round to round; 0: none

// The terms under which this plan's updates and global model are offered.
policy::Policy update_policy(const Plan& plan);
policy::Policy model_policy(const Plan& plan);
// What taking part needs of each: the facts for Point::negotiation.
inline constexpr std::uint32_t update_operations = policy::operation::aggregate;
inline constexpr std::uint32_t model_operations = policy::operation::train | policy::operation::evaluate;

// The global model of round 1: He initialisation from the plan's seed. The same bits everywhere.
std::vector<float> initial_parameters(const Plan& plan);

}  // namespace entente::plan
