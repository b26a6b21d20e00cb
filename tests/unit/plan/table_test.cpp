// Plans that carry a task on tables.
#include <doctest/doctest.h>

#include <limits>

#include "entente/plan/plan.hpp"
#include "entente/task/sums.hpp"
#include "unit/task/tables.hpp"

using namespace entente;
using plan::Plan;

namespace {

Plan orders_plan() {
    task::Task t = tables::orders();
    t.scaling.kind = task::ScalingKind::federated;
    t.metrics = {task::Metric::auc, task::Metric::brier};
    t.model = {{static_cast<std::uint32_t>(task::feature_names(t).size())}, {nn::dense("out", 1)}};
    t.loss.kind = nn::LossKind::binary_cross_entropy;
    Plan plan = plan::default_digits_plan();
    plan::use_task(plan, std::move(t));
    return plan;
}

}  // namespace

TEST_CASE("a plan without a table has the bytes that it had before there were tables") {
    CHECK(to_hex(plan::digest_of(plan::default_digits_plan())) == "3283b9b59ae36ba37d5a4db1e905c45470bd2ce6466fa910830ae88b303d3eea");
}

TEST_CASE("a task on tables comes through the plan's bytes whole, and its digest covers every part of it") {
    const Plan plan = orders_plan();
    REQUIRE(plan::check(plan).ok());
    const Bytes bytes = plan::canonical_bytes(plan);
    const auto back = plan::from_canonical_bytes(bytes);
    REQUIRE(back.ok());
    CHECK(*back == plan);
    CHECK(plan::task_of(*back).model.layers.size() == 1);
    for (std::size_t n = 0; n < bytes.size(); n += 3) CHECK_FALSE(plan::from_canonical_bytes(ByteView(bytes).first(n)).ok());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Bytes flipped = bytes;
        flipped[i] ^= std::byte{0x40};
        const auto read = plan::from_canonical_bytes(flipped);
        if (read.ok()) CHECK(plan::digest_of(*read) != plan::digest_of(plan));
    }
}

TEST_CASE("what everybody scales with lies behind the model's tensors") {
    const Plan plan = orders_plan();
    const auto tensors = plan::wire_tensors(plan);
    CHECK(tensors.back().name == "sums");
    CHECK(tensors.back().shape == std::vector<std::uint32_t>{static_cast<std::uint32_t>(task::sum_count(*plan.task.table)), 9});
    CHECK(plan::wire_length(plan) == plan::parameter_count(plan) + plan::sums_length(plan));
    CHECK(plan::tensor_shapes(plan).size() + 1 == tensors.size());
    Plan local = plan;
    local.task.table->scaling.kind = task::ScalingKind::local;
    REQUIRE(plan::check(local).ok());
    CHECK(plan::sums_length(local) == 0);
    CHECK(plan::wire_tensors(local) == plan::tensor_shapes(local));
}

TEST_CASE("each mistake in a plan with a table is named by its key") {
    struct Mistake {
        void (*make)(Plan&);
        const char* key;
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<Mistake> mistakes{
        {[](Plan& p) { p.task.table.reset(); }, "task.table"},
        {[](Plan& p) { p.task.kind = "digits"; }, "task.table"},
        {[](Plan& p) { p.task.model = {}; }, "task.model"},
        {[](Plan& p) { p.task.table->model = p.task.model; }, "task.table"},
        {[](Plan& p) { p.task.model.input_shape = {3}; }, "model.input"},
        {[](Plan& p) { p.task.model.layers.back().units = 3, p.task.loss.kind = nn::LossKind::cross_entropy, p.task.classes = 3; }, "task.loss"},
        {[](Plan& p) { p.task.loss.kind = nn::LossKind::huber; }, "task.loss"},
        {[](Plan& p) { p.task.table->columns[0].name = "Line"; }, "task.table"},
        {[](Plan& p) { p.task.table->columns[6].least = nan; }, "columns.weight"},
        {[](Plan& p) { p.task.table->features[3].gap_days = 1e300; }, "features[3]"},
        {[](Plan& p) { p.task.table->label.tolerance_days = nan; }, "label"},
        {[](Plan& p) { p.task.table->split.at = std::numeric_limits<std::int64_t>::min(); }, "split.at"},
        {[](Plan& p) { p.task.table->scaling.floor = 1e-9; }, "scaling.floor"},
        {[](Plan& p) { p.aggregation.top = 0.1f; }, "aggregation.top"},
        {[](Plan& p) { p.aggregation.grid.bits = 8, p.aggregation.grid.block = 256; }, "aggregation.bits"},
        {[](Plan& p) { static_cast<void>(plan::use_strategy(p, "scaffold")); }, "aggregation.strategy"},
        {[](Plan& p) { p.round.max_staleness = 1; }, "round.max_staleness"},
        {[](Plan& p) { p.round.rounds = 1; }, "round.rounds"},
    };
    for (const Mistake& mistake : mistakes) {
        Plan plan = orders_plan();
        mistake.make(plan);
        const Status result = plan::check(plan);
        CAPTURE(mistake.key);
        REQUIRE_FALSE(result.ok());
        INFO(result.error().message);
        CHECK(result.error().message.find(mistake.key) != std::string::npos);
    }
}

TEST_CASE("a task that would make too many names is refused before they are made") {
    Plan plan = orders_plan();
    task::Task& t = *plan.task.table;
    t.columns[5].categories.clear();
    t.columns[5].unknown = task::Unknown::hash;
    t.columns[5].buckets = 4096;
    t.features.assign(4096, {.kind = task::FeatureKind::one_hot, .column = "site"});
    CHECK_FALSE(plan::check(plan).ok());
    t.features.assign(4097, {.kind = task::FeatureKind::value, .column = "weight"});
    CHECK_FALSE(plan::check(plan).ok());
}
