// The canonical bytes of a plan: members in the order of declaration (docs/wire-format.md).
#pragma once

#include "entente/codec/archive.hpp"
#include "entente/plan/plan.hpp"
#include "plan/tables.hpp"

namespace entente::nn {

constexpr bool is_known(LayerKind kind) { return kind >= LayerKind::dense && kind <= LayerKind::conv_transpose1d; }

template <class Archive>
void serialize(Archive& archive, LayerSpec& l) {
    archive(l.name, l.kind, l.units, l.kernel, l.same_padding, l.pool, l.stride, l.groups, l.rate, l.vocabulary, l.sequences,
            l.skip);
}
constexpr bool is_known(LossKind kind) { return kind >= LossKind::cross_entropy && kind <= LossKind::quantile; }
constexpr bool is_known(Optimiser optimiser) { return optimiser >= Optimiser::sgd && optimiser <= Optimiser::adamw; }
constexpr bool is_known(ScheduleKind kind) { return kind >= ScheduleKind::constant && kind <= ScheduleKind::cosine; }

template <class Archive>
void serialize(Archive& archive, LossSpec& l) {
    archive(l.kind, l.class_weights, l.delta, l.quantile);
}
template <class Archive>
void serialize(Archive& archive, Schedule& s) {
    archive(s.kind, s.warmup_rounds, s.step_rounds, s.step_factor, s.floor);
}
template <class Archive>
void serialize(Archive& archive, ModelSpec& m) {
    archive(m.input_shape, m.layers);
}

}  // namespace entente::nn

namespace entente::aggregate {

template <class Archive>
void serialize(Archive& archive, FixedPoint& g) {
    archive(g.bits, g.scale_log2, g.block);
}
template <class Archive>
void serialize(Archive& archive, StrategyTerms& s) {
    archive(s.name, s.server_learning_rate, s.server_momentum, s.server_second_moment, s.server_adaptivity);
}

}  // namespace entente::aggregate

namespace entente::plan {

constexpr bool is_known(Weighting weighting) { return weighting <= Weighting::uniform; }

template <class Archive>
void serialize(Archive& archive, FederationTerms& f) {
    archive(f.id, f.name, f.operator_name, f.coordinator, f.purpose);
}
template <class Archive>
void serialize(Archive& archive, TaskTerms& t) {
    archive(t.kind, t.classes, t.model, t.loss);
    // Plans without a table are written as before there were some.
    if (t.kind != "table") return;
    if constexpr (Archive::is_loading::value) {
        serialize_table(archive, t.table.emplace());
    } else {
        task::Task none;
        serialize_table(archive, t.table ? *t.table : none);
    }
}
template <class Archive>
void serialize(Archive& archive, TrainingTerms& t) {
    archive(t.epochs, t.batch, t.slices, t.learning_rate, t.optimiser, t.momentum, t.nesterov, t.beta1, t.beta2, t.epsilon,
            t.weight_decay, t.clip_norm, t.schedule, t.proximal_mu, t.seed);
}
template <class Archive>
void serialize(Archive& archive, AggregationTerms& a) {
    archive(a.strategy, a.weighting, a.max_weight, a.max_participants, a.grid, a.top);
}
template <class Archive>
void serialize(Archive& archive, RoundTerms& r) {
    archive(r.rounds, r.min_cohort, r.goal, r.fraction, r.over_selection, r.deadline_s, r.presence_s, r.max_staleness,
            r.staleness_exponent, r.witnesses);
}
template <class Archive>
void serialize(Archive& archive, ContractTerms& c) {
    archive(c.min_cohort_size, c.max_rounds, c.valid_days, c.valid_from, c.valid_until, c.updates_may, c.model_may,
            c.redistribution, c.delete_after_days);
}
template <class Archive>
void serialize(Archive& archive, Plan& p) {
    archive(p.federation, p.task, p.numerics, p.training, p.aggregation, p.round, p.contract);
}

}  // namespace entente::plan
