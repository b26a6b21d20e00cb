#include "entente/plan/model_file.hpp"

#include <doctest/doctest.h>

#include <string>

#include "unit/task/tables.hpp"

using namespace entente;

namespace {

plan::ModelFile network() {
    plan::ModelFile m;
    m.task = tables::orders();
    m.task.scaling.kind = task::ScalingKind::local;
    m.task.alarm.per_week = 1;
    m.task.model = {{8}, {nn::dense("out", 1)}};
    m.parameters = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const task::RegimeStatistics r{0, {3, 3, 3, 3, 3}, {1, 2, 3, 4, 5}, {1, 1, 1, 1, 1}};
    m.statistics = task::Statistics{r, {}};
    return m;
}

plan::ModelFile forest() {
    plan::ModelFile m = network();
    m.task.model = {};
    m.parameters.clear();
    m.forest = trees::Forest{trees::Objective::logistic, 8, 0.5, {{{0, 0.5f, 1, 0.0f, 2.0}, {0, 0.0f, 0, -1.0f, 0.0}, {0, 0.0f, 0, 1.0f, 0.0}}}};
    return m;
}

task::Watch watch() {
    task::Watch w;
    w.statistics = *network().statistics;
    w.alarm = {task::AlarmKind::budget, false, 0.7, 100, 5, 10, 20};
    w.usual.assign(8, 0.25f);
    w.inputs = {{0, {1.0, 2.0}, {3, 4, 5, 6}, 1.5}, {1, {}, {1, 2, 3, 4}, 0.0}};
    return w;
}

void check_refused(const auto& result, std::string_view reason) {
    REQUIRE_FALSE(result.ok());
    INFO(result.error().message);
    CHECK(result.error().reason == reason);
}

}  // namespace

TEST_CASE("a model file comes back as it was, and scores") {
    for (const plan::ModelFile& model : {network(), forest()}) {
        const Bytes file = plan::write_model_file(model);
        const auto back = plan::read_model_file(file);
        REQUIRE(back.ok());
        CHECK(*back == model);
        CHECK(plan::digest_of(*back) == plan::digest_of(model));
        auto predictor = plan::predictor_of(*back);
        REQUIRE(predictor.ok());
        CHECK(predictor->scores(std::vector<float>(8)).ok());
    }
    CHECK(plan::digest_of(network()) != plan::digest_of(forest()));
}

TEST_CASE("a model file that cannot be scored with is refused") {
    const Bytes file = plan::write_model_file(network());
    for (std::size_t n = 0; n < file.size(); n += 7) CHECK_FALSE(plan::read_model_file(ByteView(file).first(n)).ok());
    Bytes longer = file;
    longer.push_back(std::byte{0});
    check_refused(plan::read_model_file(longer), "archive.trailing");
    check_refused(plan::read_model_file(as_bytes(std::string_view("PK\x03\x04"))), "model.malformed");
    plan::ModelFile m = network();
    m.parameters.pop_back();
    check_refused(plan::read_model_file(plan::write_model_file(m)), "model.sizes");
    m = network();
    m.statistics->all.deviation.pop_back();
    check_refused(plan::read_model_file(plan::write_model_file(m)), "model.malformed");
    m = network();
    m.task.features[0].column = "delivered";
    check_refused(plan::read_model_file(plan::write_model_file(m)), "task.leak");
    m = forest();
    m.forest->trees[0][0].left = 9;
    check_refused(plan::read_model_file(plan::write_model_file(m)), "trees.malformed");
    m = forest();
    m.forest->features = 9;
    check_refused(plan::read_model_file(plan::write_model_file(m)), "task.model");
}

TEST_CASE("a model file whose model does not say what the label is is refused") {
    using task::LabelKind;
    const auto of = [](LabelKind kind, std::uint32_t outputs) {
        plan::ModelFile m;
        m.task.name = "numbers";
        m.task.columns = {tables::column("machine", task::Role::group, task::CellKind::category), tables::number("x"), tables::number("y"),
                          tables::column("label", task::Role::label, task::CellKind::number)};
        m.task.features = {{.kind = task::FeatureKind::value, .column = "x"}, {.kind = task::FeatureKind::value, .column = "y"}};
        m.task.label = {.kind = kind, .column = "label"};
        m.task.window.length = 2;
        m.task.model = {{4}, {nn::dense("out", outputs)}};
        m.parameters.assign(std::size_t{5} * outputs, 0.5f);
        return m;
    };
    const auto read = [](const plan::ModelFile& m) { return plan::read_model_file(plan::write_model_file(m)); };
    const auto fits = [&](LabelKind kind, std::uint32_t outputs) {
        const auto back = read(of(kind, outputs));
        if (!back.ok()) return check_refused(back, "task.model");
        CHECK(plan::predictor_of(*back)->scores(std::vector<float>(4 * 64)).ok());
    };
    for (std::uint32_t outputs = 1; outputs <= 5; ++outputs) {
        for (const LabelKind kind : {LabelKind::none, LabelKind::flag, LabelKind::value, LabelKind::remaining}) {
            INFO(outputs << " outputs, kind " << static_cast<int>(kind));
            fits(kind, outputs);
            const bool good = kind == LabelKind::none ? outputs == 4 : kind == LabelKind::flag ? outputs <= 2 : outputs == 1;
            CHECK(read(of(kind, outputs)).ok() == good);
        }
    }
    plan::ModelFile trees = of(LabelKind::none, 4);
    trees.forest = forest().forest;
    trees.forest->objective = trees::Objective::squared;
    trees.forest->features = 4;
    check_refused(read(trees), "task.model");
    trees.task.label.kind = LabelKind::value;
    CHECK(read(trees).ok());
}

TEST_CASE("a small model file does not ask for a large model") {
    const auto with = [](const nn::ModelSpec& spec) {
        plan::ModelFile m = network();
        m.task.model = spec;
        return m;
    };
    check_refused(plan::read_model_file(plan::write_model_file(with({{8}, {nn::dense("hidden", 8192), nn::dense("wide", 8192), nn::dense("out", 1)}}))), "model.sizes");
    // Each layer has 5 parameters and makes its input four times as long.
    const auto longer = [&](std::uint32_t layers) {
        nn::ModelSpec spec{{8, 1}, {}};
        for (std::uint32_t i = 0; i < layers; ++i) spec.layers.push_back(nn::conv_transpose1d("up" + std::to_string(i), 1, 4, 4));
        for (std::uint32_t i = 0; i < layers; ++i) spec.layers.push_back(nn::max_pool1d(4));
        for (const nn::LayerSpec& layer : {nn::max_pool1d(8), nn::flatten(), nn::dense("out", 1)}) spec.layers.push_back(layer);
        plan::ModelFile m = with(spec);
        m.parameters.assign(std::size_t{5} * layers + 2, 0.5f);
        return m;
    };
    check_refused(plan::read_model_file(plan::write_model_file(longer(10))), "model.sizes");
    const auto back = plan::read_model_file(plan::write_model_file(longer(7)));
    REQUIRE(back.ok());
    auto few = plan::predictor_of(*back);  // fewer than 64 at once
    std::vector<float> examples(9 * 8, 0.25f);
    examples[8 * 8] = 1.0f;
    const auto scores = few->scores(examples);
    REQUIRE(scores.ok());
    REQUIRE(scores->size() == 9);
    CHECK(scores->at(8) > scores->at(0));
    CHECK(scores->at(8) == few->scores(std::span(examples).last(8))->front());
}

TEST_CASE("a watch belongs to its model") {
    const plan::ModelFile model = network();
    const Bytes kept = plan::write_watch(watch(), plan::digest_of(model));
    const auto back = plan::read_watch(kept, model);
    REQUIRE(back.ok());
    CHECK(*back == watch());
    plan::ModelFile next = model;
    next.parameters[0] = 2;
    check_refused(plan::read_watch(kept, next), "watch.other-model");
    for (std::size_t n = 0; n < kept.size(); n += 5) CHECK_FALSE(plan::read_watch(ByteView(kept).first(n), model).ok());
    const auto refused = [&model](const task::Watch& w) { check_refused(plan::read_watch(plan::write_watch(w, plan::digest_of(model)), model), "model.malformed"); };
    task::Watch w = watch();
    w.inputs[0].counts.pop_back();
    refused(w);
    w = watch();
    w.inputs[0].cuts = {2.0, 1.0};
    refused(w);
    w = watch();
    w.inputs[1].feature = 4;
    refused(w);
    w = watch();
    w.usual.pop_back();
    refused(w);
    w = watch();
    w.statistics.all.rows.pop_back();
    refused(w);
}
