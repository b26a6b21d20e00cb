#include "entente/plan/model_file.hpp"

#include <algorithm>
#include <cmath>

#include "entente/codec/sha256.hpp"
#include "plan/serial.hpp"
#include "plan/task_serial.hpp"

namespace entente::trees {

constexpr bool is_known(Objective v) { return v >= Objective::logistic && v <= Objective::squared; }

template <class Archive>
void serialize(Archive& archive, Node& n) {
    archive(n.feature, n.threshold, n.left, n.value, n.gain);
}
template <class Archive>
void serialize(Archive& archive, Forest& f) {
    archive(f.objective, f.features, f.base, f.trees);
}

}  // namespace entente::trees

namespace entente::task {

template <class Archive>
void serialize(Archive& archive, RegimeStatistics& s) {
    archive(s.regime, s.rows, s.mean, s.deviation);
}
template <class Archive>
void serialize(Archive& archive, Statistics& s) {
    archive(s.all, s.regimes);
}
template <class Archive>
void serialize(Archive& archive, Calibration& c) {
    archive(c.kind, c.below, c.threshold, c.examples, c.alerts, c.first, c.last);
}
template <class Archive>
void serialize(Archive& archive, InputSummary& s) {
    archive(s.feature, s.cuts, s.counts, s.mean);
}
template <class Archive>
void serialize(Archive& archive, Watch& w) {
    archive(w.statistics, w.alarm, w.usual, w.inputs);
}

}  // namespace entente::task

namespace entente::plan {
namespace {

constexpr std::string_view model_magic = "ENTM\x01", watch_magic = "ENTW\x01";
constexpr codec::ArchiveLimits limits{.allocation_bytes = std::uint64_t{1} << 30};

struct KeptModel {
    ModelFile model;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(model.task, model.task.model, model.task.loss, model.parameters, model.forest, model.statistics, model.plan);
    }
};

struct KeptWatch {
    Digest model;
    task::Watch watch;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(model, watch);
    }
};

Error malformed(const std::string& expected) { return Error{Code::invalid_argument, "model.malformed", "expected " + expected}; }

template <class T>
Bytes with_magic(std::string_view magic, const T& value) {
    const ByteView head = as_bytes(magic);
    Bytes bytes(head.begin(), head.end());
    const Bytes body = codec::encode(value);
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

template <class T>
Result<T> behind_magic(std::string_view magic, const char* what, ByteView bytes) {
    const ByteView head = as_bytes(magic);
    if (bytes.size() < head.size() || !std::equal(head.begin(), head.end(), bytes.begin())) return malformed(what);
    return codec::decode<T>(bytes.subspan(head.size()), limits);
}

std::size_t scaled_numbers(const task::Task& task) {
    std::size_t n = 0;
    for (const task::Feature& f : task.features) n += f.kind == task::FeatureKind::one_hot ? 0 : task::width_of(task, f);
    return n;
}

Status check_statistics(const task::Task& task, const task::Statistics& s) {
    const std::size_t wanted = scaled_numbers(task);
    const auto good = [wanted](const task::RegimeStatistics& r) { return r.rows.size() == wanted && r.mean.size() == wanted && r.deviation.size() == wanted; };
    const auto by_regime = [](const task::RegimeStatistics& a, const task::RegimeStatistics& b) { return a.regime < b.regime; };
    if (good(s.all) && std::all_of(s.regimes.begin(), s.regimes.end(), good) && std::is_sorted(s.regimes.begin(), s.regimes.end(), by_regime)) return done();
    return malformed("statistics of " + std::to_string(wanted) + " numbers, by ascending regimes");
}

Status check_inputs(const task::Task& task, const std::vector<task::InputSummary>& inputs) {
    for (const task::InputSummary& s : inputs) {
        if (s.feature >= task.features.size()) return malformed("summaries of the task's features");
        const task::Feature& f = task.features[s.feature];
        const bool cuts_good = std::is_sorted(s.cuts.begin(), s.cuts.end()) && std::all_of(s.cuts.begin(), s.cuts.end(), [](double c) { return std::isfinite(c); });
        const std::size_t bins = f.kind == task::FeatureKind::one_hot ? std::size_t{task::width_of(task, f)} : s.cuts.size() + 1;
        if (!cuts_good || s.counts.size() != bins + 1) return malformed("a count for each bin of " + f.column);
    }
    return done();
}

}  // namespace

Bytes write_model_file(const ModelFile& model) { return with_magic(model_magic, KeptModel{model}); }

Result<ModelFile> read_model_file(ByteView bytes) {
    ENTENTE_ASSIGN(KeptModel kept, behind_magic<KeptModel>(model_magic, "a model file, model.entente", bytes));
    ENTENTE_TRY(task::check(kept.model.task));
    if (kept.model.statistics) ENTENTE_TRY(check_statistics(kept.model.task, *kept.model.statistics));
    if (const auto predictor = predictor_of(kept.model); !predictor.ok()) return predictor.error();
    return std::move(kept.model);
}

Digest digest_of(const ModelFile& model) { return codec::sha256(write_model_file(model)); }

Result<task::Predictor> predictor_of(const ModelFile& model) {
    if (model.forest) return task::Predictor::of_trees(model.task, *model.forest);
    return task::Predictor::of_network(model.task, model.parameters);
}

Bytes write_watch(const task::Watch& watch, const Digest& model) { return with_magic(watch_magic, KeptWatch{model, watch}); }

Result<task::Watch> read_watch(ByteView bytes, const ModelFile& model) {
    ENTENTE_ASSIGN(KeptWatch kept, behind_magic<KeptWatch>(watch_magic, "a file with a calibration", bytes));
    if (kept.model != digest_of(model)) {
        return Error{Code::conflict, "watch.other-model", "expected a calibration for this model, found one for another: calibrate again, nothing needs to be trained"};
    }
    ENTENTE_TRY(check_statistics(model.task, kept.watch.statistics));
    ENTENTE_TRY(check_inputs(model.task, kept.watch.inputs));
    std::size_t inputs = 1;
    for (const std::uint32_t n : task::example_shape(model.task)) inputs *= n;
    if (kept.watch.usual.size() != inputs) return malformed("a usual example of " + std::to_string(inputs) + " numbers");
    return std::move(kept.watch);
}

}  // namespace entente::plan
