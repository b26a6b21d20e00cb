#include "commands/simulate.hpp"

#include <algorithm>
#include <cstdio>

#include "commands/export_model.hpp"
#include "commands/ledger_file.hpp"
#include "commands/plan_file.hpp"
#include "commands/plan_toml.hpp"
#include "commands/report.hpp"
#include "commands/run.hpp"
#include "commands/run_folder.hpp"
#include "commands/simulate_print.hpp"
#include "commands/simulate_run.hpp"
#include "commands/sweep.hpp"

namespace entente::commands {
namespace {

std::string number(float value) {
    char out[32];
    std::snprintf(out, sizeof out, "%g", static_cast<double>(value));
    return out;
}

// --sample is the plan's round.fraction by another name.
Status set_fraction(float& fraction, double sample) {
    if (!(sample > 0.0 && sample <= 1.0)) {
        return Error{Code::invalid_argument, "usage.sample", "--sample: expected a share above 0 and at most 1"};
    }
    const auto wanted = static_cast<float>(sample);
    if (fraction != 1.0f && fraction != wanted) {
        return Error{Code::invalid_argument, "usage.sample",
                     "--sample: the plan's round.fraction is " + number(fraction) + "; expected the same or one of the two, found " + number(wanted)};
    }
    fraction = wanted;
    return done();
}

// The plan that is carried out: the file's, and what the options change in it.
Result<plan::Plan> settle_plan(const SimulateOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(plan::Plan plan, read_plan_file(o.plan_file, environment));
    if (o.rounds) {
        plan.round.rounds = *o.rounds;
        plan.contract.max_rounds = std::max(plan.contract.max_rounds, *o.rounds);
    }
    if (!o.seeds.empty()) plan.training.seed = o.seeds.front();
    if (o.sample) ENTENTE_TRY(set_fraction(plan.round.fraction, *o.sample));
    return plan;
}

std::vector<std::uint64_t> seeds_of(const SimulateOptions& o, const plan::Plan& plan) {
    std::vector<std::uint64_t> seeds = o.seeds;
    if (seeds.empty()) seeds.push_back(plan.training.seed);
    while (seeds.size() < o.seed_count) seeds.push_back(seeds.back() + 1);
    return seeds;
}

struct PlannedRun {
    RunSetting setting;
    std::string label;   // its point of the grid
    std::string folder;  // empty without --out
};

// "local.epochs=5, seed 1" as the name of a folder: local.epochs=5-seed-1.
std::string folder_name(std::string label) {
    std::erase(label, ',');
    std::replace_if(label.begin(), label.end(), [](char c) { return c == ' ' || c == '/' || c == '\\' || c == ':'; }, '-');
    return label;
}

Result<std::vector<PlannedRun>> plan_runs(const SimulateOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(const plan::Plan base, settle_plan(o, environment));
    ENTENTE_ASSIGN(const std::vector<SweepPoint> grid, read_grid(o.sweep));
    const std::vector<std::uint64_t> seeds = seeds_of(o, base);
    const bool several = grid.size() * seeds.size() > 1;
    if (several && (!o.save_model.empty() || !o.save_ledger.empty())) {
        return Error{Code::invalid_argument, "usage.several", "--save and --ledger are for one run; --out keeps those of several"};
    }
    std::vector<PlannedRun> runs;
    for (const SweepPoint& point : grid) {
        ENTENTE_ASSIGN(plan::Plan plan, apply(base, point));
        for (const std::uint64_t seed : seeds) {
            plan.training.seed = seed;
            PlannedRun run{{plan, {}, {}, {}}, label_of(point), o.out};
            const std::string name = (run.label.empty() ? "" : run.label + ", ") + "seed " + std::to_string(seed);
            if (several) run.setting.title = name;
            if (several && !o.out.empty()) run.folder += "/" + folder_name(name);
            run.setting.checkpoint = !o.out.empty() ? run.folder + "/checkpoint"
                                                    : "entente-simulation" + (several ? "-" + folder_name(name) : "") + ".checkpoint";
            runs.push_back(std::move(run));
        }
    }
    return runs;
}

Result<DigitsExamples> read_data(const SimulateOptions& o, Environment& environment) {
    if (o.data_folder.empty()) {
        return Error{Code::invalid_argument, "usage.data",
                     "--data: expected a folder with the four MNIST files (train-images-idx3-ubyte …), found nothing"};
    }
    ENTENTE_ASSIGN(DigitsExamples digits, read_digits_examples(o.data_folder, environment));
    if (digits.test.size() == 0) {
        return Error{Code::not_found, "file.missing",
                     o.data_folder + ": expected t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte for the evaluation"};
    }
    return digits;
}

Status save(const memory::Federation& federation, const SimulateOptions& o, const plan::Plan& plan,
            Environment& environment) {
    if (!o.save_model.empty()) {
        ENTENTE_ASSIGN(const Bytes file, model_as_safetensors(plan, federation.parameters(), federation.model_digest()));
        ENTENTE_TRY(environment.write_file(o.save_model, file));
    }
    if (!o.save_ledger.empty()) {
        ENTENTE_TRY(environment.write_file(o.save_ledger, write_ledger_file(federation.ledger())));
    }
    return done();
}

std::string describe_data(const SimulateOptions& o, const plan::Plan& plan) {
    std::string text = std::to_string(o.deal.partners) + " partners, data dealt " + o.deal.partition;
    if (plan.round.fraction < 1.0f) text += ", each round asks a fraction of " + number(plan.round.fraction);
    return text + ".";
}

Result<int> carry_out(const SimulateOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(const std::vector<PlannedRun> runs, plan_runs(o, environment));
    ENTENTE_ASSIGN(const DigitsExamples digits, read_data(o, environment));
    Report report{runs.front().setting.plan.federation.name, describe_data(o, runs.front().setting.plan), write_plan_toml(runs.front().setting.plan), {}};
    for (const PlannedRun& planned : runs) {
        const plan::Plan& plan = planned.setting.plan;
        ENTENTE_ASSIGN(const RunResult run, run_simulation(o, planned.setting, digits, environment));
        if (run.interrupted) {
            environment.print_error("entente: stopped after round " + std::to_string(run.federation.rounds().size()) + " of " +
                                    std::to_string(plan.round.rounds) + "; " + planned.setting.checkpoint +
                                    " holds all of it: the same command with --resume goes on\n");
            return exit_interrupted;
        }
        ENTENTE_TRY(save(run.federation, o, plan, environment));
        if (!o.out.empty()) {
            ENTENTE_ASSIGN(RunSummary summary, summary_of(planned.setting, planned.label, run));
            ENTENTE_TRY(write_model_folder(planned.folder, plan, run.federation, environment));
            if (runs.size() > 1) {
                ENTENTE_TRY(write_report_files(planned.folder, {report.title, report.data, write_plan_toml(plan), {summary}}, environment));
            }
            report.runs.push_back(std::move(summary));
        }
        if (!o.quiet && !o.json) print_partners(run.federation, environment);
        if (o.json) environment.print(end_json(planned.setting.title, run.federation, run.seconds) + "\n");
    }
    if (!o.out.empty()) {
        ENTENTE_TRY(write_report_files(o.out, report, environment));
        if (!o.quiet && !o.json) environment.print("  Wrote " + o.out + "/report.html, the numbers and the models beside it.\n");
    } else {
        for (const PlannedRun& planned : runs) ENTENTE_TRY(environment.remove_file(planned.setting.checkpoint));
    }
    return exit_done;
}

}  // namespace

int simulate(const SimulateOptions& o, Environment& environment) {
    const Result<int> code = carry_out(o, environment);
    return code.ok() ? *code : report(code.error(), environment);
}

}  // namespace entente::commands
