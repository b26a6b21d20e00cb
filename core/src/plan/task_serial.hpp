// The canonical bytes of a task on tables, as a plan carries them: members in the order of declaration, without model and
// loss, which are the plan's, and without trees, which no plan carries (docs/wire-format.md).
#pragma once

#include "entente/codec/archive.hpp"
#include "entente/task/task.hpp"

namespace entente::task {

constexpr bool is_known(Role v) { return v >= Role::feature && v <= Role::forbidden; }
constexpr bool is_known(CellKind v) { return v >= CellKind::number && v <= CellKind::instant; }
constexpr bool is_known(Unknown v) { return v >= Unknown::other && v <= Unknown::refuse; }
constexpr bool is_known(FeatureKind v) { return v >= FeatureKind::value && v <= FeatureKind::history; }
constexpr bool is_known(LabelKind v) { return v >= LabelKind::none && v <= LabelKind::remaining; }
constexpr bool is_known(SplitKind v) { return v >= SplitKind::none && v <= SplitKind::marked; }
constexpr bool is_known(Summary v) { return v >= Summary::last_mean && v <= Summary::deviation; }
constexpr bool is_known(ScalingKind v) { return v >= ScalingKind::none && v <= ScalingKind::federated; }
constexpr bool is_known(Metric v) { return v >= Metric::auc && v <= Metric::best_f1; }
constexpr bool is_known(AlarmKind v) { return v >= AlarmKind::budget && v <= AlarmKind::cost; }

template <class Archive>
void serialize(Archive& archive, Column& c) {
    archive(c.name, c.role, c.kind, c.optional, c.known_as, c.missing, c.why, c.unit, c.least, c.most, c.categories, c.unknown, c.buckets);
}
template <class Archive>
void serialize(Archive& archive, Feature& f) {
    archive(f.kind, f.column, f.to, f.scale, f.logarithm, f.days, f.gap_days, f.prior_sum, f.prior_rows);
}
template <class Archive>
void serialize(Archive& archive, Label& l) {
    archive(l.kind, l.column, l.scale, l.tolerance_days, l.cap);
}
template <class Archive>
void serialize(Archive& archive, Split& s) {
    archive(s.kind, s.at, s.keep_whole, s.test_share, s.head_rows, s.column, s.last_only);
}
template <class Archive>
void serialize(Archive& archive, Window& w) {
    archive(w.length, w.stride, w.pad, w.summary);
}
template <class Archive>
void serialize(Archive& archive, Scaling& s) {
    archive(s.kind, s.regime, s.regime_step, s.clip, s.floor);
}
template <class Archive>
void serialize(Archive& archive, Alarm& a) {
    archive(a.kind, a.per_week, a.quantile, a.margin, a.cost_ratio);
}
template <class Archive>
void serialize(Archive& archive, Task& t) {
    archive(t.name, t.title, t.columns, t.features, t.label, t.split, t.window, t.scaling, t.alarm, t.metrics, t.outside_share, t.min_rows);
}

}  // namespace entente::task
