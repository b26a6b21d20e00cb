#include <utility>

#include "entente/plan/plan.hpp"

namespace entente::plan {

void use_task(Plan& plan, task::Task table) {
    plan.task.kind = "table";
    plan.task.model = std::exchange(table.model, {});
    plan.task.loss = std::exchange(table.loss, {});
    const auto outputs = nn::output_count(plan.task.model);
    plan.task.classes = outputs.ok() && *outputs > 1 ? *outputs : 2;
    plan.task.table = std::move(table);
}

task::Task task_of(const Plan& plan) {
    task::Task whole = *plan.task.table;
    whole.model = plan.task.model;
    whole.loss = plan.task.loss;
    return whole;
}

}  // namespace entente::plan
