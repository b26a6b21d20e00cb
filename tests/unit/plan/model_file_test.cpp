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
    w.inputs = {{0, {1.0, 2.0}, {3, 4, 5, 6}, 1.5, 0.5}, {1, {}, {1, 2, 3, 4}, 0.0, 0.0}};
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
