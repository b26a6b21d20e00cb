#include "commands/simulate_tables.hpp"

#include <algorithm>

#include "commands/plan_file.hpp"
#include "commands/run.hpp"
#include "commands/simulate_run.hpp"
#include "commands/text.hpp"

namespace entente::commands {
namespace {

using Trainings = std::vector<std::pair<std::string, std::vector<TableScore>>>;

// The task says what is learned; the plan, how. Without one: Adam, the usual rate, twenty rounds of two epochs.
Result<plan::Plan> plan_for(const SimulateOptions& o, const Tables& tables, Environment& environment) {
    ENTENTE_ASSIGN(plan::Plan plan, read_plan_file(o.plan_file, environment));
    if (o.plan_file.empty()) {
        plan.federation.id = tables.task.name;
        plan.federation.name = tables.task.title.empty() ? tables.task.name : tables.task.title;
        plan.federation.purpose = "A simulation of " + tables.task.name + ".";
        plan.training.optimiser = nn::Optimiser::adam;
        plan.training.learning_rate = 1e-3f;
        plan.training.epochs = 2;
        plan.round.rounds = 20;
    }
    // The rows come scaled: no round gathers statistics.
    task::Task scaled = tables.task;
    scaled.scaling.kind = task::ScalingKind::local;
    plan::use_task(plan, std::move(scaled));
    if (o.rounds) plan.round.rounds = *o.rounds;
    plan.contract.max_rounds = std::max(plan.contract.max_rounds, plan.round.rounds);
    if (!o.seeds.empty()) plan.training.seed = o.seeds.front();
    if (o.sample) plan.round.fraction = static_cast<float>(*o.sample);
    return plan;
}

Result<std::vector<float>> train(const SimulateOptions& o, const plan::Plan& plan, const Tables& tables, std::vector<memory::PartnerSetup> partners,
                                 const std::string& title, Environment& environment) {
    SimulateOptions quiet = o;
    quiet.quiet = o.quiet || title != "federated";
    quiet.alone = false;
    quiet.resume = false;
    quiet.checkpoint_every_s = 1'000'000'000;
    RunSetting setting{plan, "", "", std::move(partners)};
    const bool single = setting.partners.size() == 1;
    if (single) {
        setting.plan.round.min_cohort = 1;
        setting.plan.contract.min_cohort_size = 1;
        setting.plan.round.fraction = 1.0f;
    }
    ENTENTE_ASSIGN(const RunResult run, run_simulation(quiet, setting, {tables.train, tables.test}, environment));
    if (run.interrupted) return Error{Code::cancelled, "simulate.interrupted", "stopped; a simulation on tables begins anew"};
    const auto parameters = run.federation.parameters();
    return std::vector<float>(parameters.begin(), parameters.end());
}

Result<Trainings> one_seed(const SimulateOptions& o, const plan::Plan& plan, const Tables& tables, Environment& environment) {
    Trainings trainings;
    const auto add = [&](const std::string& name, const std::vector<std::vector<float>>& models) -> Status {
        const std::vector<std::span<const float>> views(models.begin(), models.end());
        ENTENTE_ASSIGN(std::vector<TableScore> scores, score_tables(tables, views));
        trainings.emplace_back(name, std::move(scores));
        return done();
    };
    std::vector<memory::PartnerSetup> everybody;
    memory::PartnerSetup pooled{"pooled", "Everybody's rows", {}};
    for (std::size_t i = 0; i < tables.shares.size(); ++i) {
        everybody.push_back({partner_id(i), tables.names[i], tables.shares[i]});
        pooled.rows.insert(pooled.rows.end(), tables.shares[i].begin(), tables.shares[i].end());
    }
    if (o.alone) {
        std::vector<std::vector<float>> models;
        for (const memory::PartnerSetup& partner : everybody) {
            ENTENTE_ASSIGN(models.emplace_back(), train(o, plan, tables, {partner}, "local", environment));
        }
        ENTENTE_TRY(add("local", models));
    }
    std::vector<std::vector<float>> model(1);
    ENTENTE_ASSIGN(model.front(), train(o, plan, tables, everybody, "federated", environment));
    ENTENTE_TRY(add("federated", model));
    if (o.alone) {
        ENTENTE_ASSIGN(model.front(), train(o, plan, tables, {pooled}, "pooled", environment));
        ENTENTE_TRY(add("pooled", model));
    }
    return trainings;
}

// The mean over seeds; a metric that was undefined once is undefined.
void add_to(Trainings& sum, const Trainings& one) {
    if (sum.empty()) {
        sum = one;
        return;
    }
    for (std::size_t t = 0; t < sum.size(); ++t) {
        for (std::size_t i = 0; i < sum[t].second.size(); ++i) {
            auto& into = sum[t].second[i].metrics;
            const auto& from = one[t].second[i].metrics;
            for (std::size_t m = 0; m < into.size(); ++m) into[m] = into[m] && from[m] ? std::optional<double>(*into[m] + *from[m]) : std::nullopt;
        }
    }
}

std::string json_of(const Tables& tables, const Trainings& trainings, std::size_t seeds) {
    std::string list;
    for (const auto& [training, scores] : trainings) {
        for (const TableScore& s : scores) {
            JsonObject o;
            o.text("training", training).text("who", s.who).whole("examples", s.examples);
            for (std::size_t m = 0; m < s.metrics.size(); ++m) {
                const std::string_view name = task::metric_names()[static_cast<std::size_t>(tables.task.metrics[m]) - 1];
                s.metrics[m] ? o.number(name, *s.metrics[m]) : o.raw(name, "null");
            }
            list += (list.empty() ? "" : ",") + o.str();
        }
    }
    return JsonObject().text("task", tables.task.name).whole("seeds", seeds).raw("scores", "[" + list + "]").str();
}

Status carry_out(const SimulateOptions& o, Environment& environment) {
    TablesOptions options = o.tables;
    options.partners = options.by.empty() ? 0 : o.deal.partners;
    ENTENTE_ASSIGN(const Tables tables, read_tables(options, environment));
    ENTENTE_ASSIGN(plan::Plan plan, plan_for(o, tables, environment));
    std::vector<std::uint64_t> seeds = o.seeds.empty() ? std::vector<std::uint64_t>{plan.training.seed} : o.seeds;
    while (seeds.size() < o.seed_count) seeds.push_back(seeds.back() + 1);
    Trainings sum;
    for (const std::uint64_t seed : seeds) {
        plan.training.seed = seed;
        ENTENTE_ASSIGN(const Trainings one, one_seed(o, plan, tables, environment));
        add_to(sum, one);
    }
    for (auto& [training, scores] : sum) {
        for (TableScore& s : scores) {
            for (std::optional<double>& value : s.metrics) {
                if (value) *value /= static_cast<double>(seeds.size());
            }
        }
    }
    if (o.json) {
        environment.print(json_of(tables, sum, seeds.size()) + "\n");
        return done();
    }
    print_scores(tables, sum, environment);
    environment.print("\n  Rows behind the split, which no model has seen; " + (seeds.size() == 1 ? std::string("one seed") : "means over " + std::to_string(seeds.size()) + " seeds") + ".\n");
    return done();
}

}  // namespace

int simulate_tables(const SimulateOptions& options, Environment& environment) {
    const Status result = carry_out(options, environment);
    return result.ok() ? exit_done : report(result.error(), environment);
}

}  // namespace entente::commands
