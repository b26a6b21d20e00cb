#include "commands/simulate.hpp"

#include <algorithm>

#include "commands/export_model.hpp"
#include "commands/ledger_file.hpp"
#include "commands/plan_file.hpp"
#include "commands/run.hpp"
#include "commands/simulate_print.hpp"
#include "commands/simulate_run.hpp"

namespace entente::commands {
namespace {

// The plan that is carried out: the file's, and what the options change in it.
Result<plan::Plan> settle_plan(const SimulateOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(plan::Plan plan, read_plan_file(o.plan_file, environment));
    if (o.rounds) {
        plan.round.rounds = *o.rounds;
        plan.contract.max_rounds = std::max(plan.contract.max_rounds, *o.rounds);
    }
    if (o.seed) plan.training.seed = *o.seed;
    if (!(o.sample > 0.0 && o.sample <= 1.0)) {
        return Error{Code::invalid_argument, "usage.sample", "--sample: expected a share above 0 and at most 1"};
    }
    if (const std::uint32_t m = sampled_partners(o); m < o.deal.partners) plan.round.min_cohort = m;
    return plan;
}

Result<DigitsFolder> read_data(const SimulateOptions& o, Environment& environment) {
    if (o.data_folder.empty()) {
        return Error{Code::invalid_argument, "usage.data",
                     "--data: expected a folder with the four MNIST files (train-images-idx3-ubyte …), found nothing"};
    }
    ENTENTE_ASSIGN(DigitsFolder digits, read_digits_folder(o.data_folder, environment));
    if (!digits.test) {
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

Result<int> carry_out(const SimulateOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(const plan::Plan plan, settle_plan(o, environment));
    ENTENTE_ASSIGN(const DigitsFolder digits, read_data(o, environment));
    const RunSetting setting{plan, "entente-simulation.checkpoint", {}};
    ENTENTE_ASSIGN(const RunResult run, run_simulation(o, setting, digits, environment));
    if (run.interrupted) {
        environment.print_error("entente: stopped after round " + std::to_string(run.federation.rounds().size()) + " of " +
                                std::to_string(plan.round.rounds) + "; " + setting.checkpoint +
                                " holds all of it: the same command with --resume goes on\n");
        return exit_interrupted;
    }
    ENTENTE_TRY(save(run.federation, o, plan, environment));
    if (!o.quiet && !o.json) print_partners(run.federation, environment);
    if (o.json) environment.print(end_json(run.federation, run.seconds) + "\n");
    return exit_done;
}

}  // namespace

int simulate(const SimulateOptions& o, Environment& environment) {
    const Result<int> code = carry_out(o, environment);
    return code.ok() ? *code : report(code.error(), environment);
}

}  // namespace entente::commands
