// A task on tables within a plan: its bytes, what its model must take in and give out, and what scaling together presumes. Nothing in
// here has another name than linked_tables: whoever does without is linked without this file.
#include "checks.hpp"
#include "entente/task/sums.hpp"
#include "plan/tables.hpp"
#include "plan/task_serial.hpp"

namespace entente::plan {
namespace {

Error of_table(const Error& error) { return refuse(error.reason.c_str(), "task.table." + error.message); }

bool is_class(nn::LossKind kind) { return kind == nn::LossKind::cross_entropy || kind == nn::LossKind::binary_cross_entropy; }

// Does the model say what the label is?
Status check_label(const TaskTerms& task) {
    ENTENTE_ASSIGN(const std::uint32_t outputs, nn::output_count(task.model));
    const auto expect = [&task](bool good, const std::string& what) -> Status {
        if (good) return done();
        return refuse("plan.task", "task.loss: expected " + what + " for a label of kind \"" +
                                       std::string(task::label_kind_names()[static_cast<std::size_t>(task.table->label.kind) - 1]) + "\", found another loss or number of outputs");
    };
    switch (task.table->label.kind) {
        case task::LabelKind::flag:
        case task::LabelKind::later: return expect(is_class(task.loss.kind) && task.classes == 2, "binary_cross_entropy of one output or cross_entropy of two");
        case task::LabelKind::value:
        case task::LabelKind::remaining: return expect(!is_class(task.loss.kind) && outputs == 1, "a loss of numbers and one output");
        case task::LabelKind::none: break;
    }
    std::uint64_t inputs = 1;
    for (const std::uint32_t n : task.model.input_shape) inputs *= n;
    return expect(!is_class(task.loss.kind) && outputs == inputs, "a loss of numbers and as many outputs as inputs");
}

// The sums lie behind the model in updates that are sent whole, on the plan's grid, and belong to one round.
Status check_sharing(const Plan& plan) {
    if (auto good = task::check_sums(*plan.task.table); !good.ok()) return of_table(good.error());
    const auto expect = [](bool good, const char* what) -> Status {
        return good ? done() : Status(refuse("plan.task", std::string(what) + " where the task's scaling is federated, whose sums must be exact"));
    };
    const aggregate::StrategyTraits traits = aggregate::traits_of(plan.aggregation.strategy.name);
    ENTENTE_TRY(expect(!traits.normalised && !traits.control, "aggregation.strategy: expected one without control variates and weights of its own"));
    ENTENTE_TRY(expect(plan.aggregation.grid.block == 0 && plan.aggregation.grid.bits >= 16, "aggregation.bits: expected 16 or 32 without blocks"));
    ENTENTE_TRY(expect(plan.aggregation.top == 0, "aggregation.top: expected 0"));
    ENTENTE_TRY(expect(plan.round.max_staleness == 0, "round.max_staleness: expected 0"));
    if (plan.round.rounds < 2) return refuse("plan.range", "round.rounds: expected at least 2 with federated scaling, whose statistics are the first round's");
    return done();
}

Status check_table(const Plan& plan) {
    const TaskTerms& t = plan.task;
    if (t.table->model != nn::ModelSpec{} || t.table->loss != nn::LossSpec{}) return refuse("plan.task", "task.table: expected model and loss in the plan alone");
    if (t.model.layers.empty()) return refuse("plan.task", "task.model: expected the layers of a model to train, found none");
    if (auto good = task::check(task_of(plan)); !good.ok()) return of_table(good.error());
    ENTENTE_TRY(check_label(t));
    return task::shares_statistics(*t.table) ? check_sharing(plan) : done();
}

}  // namespace

extern const Tables linked_tables;
const Tables linked_tables{[](codec::BoundedInputArchive& archive, task::Task& table) { archive(table); },
                           [](codec::BoundedOutputArchive& archive, task::Task& table) { archive(table); }, check_table,
                           [](const task::Task& table) { return task::shares_statistics(table) ? std::uint64_t{task::sum_count(table) * task::sum_digits} : 0; },
                           task::read_sums};

}  // namespace entente::plan
