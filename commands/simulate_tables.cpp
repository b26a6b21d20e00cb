#include "commands/simulate_tables.hpp"

#include <algorithm>

#include "commands/model_card.hpp"
#include "commands/plan_file.hpp"
#include "commands/run.hpp"
#include "commands/score.hpp"
#include "commands/simulate_run.hpp"
#include "commands/table_report.hpp"
#include "commands/text.hpp"
#include "entente/nn/training.hpp"
#include "entente/plan/model_file.hpp"
#include "entente/task/sums.hpp"

namespace entente::commands {
namespace {

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

Result<TableModel> train_network(const SimulateOptions& o, const plan::Plan& plan, const Tables& tables, std::vector<memory::PartnerSetup> partners,
                                 const std::string& title, Course* course, Environment& environment) {
    SimulateOptions quiet = o;
    quiet.quiet = o.quiet || title != "federated";
    quiet.alone = false;
    quiet.resume = false;
    quiet.checkpoint_every_s = 1'000'000'000;
    // Where nobody watches, only the end is scored.
    if (quiet.quiet) quiet.evaluate_every = course != nullptr ? 1 : plan.round.rounds;
    RunSetting setting{plan, "", "", std::move(partners), {}};
    if (course != nullptr) {
        setting.on_round = [course, &tables](const memory::Federation& federation) -> Status {
            const auto parameters = federation.parameters();
            const memory::RoundResult& round = federation.rounds().back();
            ENTENTE_TRY(add_step(*course, tables, round.round, {std::vector<float>(parameters.begin(), parameters.end()), std::nullopt}));
            if (round.federated.examples > 0) course->steps.back().loss = round.federated.mean_loss();
            course->steps.back().train_loss = round.train_loss;
            return done();
        };
    }
    const bool single = setting.partners.size() == 1;
    if (single) {
        setting.plan.round.min_cohort = 1;
        setting.plan.contract.min_cohort_size = 1;
        setting.plan.round.fraction = 1.0f;
    }
    ENTENTE_ASSIGN(const RunResult run, run_simulation(quiet, setting, {tables.train, tables.test}, environment));
    if (run.interrupted) return Error{Code::cancelled, "simulate.interrupted", "stopped; a simulation on tables begins anew"};
    if (course != nullptr) {
        add_bytes(*course, tables, plan, run.federation.rounds());
        course->plan = plan;
        course->model = run.federation.model_digest();
        course->ledger = run.federation.ledger();
    }
    const auto parameters = run.federation.parameters();
    return TableModel{std::vector<float>(parameters.begin(), parameters.end()), std::nullopt};
}

Result<TableModel> train_trees(const SimulateOptions& o, const plan::Plan& plan, const Tables& tables, const std::vector<trees::Part>& parts, Course* course, Environment& environment) {
    trees::Settings settings = *tables.task.trees;
    settings.seed = plan.training.seed;
    const auto features = static_cast<std::uint32_t>(tables.partners.front().train.dataset.example_size());
    std::uint64_t answered = 0;
    ENTENTE_ASSIGN(trees::Forest forest, trees::grow(settings, features, parts, environment.executor(o.threads), &answered));
    if (course != nullptr) ENTENTE_TRY(follow_trees(*course, tables, forest, answered));
    return TableModel{{}, std::move(forest)};
}

// Each partner goes on from everybody's model with its own rows alone.
Result<std::vector<TableModel>> fine_tune(const SimulateOptions& o, const plan::Plan& plan, const Tables& tables, const TableModel& shared) {
    std::vector<TableModel> models;
    for (std::size_t i = 0; i < tables.partners.size(); ++i) {
        nn::TrainingOptions options = plan::training_options(plan, plan.round.rounds + std::uint64_t{1}, partner_id(i));
        options.epochs = o.fine_tune;
        ENTENTE_ASSIGN(nn::LocalTraining training, nn::LocalTraining::start(plan.task.model, options, tables.partners[i].train.dataset, {}, shared.parameters));
        while (!training.finished()) ENTENTE_TRY(training.step(1024));
        models.push_back({training.take_parameters(), std::nullopt});
    }
    return models;
}

// The trainings of one seed, each added to its name's.
class Seed {
public:
    Seed(const SimulateOptions& o, const plan::Plan& plan, const Tables& tables, std::vector<Training>& trainings, Course* course, Environment& environment)
        : o_(o), plan_(plan), tables_(tables), trainings_(trainings), course_(course), environment_(environment) {}

    Status run() {
        std::vector<std::size_t> everybody;
        for (std::size_t i = 0; i < tables_.partners.size(); ++i) everybody.push_back(i);
        if (o_.alone) {
            add("constant", predict_constant(tables_));
            ENTENTE_TRY(add_charts());
            std::vector<TableModel> models;
            for (const std::size_t i : everybody) {
                ENTENTE_ASSIGN(models.emplace_back(), train("local", {i}));
            }
            ENTENTE_TRY(add_models("local", models));
        }
        std::vector<TableModel> model(1);
        ENTENTE_ASSIGN(model.front(), train("federated", everybody));
        ENTENTE_ASSIGN(federated_, predict_tables(tables_, model));
        add("federated", federated_);
        if (model.front().forest) importance_ = trees::importance(*model.front().forest);
        model_ = model.front();
        if (o_.fine_tune > 0) {
            ENTENTE_ASSIGN(const std::vector<TableModel> own, fine_tune(o_, plan_, tables_, model.front()));
            ENTENTE_TRY(add_models("fine-tuned", own));
        }
        if (o_.alone) {
            ENTENTE_ASSIGN(model.front(), train_pooled());
            ENTENTE_TRY(add_models("pooled", model));
        }
        return done();
    }

    [[nodiscard]] const std::vector<double>& importance() const noexcept { return importance_; }
    [[nodiscard]] const std::vector<task::Predictions>& federated() const noexcept { return federated_; }
    [[nodiscard]] const TableModel& model() const noexcept { return model_; }  // the federated one

private:
    void add(const std::string& name, const std::vector<task::Predictions>& predictions) {
        auto found = std::find_if(trainings_.begin(), trainings_.end(), [&name](const Training& t) { return t.name == name; });
        if (found == trainings_.end()) found = trainings_.insert(trainings_.end(), Training{name, {}});
        found->seeds.push_back(score_tables(tables_, predictions));
    }

    Status add_models(const std::string& name, const std::vector<TableModel>& models) {
        ENTENTE_ASSIGN(const std::vector<task::Predictions> predictions, predict_tables(tables_, models));
        add(name, predictions);
        return done();
    }

    // What no network is needed for; a partner with too few rows for a chart leaves them out.
    Status add_charts() {
        for (const bool with_q : {false, true}) {
            const auto charts = predict_control(tables_, with_q);
            if (!tables_.by_row.empty() && charts.ok()) add(with_q ? "T²+Q" : "T²", *charts);
        }
        return done();
    }

    [[nodiscard]] trees::Part part_of(std::string_view name, const data::Dataset& d) const { return {name, d.features, d.labels, d.targets}; }

    Result<TableModel> train(const std::string& title, const std::vector<std::size_t>& who) {
        Course* course = title == "federated" ? course_ : nullptr;
        if (tables_.task.trees) {
            std::vector<trees::Part> parts;
            for (const std::size_t i : who) parts.push_back(part_of(tables_.names[i], tables_.partners[i].train.dataset));
            return train_trees(o_, plan_, tables_, parts, course, environment_);
        }
        std::vector<memory::PartnerSetup> setups;
        for (const std::size_t i : who) setups.push_back({partner_id(i), tables_.names[i], tables_.shares[i]});
        return train_network(o_, plan_, tables_, std::move(setups), title, course, environment_);
    }

    Result<TableModel> train_pooled() {
        std::vector<std::uint32_t> rows;
        for (const auto& share : tables_.shares) rows.insert(rows.end(), share.begin(), share.end());
        if (tables_.task.trees) {
            const data::Dataset all = tables_.train.gather(rows);
            return train_trees(o_, plan_, tables_, {part_of("pooled", all)}, nullptr, environment_);
        }
        return train_network(o_, plan_, tables_, {{"pooled", "Everybody's rows", rows}}, "pooled", nullptr, environment_);
    }

    const SimulateOptions& o_;
    const plan::Plan& plan_;
    const Tables& tables_;
    std::vector<Training>& trainings_;
    Course* course_;  // of the federated training; null: nobody looks
    Environment& environment_;
    std::vector<double> importance_;
    std::vector<task::Predictions> federated_;
    TableModel model_;
};

void print_importance(const Tables& tables, const std::vector<double>& importance, Environment& environment) {
    const std::vector<std::string> names = task::feature_names(tables.task);
    std::vector<std::size_t> order(importance.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&importance](std::size_t a, std::size_t b) { return importance[a] > importance[b]; });
    environment.print("\n  What the trees split by, share of all gains\n");
    for (std::size_t k = 0; k < std::min<std::size_t>(10, order.size()) && importance[order[k]] > 0; ++k) {
        environment.print("  " + pad(decimal(100.0 * importance[order[k]], 1) + " %", 9) + printable(names[order[k]]) + "\n");
    }
}

// For `entente score`.
Status write_model(const SimulateOptions& o, const Tables& tables, const TableModel& model, Environment& environment) {
    plan::ModelFile file{tables.task, model.parameters, model.forest, {}, {}};
    if (task::shares_statistics(tables.task)) file.statistics = tables.partners.front().statistics;
    return environment.write_file(o.out + "/" + model_name, plan::write_model_file(file));
}

std::string card_of(const plan::Plan& plan, const Tables& tables, const std::vector<Training>& trainings, const Course& course) {
    const TaskFacts task = task_facts(tables, trainings);
    CardFacts facts{plan.federation.name, {}, course.model, nullptr, {}, nullptr, &task};
    if (course.plan) {
        facts.plan = plan::digest_of(*course.plan);
        facts.terms = &*course.plan;
        facts.ledger = &course.ledger;
    }
    return model_card(facts);
}

Status carry_out(const SimulateOptions& o, Environment& environment) {
    TablesOptions options = o.tables;
    options.partners = options.by.empty() ? 0 : o.deal.partners;
    ENTENTE_ASSIGN(const Tables tables, read_tables(options, environment));
    if (tables.task.trees && o.fine_tune > 0) {
        return Error{Code::invalid_argument, "usage.fine-tune", "--fine-tune: expected a network, whose training can go on; found trees"};
    }
    ENTENTE_ASSIGN(plan::Plan plan, plan_for(o, tables, environment));
    std::vector<std::uint64_t> seeds = o.seeds.empty() ? std::vector<std::uint64_t>{plan.training.seed} : o.seeds;
    while (seeds.size() < o.seed_count) seeds.push_back(seeds.back() + 1);
    std::vector<Training> trainings;
    std::vector<double> importance;
    std::vector<task::Predictions> federated;
    Course course;
    TableModel model;
    for (const std::uint64_t seed : seeds) {
        plan.training.seed = seed;
        Seed one(o, plan, tables, trainings, seed == seeds.front() && !o.out.empty() ? &course : nullptr, environment);
        ENTENTE_TRY(one.run());
        if (importance.empty()) importance = one.importance();
        if (!federated.empty()) continue;
        federated = one.federated();
        model = one.model();
    }
    if (!o.out.empty()) {
        const std::vector<std::pair<const char*, std::string>> files{{"scores.csv", scores_csv(tables, trainings, seeds)},
                                                                    {"joining.csv", gains_csv(tables, trainings)},
                                                                    {"course.csv", course_csv(course, tables)},
                                                                    {"model-card.md", card_of(plan, tables, trainings, course)},
                                                                    {"report.html", table_report(tables, trainings, course, federated, importance)}};
        for (const auto& [name, text] : files) ENTENTE_TRY(environment.write_file(o.out + "/" + name, as_bytes(text)));
        ENTENTE_TRY(write_model(o, tables, model, environment));
    }
    if (o.json) {
        environment.print(outcome_json(tables, trainings, importance) + "\n");
        return done();
    }
    print_scores(tables, trainings, environment);
    print_gains(tables, trainings, environment);
    if (!importance.empty()) print_importance(tables, importance, environment);
    environment.print("\n  Rows behind the split, which no model has seen; " +
                      (seeds.size() == 1 ? std::string("one seed") : "means over " + std::to_string(seeds.size()) + " seeds and their standard errors") + ".\n");
    if (!o.out.empty()) environment.print("  Wrote " + o.out + "/report.html, scores.csv, joining.csv, course.csv, model.entente and model-card.md.\n");
    return done();
}

}  // namespace

int simulate_tables(const SimulateOptions& options, Environment& environment) {
    const Status result = carry_out(options, environment);
    return result.ok() ? exit_done : report(result.error(), environment);
}

}  // namespace entente::commands
