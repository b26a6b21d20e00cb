// model.entente and a partner's calibration: the first byte says which.
#include <algorithm>

#include "entente/plan/model_file.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;

constexpr std::uint32_t scored = 64;
constexpr std::uint64_t most_floats = std::uint64_t{1} << 20;  // what takes long is no fault

plan::ModelFile model() {
    plan::ModelFile m;
    task::Column kg, site, late;
    kg.name = "kg";
    site.name = "site";
    site.kind = task::CellKind::category;
    site.categories = {"A"};
    late.name = "late";
    late.role = task::Role::label;
    m.task.name = "orders";
    m.task.columns = {kg, site, late};
    m.task.features = {{.kind = task::FeatureKind::value, .column = "kg"}, {.kind = task::FeatureKind::one_hot, .column = "site"}};
    m.task.label = {.kind = task::LabelKind::flag, .column = "late"};
    m.task.model = {{3}, {nn::dense("out", 1)}};
    m.parameters = {1, -1, 0.5f, 0.25f};
    return m;
}

plan::ModelFile forest() {
    plan::ModelFile m = model();
    m.task.model = {};
    m.parameters.clear();
    m.forest = trees::Forest{trees::Objective::logistic, 3, 0.5, {{{0, 0.5f, 1, 0.0f, 2.0}, {0, 0.0f, 0, -1.0f, 0.0}, {0, 0.0f, 0, 1.0f, 0.0}}}};
    return m;
}

// What gives its input again, or should.
plan::ModelFile autoencoder(std::uint32_t outputs) {
    plan::ModelFile m = model();
    m.task.label = {.kind = task::LabelKind::none};
    m.task.model = {{3}, {nn::dense("out", outputs)}};
    m.parameters.assign(std::size_t{4} * outputs, 0.5f);
    return m;
}

plan::ModelFile forest_without_label() {
    plan::ModelFile m = forest();
    m.task.label = {.kind = task::LabelKind::none};
    m.forest->objective = trees::Objective::squared;
    return m;
}

task::Watch watch() {
    task::Watch w;
    w.statistics.all = {0, {5}, {2.0}, {1.0}};
    w.alarm = {task::AlarmKind::quantile, false, 0.7, 100, 1, 10, 20};
    w.usual = {0, 0.5f, 0.5f};
    w.inputs = {{0, {1.0, 2.0}, {3, 4, 5, 6}, 1.5}, {1, {}, {1, 2, 3}, 0.0}};
    return w;
}

task::Rows rows_of(const task::Task& task) {
    task::Rows rows;
    rows.size = 2;
    for (const task::Column& c : task.columns) {
        task::Values& v = rows.columns.emplace_back();
        if (c.kind == task::CellKind::number) v.numbers = {1.0, 3.0};
        if (c.kind == task::CellKind::instant) v.instants = {0, task::no_instant};
        if (c.kind != task::CellKind::category) continue;
        v.words = {"A"};
        v.codes = {0, task::no_word};
    }
    return rows;
}

// Whatever is accepted can be scored with and explained.
void use(const plan::ModelFile& file, const task::Watch& kept) {
    auto predictor = plan::predictor_of(file);
    expect(predictor.ok(), "a model that is read predicts");
    const auto floats = file.forest ? Result<std::uint64_t>(0) : nn::Model::workspace(file.task.model, scored);
    if (predictor->inputs() > 4096 || !floats.ok() || *floats > most_floats) return;
    static_cast<void>(predictor->scores(std::vector<float>(scored * predictor->inputs(), 0.5f)));
    const task::Task reading = task::for_scoring(file.task);
    const task::Rows rows = rows_of(reading);
    const auto examples = task::ScoreRows::start(reading, rows, &kept.statistics);
    if (!examples.ok()) return;
    std::vector<float> example(examples->inputs());
    examples->put(0, example);
    const auto why = task::explain(reading, *predictor, example, kept.usual);
    if (why.ok()) static_cast<void>(task::reasons(reading, *why, kept.inputs, rows, examples->last_row(0), 3));
    static_cast<void>(task::drift_of(reading, kept.inputs, rows, std::vector<std::uint32_t>{0, 1}));
    static_cast<void>(task::check_rate(reading, kept.alarm, 2, 1));
}

void run_scorer(ByteView bytes) {
    if (bytes.empty()) return;
    const ByteView file = bytes.subspan(1);
    const auto same = [file](const Bytes& written) { expect(std::equal(written.begin(), written.end(), file.begin(), file.end()), "what is read is what would be written"); };
    if ((std::to_integer<unsigned>(bytes[0]) & 1u) == 0) {
        const auto read = plan::read_model_file(file);
        if (!read.ok()) return;
        same(plan::write_model_file(*read));
        task::Watch kept = watch();
        if (read->statistics) kept.statistics = *read->statistics;
        kept.inputs.clear();
        kept.usual.assign(plan::predictor_of(*read)->inputs(), 0.0f);
        use(*read, kept);
    } else {
        const auto read = plan::read_watch(file, model());
        if (!read.ok()) return;
        same(plan::write_watch(*read, plan::digest_of(model())));
        use(model(), *read);
    }
}

std::vector<Bytes> scorer_seeds() {
    return {behind(0, plan::write_model_file(model())), behind(0, plan::write_model_file(forest())), behind(0, plan::write_model_file(autoencoder(3))),
            behind(0, plan::write_model_file(autoencoder(1))), behind(0, plan::write_model_file(forest_without_label())), behind(1, plan::write_watch(watch(), plan::digest_of(model())))};
}

}  // namespace

Target scorer() { return {"scorer", run_scorer, scorer_seeds}; }

}  // namespace fuzz
